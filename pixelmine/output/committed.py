"""What sinks share whose place is not a file: small batches, each noted once it has arrived."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.errors import OutputError

from .file import cannot_write
from .items import item_keys, last_writes, with_items
from .latest import Latest
from .ledger import Ledger
from .parts import FILED
from .prefix import Names
from .sink import Delivered, cleared

__all__ = ["CommittedSink"]

SECONDS = 5.0
"""Rows are delivered when a batch is full, or so much later."""


class CommittedSink(ABC):
    """Delivers batches of about `batch_rows` rows; a ledger in `state` says which have arrived.

    A row that comes again with the same file size, time and reason is left out. A kill between
    arrival and ledger delivers a batch once more, with the same ids.
    """

    batch_rows = 1_000

    def __init__(self, state: Path) -> None:
        self._state = state
        self._ledger = Ledger(state / "ledger")
        self._latest: Latest | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._since = time.monotonic()
        self.arrived = 0

    def start(self) -> Iterator[pa.RecordBatch]:
        """Connect; give what the ledger holds."""
        self._open()
        return self._ledger.done()

    def restart(self) -> None:
        """Connect; forget what the ledger holds."""
        self._open()
        self._ledger.clear()
        self._latest, self._waiting = None, []

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Take rows; deliver when enough have come together."""
        batch = with_items(cleared(rows)).select(FILED.names)
        if self._latest is None:
            self._latest = Latest(self._ledger.rows())
        fresh = batch.filter(pa.array(~self._latest.has(batch)))
        self._latest.put(fresh)
        if fresh.num_rows:
            self._waiting.append(fresh)
        waiting = sum(held.num_rows for held in self._waiting)
        if waiting >= self.batch_rows or time.monotonic() - self._since >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Deliver what was taken, in batches."""
        if self._waiting:
            rows = last_writes(self._waiting)
            try:
                self._open()
                for batch in _whole_items(rows, self.batch_rows):
                    self._deliver(batch)
            except OSError as error:
                raise cannot_write(self._state, error) from error
            except OutputError:
                self._close()
                raise
        self._waiting, self._since = [], time.monotonic()

    def finish(self, listed: Iterable[str]) -> Delivered:
        """Deliver all, settle what is not of the result any more, and end the connection."""
        self.flush()
        names = Names(listed)
        self._settle(names)
        self._close()
        return self._ledger.delivered(names)

    def close(self) -> None:
        """Deliver what was taken and end the connection, where nobody finishes."""
        self.flush()
        self._close()

    def _note(self, rows: pa.Table, refused: np.ndarray | None = None) -> None:
        """Note rows as arrived."""
        self._ledger.append(rows, refused)
        self.arrived += rows.num_rows

    @abstractmethod
    def _open(self) -> None:
        """Connect, unless connected. Raises OutputError."""

    @abstractmethod
    def _deliver(self, rows: pa.Table) -> None:
        """Deliver FILED rows and `_note` them. Raises OutputError."""

    @abstractmethod
    def _close(self) -> None:
        """End the connection, if any."""

    def _settle(self, listed: Names | None) -> None:  # noqa: B027  most have nothing to settle
        """What was sent cannot be taken back; what can be overrides this."""


def _whole_items(rows: pa.Table, count: int) -> Iterator[pa.Table]:
    """Tables of about `count` rows, the rows of an item together, its frames in order."""
    keys = item_keys(rows)
    order = np.lexsort((rows["frame"].to_numpy(), keys))
    rows, keys = rows.take(pa.array(order)), keys[order]
    firsts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    begin = 0
    while begin < len(keys):
        after = firsts[firsts >= begin + count]
        end = int(after[0]) if len(after) else len(keys)
        yield rows.slice(begin, end - begin)
        begin = end
