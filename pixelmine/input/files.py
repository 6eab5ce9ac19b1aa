"""Regular files, opened with care: a pipe would never end, a compressed one may never."""

import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, cast

from pixelmine.core import Reason

__all__ = ["Opened", "compression", "decompressed", "open_descriptor", "open_regular", "reason_of"]

Opened = tuple[BinaryIO, os.stat_result]

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def open_regular(path: Path) -> Opened | Reason:
    """Open a regular file to read; the reason where that cannot be."""
    opened = open_descriptor(path)
    return opened if isinstance(opened, Reason) else (os.fdopen(opened[0], "rb"), opened[1])


def open_descriptor(path: Path) -> tuple[int, os.stat_result] | Reason:
    """Open a regular file to read, as the number that the system gives it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        return reason_of(error)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):  # fdopen would raise for a folder
        os.close(handle)
        return Reason.UNREADABLE
    return handle, found


def reason_of(error: Exception) -> Reason:
    """Why a file could not be opened."""
    if isinstance(error, PermissionError):
        return Reason.DENIED
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Reason.NOT_FOUND
    return Reason.UNREADABLE


def compression(head: bytes) -> str | None:
    """`gzip`, `bz2`, `xz` or `zstd` by a file's first bytes; None: none of these."""
    return next((name for start, name in _COMPRESSED.items() if head.startswith(start)), None)


def decompressed(file: BinaryIO) -> BinaryIO:
    """The file itself, or what is packed in it, to read once from its beginning to its end.

    Damage shows while reading, as EOFError, OSError, zlib.error or lzma.LZMAError.
    """
    head = file.read(8)
    file.seek(0)
    name = compression(head)
    if name == "gzip":
        import gzip

        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if name == "bz2":
        import bz2

        return cast(BinaryIO, bz2.BZ2File(file))
    if name == "xz":
        import lzma

        return cast(BinaryIO, lzma.LZMAFile(file))
    if name == "zstd":
        import pyarrow as pa

        raw = pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")
        return io.BufferedReader(cast(io.RawIOBase, _Readable(raw)))
    return file


class _Readable(io.RawIOBase):
    """A stream of pyarrow as a stream of Python."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
