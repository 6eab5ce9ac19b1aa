"""A zip: its files are members, each unpacked when it is read."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import file_uri

from .files import open_regular, reason_of
from .held import Held, file_key
from .rows import Places, Row, member_name, row
from .source import SourceOptions

__all__ = ["DAMAGE", "ZipSource", "open_zip", "read_member"]

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ENCRYPTED = 0x1
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(ValueError, OverflowError, RuntimeError),
)
"""What zipfile raises for an archive that contradicts itself."""


@dataclass(frozen=True)
class ZipSource:
    """The files of a zip. `path`: absolute. A zip without a directory is a row with a reason."""

    path: Path
    options: SourceOptions

    def __post_init__(self) -> None:
        self.options.labels.refuse_columns()

    @property
    def uri(self) -> str:
        """Of the archive."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the archive lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """In the order of the archive's directory; links and folders are left out."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        place = row(self.uri, size=found.st_size, mtime_ns=found.st_mtime_ns)
        with file:
            archive = open_zip(file)
            if isinstance(archive, Reason):
                yield {**place, "reason": archive}
                return
            with archive:
                for info in filter(_is_file, archive.infolist()):
                    name = member_name(info.filename)
                    yield {**place, "member": name, "size": info.file_size, "reason": _closed(info)}


def open_zip(file: object) -> zipfile.ZipFile | Reason:
    """The archive in a path or open file; the reason where its directory cannot be read."""
    try:
        return zipfile.ZipFile(file)  # type: ignore[call-overload, no-any-return]  # it reads
    except zipfile.BadZipFile as error:
        whole = "not a zip file" not in str(error)  # there is no directory at its end
        return Reason.CORRUPT if whole else Reason.TRUNCATED
    except NotImplementedError:  # zipfile: a version that it does not know
        return Reason.UNSUPPORTED_FORMAT
    except DAMAGE:
        return Reason.CORRUPT
    except OSError as error:
        return reason_of(error)


def read_member(path: Path, member: str, limits: Limits) -> bytes | Reason:
    """One member's bytes. At most `max_bytes` are unpacked, whatever the archive claims."""
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    opened[0].close()
    held = _HELD.get(file_key(path, opened[1]), lambda: _open(path))
    return held if isinstance(held, Reason) else held.read(member, limits)


class _Archive:
    """An open zip that threads share. zipfile counts its readers without a lock of its own."""

    def __init__(self, archive: zipfile.ZipFile, uri: str) -> None:
        self._archive, self._lock = archive, Lock()
        places = Places()
        files = filter(_is_file, archive.infolist())
        self._infos = {places.member(uri, member_name(info.filename)): info for info in files}

    def read(self, member: str, limits: Limits) -> bytes | Reason:
        info = self._infos.get(member)
        if info is None:
            return Reason.NOT_FOUND
        if (reason := _closed(info)) is not None:
            return reason
        if info.file_size > limits.max_bytes:
            return Reason.TOO_LARGE_FILE
        try:
            return self._unpack(info, limits)
        except EOFError:
            return Reason.TRUNCATED
        except NotImplementedError:  # zipfile: a way of packing that it does not know
            return Reason.UNSUPPORTED_FORMAT
        except DAMAGE:
            return Reason.CORRUPT
        except OSError as error:
            return reason_of(error) if error.errno is not None else Reason.CORRUPT

    def _unpack(self, info: zipfile.ZipInfo, limits: Limits) -> bytes | Reason:
        with self._lock:
            file = self._archive.open(info)
        try:
            data = file.read(limits.max_bytes + 1)
        finally:
            with self._lock:
                file.close()
        if len(data) < info.file_size:
            return Reason.TRUNCATED
        return data if len(data) <= limits.max_bytes else Reason.TOO_LARGE_FILE


def _open(path: Path) -> _Archive | Reason:
    archive = open_zip(path)
    return archive if isinstance(archive, Reason) else _Archive(archive, file_uri(path))


def _is_file(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return not info.filename.endswith("/") and kind in (0, stat.S_IFREG)


def _closed(info: zipfile.ZipInfo) -> Reason | None:
    """Why a member cannot be unpacked, as far as the directory says."""
    if info.flag_bits & _ENCRYPTED:
        return Reason.DENIED
    return None if info.compress_type in _METHODS else Reason.UNSUPPORTED_FORMAT


_HELD: Held[_Archive | Reason] = Held(8)
