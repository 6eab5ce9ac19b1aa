"""Committed rows on their way somewhere: numbered parts, each whole when it appears."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pixelmine.core import PASSING
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import RunError
from pixelmine.core.schema import RESULTS

from .items import item_keys, last_writes, newest, with_items
from .prefix import Names
from .sorting import in_order

__all__ = ["DONE", "FILED", "PART", "Parts", "read_part"]

PART = pa.schema([*RESULTS, pa.field("size", pa.int64()), pa.field("mtime_ns", pa.int64())])
"""RESULTS, and the state of the file they are about: what makes a row done."""

FILED = pa.schema([*PART, pa.field("item", pa.string())])
"""PART, and of a frame after the first the row_id of its frame 0."""

DONE = pa.schema([PART.field(name) for name in ("row_id", "size", "mtime_ns")])

ROWS = 50_000
SECONDS = 10.0
"""A part is written when so many rows or seconds have come together: that much a kill can cost."""


class Parts:
    """The parts in one folder. For an item that was done twice the last write is right.

    `used`: gives the highest number that was given elsewhere and must not be given again.
    """

    def __init__(
        self, folder: Path, schema: pa.Schema = FILED, used: Callable[[], int] = lambda: 0
    ) -> None:
        self.folder = folder
        self._schema = schema
        self._used = used
        self._pending: list[pa.RecordBatch] = []
        self._rows = 0
        self._since = time.monotonic()

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows (at least PART's columns); commit when enough have come together."""
        if rows.num_rows:
            self._pending.append(with_items(rows).select(self._schema.names))
            self._rows += rows.num_rows
        if self._rows >= ROWS or time.monotonic() - self._since >= SECONDS:
            self.commit()

    def commit(self) -> None:
        """Write what is pending as the next part."""
        if self._pending:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.put(1 + max(self.highest(), self._used()), last_writes(self._pending))
        self._pending, self._rows, self._since = [], 0, time.monotonic()

    def highest(self) -> int:
        """The newest part's number; 0 without any."""
        return max((int(path.stem) for path in self.folder.glob("[0-9]*.parquet")), default=0)

    def put(self, number: int, rows: pa.Table) -> None:
        """Write part `number`, whole or not at all."""
        with replace_file(self.folder / f"{number:06d}.parquet") as temporary:
            pq.write_table(rows.cast(self._schema), temporary, compression="zstd")

    def paths(self) -> list[Path]:
        """Committed parts, oldest first."""
        return sorted(self.folder.glob("[0-9]*.parquet"), key=lambda path: int(path.stem))

    def clear(self) -> None:
        """Remove them all, and what is pending."""
        for path in self.paths():
            path.unlink()
        self._pending, self._rows, self._since = [], 0, time.monotonic()

    def done(self) -> Iterator[pa.RecordBatch]:
        """DONE of the frames 0, each item's last, whose reason cannot pass by itself."""
        passing = pa.array(sorted(PASSING), pa.string())
        for path, right in self.current():
            rows = read_part(path, [*DONE.names, "frame", "reason"])
            final = pc.invert(pc.is_in(rows["reason"], passing))
            keep = pc.and_(pc.and_(final, pc.equal(rows["frame"], 0)), pa.array(right))
            yield from rows.filter(keep).select(DONE.names).cast(DONE).to_batches()

    def current(self, listed: Names | None = None) -> Iterator[tuple[Path, np.ndarray]]:
        """Each part, and which of its rows are right and belong to an item that is listed.

        Holds about 20 bytes for each committed row.
        """
        paths = self.paths()
        items = [item_keys(read_part(path, ["row_id", "item"])) for path in paths]
        counts = [len(keys) for keys in items]
        keep = [
            np.ones(len(keys), bool) if listed is None else listed.contains(keys) for keys in items
        ]
        every = np.concatenate([np.empty(0, "S16"), *items])
        del items
        last = newest(every, np.repeat(np.arange(len(paths), dtype=np.int32), counts))
        del every
        for path, wanted, end in zip(paths, keep, np.cumsum(counts), strict=True):
            yield path, wanted & last[end - len(wanted) : end]

    def merged(self, listed: Iterable[str]) -> Iterator[pa.Table]:
        """RESULTS rows of the items in `listed`, sorted by row_id, in tables of bounded size."""
        for old in self.folder.glob(".sorting-*"):  # of a process that was killed
            shutil.rmtree(old, ignore_errors=True)
        chosen = list(self.current(Names(listed)))
        rows = (
            read_part(path, RESULTS.names).filter(pa.array(right)).cast(RESULTS)
            for path, right in chosen
            if right.any()
        )
        yield from in_order(rows, sum(int(right.sum()) for _, right in chosen), self.folder)


def read_part(path: Path, columns: list[str]) -> pa.Table:
    """Some columns of a part. Raises RunError where it is damaged."""
    try:
        return pq.read_table(path, columns=columns, partitioning=None)
    except pa.ArrowInvalid as error:
        raise RunError(
            f"{path} is damaged. Delete it and run the same command again: its rows are redone."
        ) from error
