"""A folder, or one file: every regular file in it is a row."""

import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa

from pixelmine.core import Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import file_uri, row_id

from .files import reason_of
from .rows import BATCH, Row, batches, row
from .source import SourceOptions

__all__ = ["Describe", "FolderSource", "list_folder"]

_BATCH = BATCH


Describe = Callable[[Path], dict[str, object]]
"""Gives `label`, `group` and `meta` of a file, as far as something is known about it."""


def list_folder(
    path: Path, describe: Describe | None = None, leave_out: Collection[Path] = ()
) -> Iterator[pa.RecordBatch]:
    """List files below a path as LISTING rows, folder by folder in sorted order.

    Links to files are followed and keep their own name; a link to a folder is followed unless that
    folder was entered before, which ends loops and keeps links from multiplying each other. A
    folder that cannot be listed is a row with its reason. Sockets, pipes and devices are left out:
    only a regular file has bytes to read; so are the absolute paths of `leave_out`, files or
    folders that are not of the source. Raises SourceError where the path itself is missing or
    cannot be listed.
    """
    path = Path(os.path.abspath(path))
    rows = (_row(entry, describe) for entry in _walk(path, leave_out))
    return batches(rows, _BATCH)


@dataclass(frozen=True)
class FolderSource:
    """The files below an absolute path, or the one file that it is. See `list_folder`.

    `below`: the folder that labels are told from, where it is not the path itself.
    """

    path: Path
    options: SourceOptions
    below: Path | None = None

    def __post_init__(self) -> None:
        self.options.labels.refuse_columns()

    @property
    def uri(self) -> str:
        """Of the folder or file."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder, or the one that the file lies in."""
        return self.below or (self.path if self.path.is_dir() else self.path.parent)

    def rows(self) -> Iterator[Row]:
        """Folder by folder, in sorted order."""
        for entry in _walk(self.path, self.options.leave_out):
            yield _row(entry, None)


class _Entry:
    def __init__(self, path: str, found: os.stat_result | None, reason: Reason | None) -> None:
        self.path, self.found, self.reason = path, found, reason


def _walk(path: Path, leave_out: Collection[Path]) -> Iterator[_Entry]:
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            yield _Entry(str(path), found, None)
            return
        if not stat.S_ISDIR(found.st_mode):
            raise SourceError(f"{path} is neither a file nor a folder.")
        os.scandir(path).close()
    except FileNotFoundError as error:
        raise SourceError(f"There is no file or folder at {path}.") from error
    except PermissionError as error:
        raise SourceError(f"{path} cannot be read: permission denied.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
    yield from _walk_below(str(path), (found.st_dev, found.st_ino), frozenset(map(str, leave_out)))


def _walk_below(root: str, key: tuple[int, int], leave_out: frozenset[str]) -> Iterator[_Entry]:
    """Depth first, by a stack of our own: folders may lie deeper than Python's calls may."""
    above, entered, stack = {key}, {key}, [(key, _entries(root))]
    while stack:
        entry = next(stack[-1][1], None)
        if entry is None:
            above.remove(stack.pop()[0])
        elif entry.path in leave_out:
            continue
        elif entry.found is None or stat.S_ISREG(entry.found.st_mode):
            yield entry
        elif stat.S_ISDIR(entry.found.st_mode):
            key = (entry.found.st_dev, entry.found.st_ino)
            if key in above or (key in entered and Path(entry.path).is_symlink()):
                continue
            above.add(key)
            entered.add(key)
            stack.append((key, _entries(entry.path)))


def _entries(folder: str) -> Iterator[_Entry]:
    """What lies in a folder, sorted by name; the folder itself where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        yield _Entry(folder, None, reason_of(error))
        return
    for path in (os.path.join(folder, name) for name in names):  # noqa: PTH118  as below
        try:
            yield _Entry(path, os.stat(path), None)  # noqa: PTH116  a Path takes 2.5 times as long
        except OSError as error:
            yield _Entry(path, None, reason_of(error))


def _row(entry: _Entry, describe: Describe | None) -> Row:
    uri = file_uri(entry.path)
    return row(
        uri,
        row_id=row_id(uri),
        size=entry.found.st_size if entry.found else None,
        mtime_ns=entry.found.st_mtime_ns if entry.found else None,
        reason=entry.reason,
        **cast(Row, describe(Path(entry.path)) if describe else {}),
    )
