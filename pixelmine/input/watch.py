"""A folder that is watched: its files, and then those that are new or changed, as they settle."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import file_uri, row_id, uri_path
from pixelmine.core.schema import LISTING

from .labels import FOLDERS, CsvLabels, FolderLabels
from .rows import BATCH, Row, row
from .source import SourceOptions
from .watch_tree import Seen, State, Tree, state_of

__all__ = ["Done", "WatchFeed"]

Done = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Takes LISTING rows and gives back those that are not done yet, by row_id, size and mtime_ns."""

_OLD_NS = 60 * 10**9
"""A file that was changed in no way for so long needs no watching; a file server's clock may be off
by less."""

_MOST_PENDING = 100_000
"""Files that are watched at once (30 MB): the others are found when these have settled."""


@dataclass
class _Pending:
    """A file that may still be written; `since`: when it was first seen as it is."""

    key: int
    mark: int
    since: float


class WatchFeed:
    """The files below a folder, as LISTING rows like those of a plain listing, without an end.

    A file is given when its size and time have stayed the same for `settle_s` seconds, or did so
    for a minute before it was found; given again when they change, or another file takes its name.
    Files and folders whose name begins with `.` or ends in `.tmp`, `.part` or `.crdownload` are
    passed over: so do programs name what they are writing. What cannot be looked at is a row with
    its reason.

    Folders are asked for their time every `poll_s` seconds, and only changed ones are read. All
    files are looked at every `rescan_s` seconds, or in a tenth of the time where that takes longer:
    then a file written again in place is found. `done`: leaves out what was done in an earlier run;
    without it all files are given once. Nothing is kept of what was pulled: `acknowledge` does
    nothing, and a new feed gives what `done` does not know. Raises SourceError where the folder is
    missing, or is lost later.
    """

    def __init__(
        self,
        folder: str | Path,
        options: SourceOptions,
        *,
        done: Done | None = None,
        settle_s: float = 2.0,
        poll_s: float = 1.0,
        rescan_s: float = 30.0,
    ) -> None:
        for name, value in (("settle_s", settle_s), ("poll_s", poll_s), ("rescan_s", rescan_s)):
            check_positive(name, value)
        local = str(folder).lower().startswith("file://")
        self._root = Path(os.path.abspath(uri_path(str(folder)) if local else folder))
        if not self._root.is_dir():
            raise SourceError(f"There is no folder at {self._root} to watch.")
        self._labels = _Labels(self._root, options)
        self._tree = Tree(self._root, frozenset(map(str, options.leave_out)))
        self._done, self._settle_s, self._poll_s, self._rescan_s = done, settle_s, poll_s, rescan_s
        self._pending: dict[str, _Pending] = {}
        self._ready: deque[tuple[str, int, int]] = deque()
        self._changes: Iterator[Seen] | None = None
        self._sweep: Iterator[Seen] | None = None
        self._next_poll = self._next_sweep = self._began = 0.0

    @property
    def uri(self) -> str:
        """Of the folder."""
        return file_uri(self._root)

    def pull(self, rows: int, wait_s: float) -> pa.RecordBatch:
        """Up to `rows` settled files; see `Feed`."""
        until = time.monotonic() + wait_s
        while True:
            self._poll(min(rows, BATCH))
            if (batch := self._take(min(rows, BATCH))).num_rows:
                return batch
            now = time.monotonic()
            if now >= until:
                return batch
            if not self._ready and (self._is_idle() or len(self._pending) >= _MOST_PENDING):
                time.sleep(max(0.0, min(self._next_poll, until) - now))

    def acknowledge(self, rows: pa.RecordBatch) -> None:
        """Nothing: what is committed is known to `done`."""

    def waiting(self) -> int:
        """Files that were found and not given yet; of a folder just opened not all are found."""
        return len(self._pending) + len(self._ready)

    def close(self) -> None:
        """Forget what was found."""
        self._sweep = self._changes = None
        self._pending.clear()
        self._ready.clear()

    def _poll(self, wanted: int) -> None:
        """Look again, if it is time, and only as far as there is use for what is found."""
        now = time.monotonic()
        if now >= self._next_poll:
            self._next_poll = now + self._poll_s
            self._settle(now)
            self._changes = self._changes or self._tree.changes()
        if self._changes is not None and self._find(self._changes, wanted, now):
            self._changes = None
        if self._sweep is None and now >= self._next_sweep:
            self._sweep, self._began = self._tree.sweep(), now
        if self._sweep is not None and self._find(self._sweep, wanted, now):
            took = time.monotonic() - self._began
            self._sweep = None
            self._next_sweep = time.monotonic() + max(self._rescan_s, 10 * took)

    def _is_idle(self) -> bool:
        return self._sweep is None and self._changes is None

    def _find(self, seen: Iterator[Seen], wanted: int, now: float) -> bool:
        """Take in what is seen; whether that was all, before enough was ready or pending."""
        while len(self._pending) < _MOST_PENDING and len(self._ready) < wanted:
            found = next(seen, None)
            if found is None:
                return True
            self._note(found, now)
        return False

    def _note(self, found: Seen, now: float) -> None:
        known = self._pending.get(found.path)
        if known is not None:
            known.key = found.key
        elif time.time_ns() - found.state.changed_ns > _OLD_NS:
            self._give(found.path, found.key, found.state)
        else:
            self._pending[found.path] = _Pending(found.key, found.state.mark, now)

    def _settle(self, now: float) -> None:
        for path, file in list(self._pending.items()):
            state = state_of(path)
            if state is None:
                del self._pending[path]
            elif state.mark != file.mark:
                file.mark, file.since = state.mark, now
            elif now - file.since >= self._settle_s:
                del self._pending[path]
                self._give(path, file.key, state)

    def _give(self, path: str, key: int, state: State) -> None:
        self._tree.given.put(key, state.mark)
        self._ready.append((path, key, state.mark))

    def _take(self, wanted: int) -> pa.RecordBatch:
        rows: list[Row] = []
        while self._ready and len(rows) < wanted:
            path, key, mark = self._ready.popleft()
            state = state_of(path)
            if state is not None and state.mark == mark:
                rows.append(self._labels.put(_row(path, state), path))
            elif state is not None:  # it changed while it waited its turn
                self._pending[path] = _Pending(key, state.mark, time.monotonic())
        batch = pa.RecordBatch.from_pylist(rows, LISTING)
        return batch if self._done is None or not rows else self._done(batch)


def _row(path: str, state: State) -> Row:
    uri = file_uri(Path(path))
    if state.reason is not None:
        return row(uri, row_id=row_id(uri), reason=state.reason)
    return row(uri, row_id=row_id(uri), size=state.size, mtime_ns=state.mtime_ns)


class _Labels:
    """What the user says about the files; a CSV is read again when it changed."""

    def __init__(self, root: Path, options: SourceOptions) -> None:
        self._root, self._options = root, options.labels
        self._is_csv = self._options.labels not in (None, FOLDERS)
        self._mark: int | None = None
        self._table: CsvLabels | FolderLabels | None = None
        if not self._is_csv:
            self._table = FolderLabels(root, self._options.folders_only())
        self._read()

    def put(self, item: Row, path: str) -> Row:
        """The row with `label`, `group` and `meta`, as far as they are known."""
        self._read()
        if self._table is None:
            return item
        said = self._table.describe(Path(path))
        return item | {name: value for name, value in said.items() if value}

    def _read(self) -> None:
        if not self._is_csv:
            return
        state = state_of(self._options.labels or "")
        mark = state.mark if state else None
        if self._table is None or (mark is not None and mark != self._mark):
            self._table, self._mark = CsvLabels.read(self._root, self._options), mark
