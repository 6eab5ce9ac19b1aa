"""Work on what never ends: a watched folder or a stream of messages.

Rows are pulled when there is room for them, worked on, committed, and only then acknowledged: after
a kill the source gives again what was not, and a commit of the same rows changes nothing.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import FrameType

import pyarrow as pa

from pixelmine.core.checks import check_positive
from pixelmine.core.progress import Progress
from pixelmine.engine import Stage, Work
from pixelmine.engine.stage import BATCH_ROWS
from pixelmine.input import Feed

from .work import Counts

__all__ = ["FollowOptions", "follow", "stopped_by_signals"]


@dataclass(frozen=True, kw_only=True)
class FollowOptions:
    """How often to commit.

    `commit_rows`, `commit_s`: after so many rows, or seconds since the first of them; small enough
    to be seen soon, large enough that a table does not get a version for each picture. `stop`: ends
    the work when set, with all that was pulled committed. `idle_s`: end when nothing came for so
    long; None never does.
    """

    commit_rows: int = 2000
    commit_s: float = 2.0
    idle_s: float | None = None
    stop: threading.Event | None = None

    def __post_init__(self) -> None:
        check_positive("commit_rows", self.commit_rows)
        check_positive("commit_s", self.commit_s)
        if self.idle_s is not None:
            check_positive("idle_s", self.idle_s)


def follow(
    feed: Feed,
    stage: Stage,
    take: Callable[[pa.RecordBatch, pa.RecordBatch], None],
    flush: Callable[[], None],
    options: FollowOptions,
    progress: Progress,
    phase: str,
) -> Counts:
    """Pull, work, commit, acknowledge, until told to stop.

    `take`: is given pulled rows and what came of them; `flush` commits all that it was given.
    """
    counts, stop = Counts(), options.stop or threading.Event()
    progress.start(phase)
    with closing(stage.open()) as work, closing(feed):
        pending = _Pending(feed, flush, options)
        last = time.monotonic()
        while not stop.is_set():
            rows = feed.pull(BATCH_ROWS, min(pending.left_s(), 1.0))
            if rows.num_rows:
                last = time.monotonic()
                found = _work(work, rows)
                take(rows, found)
                pending.add(rows)
                bad = counts.add(found)
                progress.advance(rows.num_rows, bad)
            pending.commit_if_due()
            behind = feed.waiting()
            if behind is not None:
                progress.behind(behind)
            if options.idle_s is not None and time.monotonic() - last >= options.idle_s:
                break
        pending.commit()
    progress.finish()
    return counts


@contextmanager
def stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set `stop` on SIGTERM and SIGINT while the block runs; a second SIGINT interrupts at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Pending:
    """Pulled rows that are worked on and not yet committed."""

    def __init__(self, feed: Feed, flush: Callable[[], None], options: FollowOptions) -> None:
        self._feed, self._flush, self._options = feed, flush, options
        self._rows: list[pa.RecordBatch] = []
        self._since = 0.0

    def add(self, rows: pa.RecordBatch) -> None:
        if not self._rows:
            self._since = time.monotonic()
        self._rows.append(rows)

    def left_s(self) -> float:
        """Seconds until a commit is due."""
        if not self._rows:
            return self._options.commit_s
        return max(0.01, self._since + self._options.commit_s - time.monotonic())

    def commit_if_due(self) -> None:
        waiting = sum(rows.num_rows for rows in self._rows)
        late = time.monotonic() - self._since >= self._options.commit_s
        if waiting and (waiting >= self._options.commit_rows or late):
            self.commit()

    def commit(self) -> None:
        if self._rows:
            self._flush()
            for rows in self._rows:
                self._feed.acknowledge(rows)
        self._rows = []


def _work(work: Work, rows: pa.RecordBatch) -> pa.RecordBatch:
    parts = [work(rows.slice(start, BATCH_ROWS)) for start in range(0, rows.num_rows, BATCH_ROWS)]
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
