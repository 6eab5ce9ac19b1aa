"""What a table's cell says about where a picture is: bytes, a path or an address."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import file_uri, uri_path

from .files import reason_of
from .http import url_row
from .object_store import object_row
from .rows import Row, readable, row

__all__ = ["REMOTE", "cell_row"]

REMOTE = ("http", "https", "s3", "gs", "az")
"""Schemes of the addresses that a table may name."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DATA = re.compile(r"data:[\w/.+-]*;base64,", re.ASCII)
_SHORTEST = 64
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*", b"BM")


def cell_row(value: object, place: Row, folder: Path) -> Row:
    """The row of the picture that one cell names; nothing but the local file's status is asked.

    `place`: the row of the cell itself, taken where the cell holds the bytes or something that is
    none of these: bytes; base64 text or a `data:` address; `{"bytes", "path"}`; a path, relative to
    `folder`; an address. A null or empty cell is `empty`, one that makes no sense `corrupt`.
    """
    if isinstance(value, Mapping):
        return _struct_row(value, place, folder)
    if value is None or value == "" or value == b"":
        return {**place, "reason": Reason.EMPTY}
    if isinstance(value, bytes | bytearray | memoryview):
        return _data_row(bytes(value), place)
    if not isinstance(value, str):
        return {**place, "reason": Reason.CORRUPT}
    if (data := _unpacked(value)) is not None:
        return _data_row(data, place)
    return _text_row(value.strip(), place, folder)


def _struct_row(value: Mapping[Any, Any], place: Row, folder: Path) -> Row:
    """As Hugging Face has pictures: `bytes`, or `path` where those are null."""
    inner = value.get("bytes")
    if inner is None:
        return cell_row(value.get("path"), place, folder)
    if isinstance(inner, str):
        try:
            inner = base64.b64decode(inner, validate=True)
        except (binascii.Error, ValueError):
            return {**place, "reason": Reason.CORRUPT}
    return cell_row(inner, place, folder)


def _data_row(data: bytes, place: Row) -> Row:
    if len(data) > Limits().max_bytes:
        return {**place, "size": len(data), "reason": Reason.TOO_LARGE_FILE}
    return {**place, "size": len(data), "data": data}


def _text_row(text: str, place: Row, folder: Path) -> Row:
    scheme = _SCHEME.match(text)
    try:
        if scheme is None:
            return _file_row(folder / text)
        name = scheme[1].lower()
        if name in ("http", "https"):
            return _address_row(url_row(readable(text)), place)
        if name in REMOTE:
            return _address_row(object_row(readable(text)), place)
        if name == "file":
            return _file_row(uri_path("file" + text[len("file") :]))
    except (SourceError, ValueError):
        return {**place, "reason": Reason.CORRUPT}
    return {**place, "reason": Reason.UNREADABLE}


def _address_row(found: Row, place: Row) -> Row:
    """Without its id: the same address may come again in the table."""
    if found.get("reason") is not None:
        return {**place, "reason": found["reason"]}
    return {name: value for name, value in found.items() if name != "row_id"}


def _file_row(path: Path) -> Row:
    path = Path(os.path.abspath(path))
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        return row(file_uri(path), reason=reason_of(error))
    reason = None if path.is_file() else Reason.UNREADABLE
    return row(file_uri(path), size=found.st_size, mtime_ns=found.st_mtime_ns, reason=reason)


def _unpacked(text: str) -> bytes | None:
    """The bytes behind base64; None for another text.

    Without a mark a text is taken for base64 only where a picture comes out: a digest that names a
    file is written in the same letters.
    """
    marked = _DATA.match(text)
    body = text[marked.end() :] if marked else text
    if not marked and len(body) < _SHORTEST:
        return None
    try:
        head = base64.b64decode(body[:_SHORTEST], validate=True)
        if marked or head.startswith(_STARTS) or head[4:8] == b"ftyp":
            return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        pass
    return None
