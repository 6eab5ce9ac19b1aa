"""What a file is, by its first bytes: a name alone says nothing.

Text has no mark of its own, so there the ending has a say as well.
"""

import io
import lzma
import re
import tarfile
import zlib
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from pixelmine.core import Reason

from .files import compression, decompressed, open_regular

__all__ = ["KINDS", "kind_of"]

KINDS = ("tar", "zip", "npz", "parquet", "arrow", "idx", "csv", "jsonl", "lines", "picture")
"""`lines`: a text with one URL a line. `picture`: everything else, whatever it is."""

_HEAD = 4096
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_URL = re.compile(rb"(https?|s3|gs|az|file)://\S+\s*$")


def kind_of(path: Path) -> str:
    """One of KINDS. What cannot be opened is a `picture`: reading it gives the reason."""
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return "picture"
    with opened[0] as file:
        try:
            head = file.read(_HEAD)
            if compression(head) is None:
                return _kind(head, path.suffix.lower())
            file.seek(0)
            with decompressed(file) as inner:
                return _packed_kind(_head(inner), path)
        except OSError:
            return "picture"


def _head(inner: BinaryIO) -> bytes:
    """What comes out first, also of a file that was cut off or damaged behind it."""
    head = b""
    try:
        while len(head) < _HEAD and (more := cast(io.BufferedReader, inner).read1(_HEAD)):
            head += more
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass
    return head


def _packed_kind(head: bytes, path: Path) -> str:
    kind = _kind(head, _ending(path))
    return kind if kind in ("tar", "idx", "csv", "jsonl", "lines") else "picture"


def _ending(path: Path) -> str:
    """Of what is packed: `.csv` of `a.csv.gz`, `.tar` of `a.tgz`."""
    suffix = path.suffix.lower()
    if suffix in (".tgz", ".tbz2", ".txz", ".tzst"):
        return ".tar"
    return PurePath(path.stem).suffix.lower() if suffix in _PACKED else suffix


def _kind(head: bytes, ending: str) -> str:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return "npz" if name.endswith(b".npy") else "zip"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1\x00\x00") or _is_arrow_stream(head):
        return "arrow"
    if head[:3] == b"\x00\x00\x08" and 1 <= int.from_bytes(head[3:4], "big") <= 8:
        return "idx"
    if _is_tar(head, ending):
        return "tar"
    return _text_kind(head, ending)


def _is_arrow_stream(head: bytes) -> bool:
    """A message starts with a mark and its length, a multiple of 8 (Arrow's columnar format)."""
    length = int.from_bytes(head[4:8], "little")
    return head[:4] == b"\xff" * 4 and length % 8 == 0 and 0 < length < 2**28


def _is_tar(head: bytes, ending: str) -> bool:
    if head[257:262] == b"ustar":
        return True
    if not any(head[:512]):  # an empty archive, or a file of zeros
        return ending == ".tar" and len(head) >= 512
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def _text_kind(head: bytes, ending: str) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text or b"\x00" in head:
        return "picture"
    if _URL.match(text.split(b"\n", 1)[0]):
        return "lines"
    if ending in (".jsonl", ".ndjson", ".json") and text.startswith(b"{"):
        return "jsonl"
    if ending in (".csv", ".tsv") and _is_text(head):
        return "csv"
    return "picture"


def _is_text(head: bytes) -> bool:
    """Whether the bytes are those of a text: no control characters but white space."""
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
