"""What a sink is: start, write, flush, finish."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from pixelmine.core import Cleared

__all__ = ["Delivered", "Reasons", "Sink", "cleared"]

Reasons = Counter[str | None]
"""How many rows were delivered for each reason; None: those with an answer."""


@dataclass
class Delivered:
    """What has arrived.

    `items`: files and members, of which one may be several rows (frames). `refused`: those of the
    rows in `reasons` that the receiver would not take and that were put aside.
    """

    items: int = 0
    reasons: Reasons = field(default_factory=Counter)
    refused: int = 0

    def add(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Count rows with `frame` and `reason`; every file or member has a frame 0."""
        self.items += rows["frame"].to_pylist().count(0)
        self.reasons.update(rows["reason"].to_pylist())


class Sink(Protocol):
    """Where results go. Only what the release gate cleared is accepted."""

    def start(self) -> Iterator[pa.RecordBatch]:
        """Make ready; give (row_id, size, mtime_ns) of the frames 0 that were delivered before.

        A row whose reason can pass by itself (`core.PASSING`) is not among them. Raises
        OutputError.
        """
        ...

    def restart(self) -> None:
        """Make ready, and forget what was written before."""
        ...

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Take rows (RESULTS, `size` and `mtime_ns`); they may be delivered later.

        All frames of a file come in one call.
        """
        ...

    def flush(self) -> None:
        """Deliver what was taken; what `start` gives after a kill now holds it."""
        ...

    def close(self) -> None:
        """Deliver what was taken and let go, for a run that is not finished; see `finish`."""
        ...

    def finish(self, listed: Iterable[str]) -> Delivered:
        """Deliver all; `listed` are the row_ids, of frames 0, that belong to the result."""
        ...


def cleared(rows: Cleared[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows that the release gate let through. Raises TypeError for any others."""
    if not isinstance(rows, Cleared):
        raise TypeError("a sink takes only what core.clear let through.")
    return rows.item
