"""A row's bytes, or the reason why there are none."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import TamperedError
from pixelmine.core.ids import content_id, uri_path
from pixelmine.core.registry import Registry
from pixelmine.store.bytes import ByteStore

from .files import open_descriptor, open_regular
from .kinds import kind_of

__all__ = ["MEMBERS", "READERS", "must_keep", "read", "read_file"]

Fetch = Callable[[Mapping[str, Any], Limits, bool], bytes | Reason]
ReadMember = Callable[[Path, str, Limits], bytes | Reason]

READERS: Registry[Fetch] = Registry(
    "reader of a scheme",
    {
        "http": "pixelmine.input.http:fetch_row",
        "https": "pixelmine.input.http:fetch_row",
        "s3": "pixelmine.input.object_store:read_row",
        "gs": "pixelmine.input.object_store:read_row",
        "az": "pixelmine.input.object_store:read_row",
    },
)
"""How bytes behind a URI's scheme are read: `module:function(row, limits, allow_private)`."""

MEMBERS: Registry[ReadMember] = Registry(
    "container",
    {
        "zip": "pixelmine.input.zip:read_member",
        "npz": "pixelmine.input.npz:read_member",
        "idx": "pixelmine.input.idx_source:read_member",
        "parquet": "pixelmine.input.parquet:read_member",
    },
)
"""How a member of a file is read, by the file's kind: `module:function(path, member, limits)`."""


_MORE = 2**20


def read(
    row: Mapping[str, Any],
    limits: Limits,
    kept: ByteStore | None = None,
    allow_private: bool = False,
) -> bytes | Reason:
    """The bytes of a LISTING or IMAGES row; its own reason, if it came with one.

    `kept`: copies of what cannot be read again. `allow_private`: see `SourceOptions`. Where the row
    names its `content_id`, other bytes are `changed`.
    """
    if row.get("reason") is not None:
        return Reason(row["reason"])
    known = row.get("content_id")
    data = _read(row, limits, kept, allow_private)
    if known is not None and isinstance(data, bytes) and content_id(data) != known:
        return Reason.CHANGED
    return data


def must_keep(row: Mapping[str, Any]) -> bool:
    """Whether a row's bytes must be copied into a collection: its source gives them only once."""
    return row.get("data") is not None or row["uri"].startswith(("http://", "https://"))


def read_file(uri: str, limits: Limits) -> bytes | Reason:
    """All bytes of a `file://` URI. Only regular files are opened: a pipe would never end."""
    try:
        path = uri_path(uri)
    except ValueError:
        return Reason.UNREADABLE
    return _read_path(path, limits)


def _read(
    row: Mapping[str, Any], limits: Limits, kept: ByteStore | None, allow_private: bool
) -> bytes | Reason:
    if (data := row.get("data")) is not None:
        return bytes(data) if len(data) <= limits.max_bytes else Reason.TOO_LARGE_FILE
    known = row.get("content_id")
    if kept is not None and known is not None and kept.has(known):
        return _read_kept(kept, known, limits)
    scheme = urlsplit(row["uri"]).scheme
    if scheme in READERS.names():
        return READERS.get(scheme)(row, limits, allow_private)
    if scheme == "file":
        return _read_local(uri_path(row["uri"]), row, limits)
    return Reason.UNREADABLE


def _read_kept(kept: ByteStore, content: str, limits: Limits) -> bytes | Reason:
    """A copy; of a sealed one that does not open what is there is not what was kept."""
    if kept.sealing is None:
        return _read_path(kept.path(content), limits)
    try:
        data = kept.get(content)
    except TamperedError:
        return Reason.CHANGED
    except OSError:
        return Reason.UNREADABLE
    return data if len(data) <= limits.max_bytes else Reason.TOO_LARGE_FILE


def _read_local(path: Path, row: Mapping[str, Any], limits: Limits) -> bytes | Reason:
    member = row.get("member") or ""
    if row.get("offset") is not None and row.get("length") is not None:
        return _read_part(path, row, limits)
    if not member or member.startswith("#"):  # a file that a table names more than once
        return _read_path(path, limits)
    if row.get("content_id") is None and _has_changed(path, row):
        return Reason.CHANGED
    kind = kind_of(path)
    if kind in MEMBERS.names():
        return MEMBERS.get(kind)(path, member, limits)
    return Reason.UNREADABLE if path.exists() else Reason.NOT_FOUND


def _read_part(path: Path, row: Mapping[str, Any], limits: Limits) -> bytes | Reason:
    """The bytes of a member that lies uncompressed in its file."""
    if row["length"] > limits.max_bytes:
        return Reason.TOO_LARGE_FILE
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    file, found = opened
    with file:
        if row.get("content_id") is None and row.get("mtime_ns") not in (None, found.st_mtime_ns):
            return Reason.CHANGED
        try:
            data = os.pread(file.fileno(), row["length"], row["offset"])
        except (OSError, ValueError, OverflowError):
            return Reason.UNREADABLE
    return data if len(data) == row["length"] else Reason.TRUNCATED


def _has_changed(path: Path, row: Mapping[str, Any]) -> bool:
    """Whether a container is another than the one that was listed: positions mean nothing then."""
    try:
        return row.get("mtime_ns") not in (None, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return False


def _read_path(path: Path, limits: Limits) -> bytes | Reason:
    """By as few system calls as can be: each is a turn at the interpreter's lock."""
    opened = open_descriptor(path)
    if isinstance(opened, Reason):
        return opened
    handle, found = opened
    try:
        if found.st_size > limits.max_bytes:
            return Reason.TOO_LARGE_FILE
        parts = [os.read(handle, found.st_size + 1)]
        if (size := len(parts[0])) == found.st_size:
            return parts[0]
        while size <= limits.max_bytes and parts[-1]:  # it is no longer as long as it was
            parts.append(os.read(handle, _MORE))
            size += len(parts[-1])
        return b"".join(parts) if size <= limits.max_bytes else Reason.TOO_LARGE_FILE
    except OSError:
        return Reason.UNREADABLE
    finally:
        os.close(handle)
