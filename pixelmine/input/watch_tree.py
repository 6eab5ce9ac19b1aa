"""The folders below a watched one, and which of their files have been given already."""

import os
import stat
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pixelmine.core import Reason
from pixelmine.core.errors import SourceError

from .files import reason_of

__all__ = ["Given", "Seen", "State", "Tree", "is_unfinished", "state_of"]

_UNFINISHED = (".tmp", ".part", ".crdownload")
_TICK_NS = 2 * 10**9
"""File systems keep times in steps, FAT's of two seconds: within one a folder can change again
without another time."""

_Key = tuple[int, int]


class State(NamedTuple):
    """What tells whether a file changed; `reason`: why it cannot be looked at."""

    size: int
    mtime_ns: int
    reason: Reason | None
    changed_ns: int
    """Time of the last change of any kind, which no program can set back."""

    @property
    def mark(self) -> int:
        """64 bits of size, time and reason, in this process; never 0."""
        return hash((self.size, self.mtime_ns, self.reason)) or 1


class Seen(NamedTuple):
    """A file that is new or changed. `key`: 64 bits of its path and inode, in this process."""

    path: str
    key: int
    state: State


def is_unfinished(name: str) -> bool:
    """Whether programs so name what they are writing: `.x`, `x.tmp`, `x.part`, `x.crdownload`."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def state_of(path: str) -> State | None:
    """Of a regular file, links followed, or of what cannot be looked at.

    None for nothing, a pipe, a device, and a folder that can be listed.
    """
    try:
        found = os.stat(path)  # noqa: PTH116  a Path for each of a million files is slow
        if stat.S_ISDIR(found.st_mode):
            os.scandir(path).close()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not Path(path).is_symlink():
            return None
        return State(0, 0, reason_of(error), time.time_ns())
    if not stat.S_ISREG(found.st_mode):
        return None
    return State(found.st_size, found.st_mtime_ns, None, found.st_ctime_ns)


class Given:
    """The mark that each file had when it was given: 16 bytes a file, the last ones in a dict."""

    def __init__(self) -> None:
        self._keys, self._marks = np.empty(0, np.int64), np.empty(0, np.int64)
        self._recent: dict[int, int] = {}

    def put(self, key: int, mark: int) -> None:
        """Note that a file is given."""
        self._recent[key] = mark
        if len(self._recent) > max(2**14, len(self._keys) // 8):
            self._merge()

    def marks(self, keys: list[int]) -> list[int]:
        """Of N files; 0 for one that was never given."""
        marks = [0] * len(keys)
        if len(self._keys):
            wanted = np.array(keys, np.int64)
            at = np.searchsorted(self._keys, wanted).clip(max=len(self._keys) - 1)
            marks = np.where(self._keys[at] == wanted, self._marks[at], 0).tolist()
        if not self._recent:
            return marks
        return [self._recent.get(key, mark) for key, mark in zip(keys, marks, strict=True)]

    def keep(self, keys: "array[int]") -> None:
        """Forget all files but these: the others are gone."""
        self._merge()
        here = np.isin(self._keys, np.array(keys, np.int64))
        self._keys, self._marks = self._keys[here], self._marks[here]

    def _merge(self) -> None:
        recent = np.array([*self._recent.items()], np.int64).reshape(-1, 2)
        stale = np.isin(self._keys, recent[:, 0])
        keys = np.concatenate([self._keys[~stale], recent[:, 0]])
        marks = np.concatenate([self._marks[~stale], recent[:, 1]])
        order = np.argsort(keys)
        self._keys, self._marks, self._recent = keys[order], marks[order], {}


@dataclass
class _Folder:
    key: _Key
    stamp: int


class Tree:
    """Folders below `root`, found as they appear; each is read again only when its time changed.

    Links to folders are followed unless that folder was entered before, which ends loops. Names of
    what is unfinished, and the absolute paths of `leave_out`, are passed over, files and folders.
    """

    def __init__(self, root: Path, leave_out: frozenset[str]) -> None:
        self.root, self._leave_out = str(root), leave_out
        self.given = Given()
        self._folders: dict[str, _Folder] = {}
        self._present = array("q")

    def sweep(self) -> Iterator[Seen]:
        """Look at every file; what is new or changed. Afterwards what is gone is forgotten."""
        self._present, self._folders = array("q"), {}
        yield from self._visit(self.root)
        self.given.keep(self._present)

    def changes(self) -> Iterator[Seen]:
        """What appeared in folders whose time changed: new names, and names of other inodes.

        A file that is written again in place does not change its folder: `sweep` finds it.
        """
        for path, folder in list(self._folders.items()):
            try:
                changed = Path(path).stat().st_mtime_ns != folder.stamp
            except OSError:
                if path == self.root:
                    raise self._lost() from None
                self._folders.pop(path, None)
                continue
            if changed:
                yield from self._visit(path)

    def _visit(self, start: str) -> Iterator[Seen]:
        """A folder and those below it that are not known yet, depth first by a stack of our own."""
        stack = [iter([start])]
        while stack:
            folder = next(stack[-1], None)
            if folder is None:
                stack.pop()
                continue
            below: list[str] = []
            yield from self._look(folder, below)
            stack.append(iter(below))

    def _look(self, folder: str, below: list[str]) -> Iterator[Seen]:
        """The files of a folder: each where it was not known yet, else those with a new name."""
        try:
            found = Path(folder).stat()
            key = (found.st_dev, found.st_ino)
            if Path(folder).is_symlink() and self._was_entered(folder, key):
                return
            with os.scandir(folder) as entries:
                here = sorted((e for e in entries if not self._passed_over(e)), key=_name)
        except OSError as error:
            yield from self._unlisted(folder, error)
            return
        whole = folder not in self._folders
        settled = time.time_ns() - found.st_mtime_ns > _TICK_NS
        self._folders[folder] = _Folder(key, found.st_mtime_ns if settled else -1)
        below += (e.path for e in here if _is_folder(e) and e.path not in self._folders)
        files = [(e.path, hash((e.path, e.inode()))) for e in here if not _is_folder(e)]
        yield from self._new(files, whole)

    def _was_entered(self, path: str, key: _Key) -> bool:
        return path not in self._folders and key in {f.key for f in self._folders.values()}

    def _new(self, files: list[tuple[str, int]], whole: bool) -> Iterator[Seen]:
        marks = self.given.marks([key for _, key in files])
        for (path, key), mark in zip(files, marks, strict=True):
            if whole or not mark:
                self._present.append(key)
                state = state_of(path)
                if state is None or state.mark == mark:
                    continue
                if self.given.marks([key]) != [state.mark]:  # since `marks` it may have been given
                    yield Seen(path, key, state)

    def _unlisted(self, folder: str, error: OSError) -> Iterator[Seen]:
        """A folder that cannot be listed is a row with its reason; one that is gone is nothing."""
        self._folders.pop(folder, None)
        if folder == self.root:
            raise self._lost() from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return
        key, state = hash((folder, None)), State(0, 0, reason_of(error), 0)
        self._present.append(key)
        if self.given.marks([key]) != [state.mark]:
            yield Seen(folder, key, state)

    def _passed_over(self, entry: "os.DirEntry[str]") -> bool:
        return is_unfinished(entry.name) or entry.path in self._leave_out

    def _lost(self) -> SourceError:
        return SourceError(f"The watched folder {self.root} cannot be read any more.")


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
