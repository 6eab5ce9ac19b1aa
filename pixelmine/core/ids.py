"""Names that are computed, never given: the same bytes have the same id everywhere.

A digest over several values hashes each one behind its length, so that no two lists of values
share a digest by running into each other.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np

__all__ = [
    "array_bytes",
    "canonical_uri",
    "content_id",
    "digest",
    "digest_json",
    "file_uri",
    "picture_id",
    "row_id",
    "uri_path",
]


def digest(*values: str | bytes) -> str:
    """SHA-256 of the values in order, as 64 hexadecimal digits."""
    sha = hashlib.sha256()
    for value in values:
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.hexdigest()


def digest_json(value: Mapping[str, Any] | Iterable[Any]) -> str:
    """SHA-256 of a JSON value in its canonical form (sorted keys, no blanks)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def content_id(data: bytes | memoryview) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def array_bytes(pixels: np.ndarray) -> bytes:
    """The bytes that stand for an array: `dtype|shape|C-order data`."""
    shape = "x".join(map(str, pixels.shape))
    return f"{pixels.dtype.str}|{shape}|".encode() + np.ascontiguousarray(pixels).tobytes()


def picture_id(content: str, frame: int) -> str:
    """Names what is seen: the same bytes and frame are the same picture wherever they lie."""
    return digest(content, str(frame))


def row_id(uri: str, member: str = "", frame: int = 0) -> str:
    """Names a place: one row for each picture seen."""
    return digest(uri, member, str(frame))


def file_uri(path: str | Path) -> str:
    """Absolute `file://` URI of a path, without `.` and `..`; symbolic links are kept as they are.

    Bytes of a name that are not UTF-8 survive as percent escapes.
    """
    absolute = os.path.abspath(path)
    return "file://" + quote(absolute.encode("utf-8", "surrogateescape"), safe="/~")


def uri_path(uri: str) -> Path:
    """The path behind a `file://` URI. Raises ValueError for any other scheme."""
    from urllib.parse import unquote_to_bytes

    if not uri.startswith("file://"):
        raise ValueError(f"must be a file:// URI. Got {uri!r} instead.")
    return Path(unquote_to_bytes(uri[len("file://") :]).decode("utf-8", "surrogateescape"))


def canonical_uri(uri: str) -> str:
    """A URI without user, password, query or fragment, its scheme and host in lower case."""
    parts = urlsplit(uri)
    host = f"[{name}]" if ":" in (name := parts.hostname or "") else name
    host += f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme.lower(), host, parts.path, "", ""))
