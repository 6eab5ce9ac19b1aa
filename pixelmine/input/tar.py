"""A tar, plain or compressed: its files are members, read again where they lie.

WebDataset (https://github.com/webdataset/webdataset) puts what is known of a picture beside it, as
files of the same stem: `.cls` is its label, `.txt` and the fields of `.json` are its `meta`. They
must follow one another in the archive, as that format asks.
"""

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import file_uri

from .files import decompressed, open_regular
from .rows import Row, member_name, row
from .sidecars import ENDINGS, MAX_BYTES, Member, with_sidecars
from .source import SourceOptions

__all__ = ["TarSource"]

_BLOCK = 512
_MAX_HEADER = 2**20
"""Bytes of one header, long names included: a file cannot ask for more memory than this."""
_PIECE = 2**20


@dataclass(frozen=True)
class TarSource:
    """The regular files of a tar. `path`: absolute.

    A compressed one cannot be read again in the middle, so its rows carry their bytes. Where the
    archive breaks off, the members before come first, then a row of the archive itself says why.
    """

    path: Path
    options: SourceOptions

    @property
    def uri(self) -> str:
        """Of the archive."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the archive lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """In the order of the archive; links, folders and devices are left out."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        place = row(self.uri, size=found.st_size, mtime_ns=found.st_mtime_ns)
        with file, decompressed(file) as inner:
            reader = _Reader(_Stream(inner, inner is file), place)
            yield from with_sidecars(reader.members(), self.options.labels)
            if reader.reason is not None:
                yield {**place, "reason": reader.reason}


class _Reader:
    """`reason`, when all members were given: why there are no more; None at a proper end."""

    def __init__(self, stream: "_Stream", place: Row) -> None:
        self._stream, self._place = stream, place
        self._end = place["size"] if stream.plain else None
        self.reason: Reason | None = None

    def members(self) -> Iterator[Member]:
        try:
            yield from self._members()
        except EOFError:
            self.reason = Reason.TRUNCATED
        except (tarfile.TarError, zlib.error, lzma.LZMAError, ValueError, OverflowError):
            self.reason = self._stream.why()
        except OSError as error:  # a disk that fails has a number; a decompressor has none
            self.reason = Reason.CORRUPT if error.errno is None else Reason.UNREADABLE

    def _members(self) -> Iterator[Member]:
        archive = tarfile.TarFile(
            fileobj=cast(Any, self._stream), encoding="utf-8", errors="surrogateescape"
        )
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined] # it would keep all of them
            if info.size < 0:  # it would lead back, and round and round
                self.reason = Reason.CORRUPT
                return
            if self._end is not None and info.offset_data + info.size > self._end:
                self.reason = Reason.TRUNCATED
                return
            if info.isreg():
                yield self._member(info)
            self._stream.seek(archive.offset)
        self.reason = self._stream.end()

    def _member(self, info: tarfile.TarInfo) -> Member:
        name, stream = member_name(info.name), self._stream
        more: Row = {"member": name, "size": info.size}
        note = None
        if info.sparse is not None:
            more["reason"] = Reason.UNSUPPORTED_FORMAT
        elif stream.plain:
            more |= {"offset": info.offset_data, "length": info.size}
        elif info.size > Limits().max_bytes:
            more["reason"] = Reason.TOO_LARGE_FILE
        else:
            stream.seek(info.offset_data)
            more["data"] = stream.take(info.size)
        if name.endswith(ENDINGS) and info.size <= MAX_BYTES and "reason" not in more:
            note = more.get("data")
            if note is None:
                stream.seek(info.offset_data)
                note = stream.take(info.size)
        return Member(name, {**self._place, **more}, note)


class _Stream:
    """What tarfile reads from: forward only, and never much at once."""

    def __init__(self, file: BinaryIO, plain: bool) -> None:
        self._file, self.plain = file, plain
        self._at = 0
        self._last = b""
        self._wanted = 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        """A header, or part of one."""
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError("a header is too long")
        self._last, self._wanted = self._file.read(size), size
        self._at += len(self._last)
        return self._last

    def seek(self, position: int) -> None:
        if self.plain:
            self._file.seek(position)
        elif position < self._at:
            raise tarfile.ReadError("a header leads back")
        else:
            left = position - self._at
            while left and (piece := self._file.read(min(left, _PIECE))):
                left -= len(piece)
            if left:
                raise EOFError
        self._at = position

    def take(self, size: int) -> bytes:
        """All of a member's bytes."""
        pieces, left = [], size
        while left and (piece := self._file.read(min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
        self._at += size - left
        if left:
            raise EOFError
        return b"".join(pieces)

    def why(self) -> Reason:
        """Why a header could not be read."""
        short = len(self._last) < self._wanted
        return Reason.TRUNCATED if short else Reason.CORRUPT

    def end(self) -> Reason | None:
        """Whether the last header is the block of zeros that ends an archive."""
        if len(self._last) < _BLOCK:
            return Reason.TRUNCATED
        return Reason.CORRUPT if any(self._last) else None
