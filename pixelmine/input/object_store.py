"""Pictures in object stores: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`.

Names in a source's text are as they are, as for the stores' own tools; in a `uri` they are
percent-encoded.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import row_id

from .object_store_open import NAMES, open_store
from .rows import batches
from .source import SourceOptions

__all__ = ["ObjectStoreSource", "object_row", "read_row"]

_TEXT = re.compile(r"(s3|gs|az)://([^/]*)/?(.*)", re.DOTALL)

_SAID = {
    Reason.DENIED: r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|HTTP (status )?40[13]\b"
    r"|UNAUTHENTICATED|PERMISSION_DENIED|AuthenticationFailed|Authoriz",
    Reason.NOT_FOUND: r"NO_SUCH|NOT_FOUND|No such file|ContainerNotFound|HTTP status 404\b",
    Reason.SOURCE_TIMEOUT: r"curlCode: 28|REQUEST_TIMEOUT|DEADLINE_EXCEEDED",
    Reason.UNREACHABLE: r"NETWORK_CONNECTION|curlCode|CURL error|[Cc]ould(n't| not) "
    r"(connect|resolve)",
    Reason.SERVER_ERROR: r"SLOW_DOWN|INTERNAL_FAILURE|UNAVAILABLE|THROTTLING|HTTP status [45]\d\d",
}
"""What pyarrow says, since it keeps no code; the first that is found counts."""

_PIECE = 2**20

_BROKEN = {Reason.UNREACHABLE, Reason.SOURCE_TIMEOUT, Reason.SERVER_ERROR}
"""What a store answers for every folder, once it answers so for one."""


class ObjectStoreSource:
    """All objects below a prefix, or one object.

    Listed folder by folder, a name up to a `/` being a folder: memory is that of the largest folder
    alone, about 0.5 kB an object (measured 2026-11-24), however many objects there are in all. A
    Google store is listed as one folder. An object `a` and a folder `a` may both be. A folder of
    size 0 that only marks itself (`a/`) is no row. pyarrow cannot name what has an empty part or
    one of dots (`a//b`, `a/../b`): each such folder or object is a row with reason `unreadable`.
    """

    def __init__(self, text: str, options: SourceOptions) -> None:  # noqa: ARG002 -- as all sources
        self._scheme, self._bucket, key = _parts(text)
        self._prefix = key.rstrip("/")
        # of a Google store pyarrow 25.0.1 gives no folders, only what lies in this one or in all
        self._flat = self._scheme == "gs"

    @property
    def uri(self) -> str:
        """Canonical, percent-encoded, without `/` at its end."""
        return _uri(self._scheme, self._bucket, self._prefix)

    def list(self) -> Iterator[pa.RecordBatch]:
        """Objects by name, folder by folder. Raises SourceError where the store does not answer."""
        yield from batches(self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        store = open_store(self._scheme, self._bucket)
        try:
            found = store.get_file_info(self._path(self._prefix)) if self._prefix else None
        except (OSError, ValueError) as error:
            raise self._error(_reason(error, self._prefix)) from error
        is_object = found is not None and found.is_file
        if found is not None and is_object:
            yield self._object(self._prefix, found)
        first = self._entries(self._prefix)
        if isinstance(first, Reason):
            if is_object and first is Reason.NOT_FOUND:
                return
            raise self._error(first)
        stack = [iter(first)]
        while stack:
            entry = next(stack[-1], None)
            if entry is None:
                stack.pop()
                continue
            key, info = entry
            if not _can_be_named(key):
                yield self._failed(key, Reason.UNREADABLE)
            elif info.is_file:
                yield self._object(key, info)
            elif not self._flat:
                below = self._entries(key)
                if isinstance(below, Reason):
                    if below in _BROKEN:
                        raise self._error(below)
                    yield self._failed(key, below)
                else:
                    stack.append(iter(below))

    def _entries(self, folder: str) -> Sequence[tuple[str, Any]] | Reason:
        """Keys in a folder with what is known of each, by name; an object before its folder."""
        from pyarrow import fs

        above = f"{folder}/" if folder else ""
        try:
            store = open_store(self._scheme, self._bucket)
            found = store.get_file_info(fs.FileSelector(self._path(folder), recursive=self._flat))
        except (OSError, ValueError) as error:
            return _reason(error, above)
        start = len(f"{self._bucket}/{above}")
        keys = [(above + (i.path[start:] or "/"), i) for i in found]  # a folder without a name
        return sorted(keys, key=lambda item: (item[0], not item[1].is_file))

    def _path(self, key: str) -> str:
        return f"{self._bucket}/{key}" if key else self._bucket

    def _object(self, key: str, info: Any) -> dict[str, Any]:
        uri = _uri(self._scheme, self._bucket, key)
        return _row(uri, size=info.size, mtime_ns=info.mtime_ns, reason=None)

    def _failed(self, key: str, reason: Reason) -> dict[str, Any]:
        return _row(_uri(self._scheme, self._bucket, key), reason=reason)

    def _error(self, reason: Reason) -> SourceError:
        return SourceError(
            f"{self.uri} cannot be listed: {reason.meaning} Check its name, and what the "
            f"environment says of {NAMES[self._scheme]}."
        )


def object_row(text: str) -> dict[str, Any]:
    """The LISTING row of one object, named as in a source's text. Raises SourceError."""
    scheme, bucket, key = _parts(text)
    if not key:
        raise SourceError(f"{scheme}://{bucket} names no object: it must be {scheme}://BUCKET/KEY.")
    return _row(_uri(scheme, bucket, key), reason=None)


def read_row(
    row: Mapping[str, Any],
    limits: Limits,
    allow_private: bool = False,  # noqa: ARG001  the user's environment names the server
) -> bytes | Reason:
    """The bytes of an object, or why there are none. At most the limit and a byte are read."""
    try:
        scheme, bucket, key = _parts(row["uri"])
        key = unquote(key, errors="strict")
    except (SourceError, UnicodeDecodeError):
        return Reason.UNREADABLE
    if not key or not _can_be_named(key):
        return Reason.UNREADABLE
    try:
        store = open_store(scheme, bucket)
    except SourceError:  # of a table with many stores one that is not set up is no end of the run
        return Reason.UNREACHABLE
    read = _read_stream if scheme == "gs" else _read_file
    try:
        return read(store, f"{bucket}/{key}", limits.max_bytes)
    except (OSError, ValueError) as error:  # pyarrow raises ValueError for some names
        return _reason(error, key)


def _read_file(store: Any, path: str, max_bytes: int) -> bytes | Reason:
    """Two requests: how much, and all of it."""
    with store.open_input_file(path) as file:
        size = file.size()
        if size > max_bytes:
            return Reason.TOO_LARGE_FILE
        data: bytes = file.read(size)
    return data if len(data) == size else Reason.TRUNCATED


def _read_stream(store: Any, path: str, max_bytes: int) -> bytes | Reason:
    """One request. Reading a Google store's file stalled for 240 s (pyarrow 25.0.1, 2026-11-24)."""
    data = io.BytesIO()
    with store.open_input_stream(path) as file:
        while piece := file.read(min(_PIECE, max_bytes + 1 - data.tell())):
            data.write(piece)
    return data.getvalue() if data.tell() <= max_bytes else Reason.TOO_LARGE_FILE


def _parts(text: str) -> tuple[str, str, str]:
    """Scheme, bucket and key. What has a user or password is refused, and not repeated."""
    match = _TEXT.fullmatch(text)
    if match is None or not re.fullmatch(r"[A-Za-z0-9$][A-Za-z0-9._$-]*", match[2]):
        raise SourceError(
            "An object store must be s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/"
            "PREFIX, without user or password: those come from the environment."
        )
    return match[1], match[2], match[3]


def _can_be_named(key: str) -> bool:
    """Whether pyarrow asks for this object, and not for another one.

    Its requests for names with parts of dots were seen to reach other objects (25.0.1, 2026-11-24).
    """
    return not {"", ".", ".."} & set(key.split("/"))


def _uri(scheme: str, bucket: str, key: str) -> str:
    return f"{scheme}://{bucket}/{quote(key, safe='/~')}" if key else f"{scheme}://{bucket}"


def _row(uri: str, **more: Any) -> dict[str, Any]:
    return {"row_id": row_id(uri), "uri": uri, "member": "", "frame": 0, **more}


def _reason(error: Exception, key: str) -> Reason:
    if isinstance(error, FileNotFoundError):
        return Reason.NOT_FOUND
    if isinstance(error, PermissionError):
        return Reason.DENIED
    text = str(error).replace(f"'{key}'", "")  # a name may hold any of the words
    return next((why for why, said in _SAID.items() if re.search(said, text)), Reason.UNREADABLE)
