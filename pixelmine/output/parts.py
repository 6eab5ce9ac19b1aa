"""Committed results on their way to a file: numbered parts, each whole when it appears."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pixelmine.core import PASSING
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import RunError
from pixelmine.core.schema import RESULTS

__all__ = ["PART", "Parts"]

PART = pa.schema([*RESULTS, pa.field("size", pa.int64()), pa.field("mtime_ns", pa.int64())])
"""RESULTS, and the state of the file they are about: what makes a row done."""

ROWS = 50_000
SECONDS = 10.0
"""A part is written when so many rows or seconds have come together: that much a kill can cost."""

_BUCKET = 100_000


class Parts:
    """The parts in one folder. For a row that was done twice the newest part is right."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pending: list[pa.RecordBatch] = []
        self._rows = 0
        self._since = time.monotonic()

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows (at least PART's columns); commit when enough have come together."""
        self._pending.append(rows.select(PART.names))
        self._rows += rows.num_rows
        if self._rows >= ROWS or time.monotonic() - self._since >= SECONDS:
            self.commit()

    def commit(self) -> None:
        """Write what is pending as the next part."""
        if self._pending:
            self.folder.mkdir(parents=True, exist_ok=True)
            table = pa.Table.from_batches(self._pending, PART).sort_by("row_id")
            number = 1 + max((int(path.stem) for path in self.paths()), default=0)
            with replace_file(self.folder / f"{number:06d}.parquet") as temporary:
                pq.write_table(table, temporary, compression="zstd")
        self._pending, self._rows, self._since = [], 0, time.monotonic()

    def paths(self) -> list[Path]:
        """Committed parts, oldest first."""
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def clear(self) -> None:
        """Remove them all."""
        for path in self.paths():
            path.unlink()

    def done(self) -> set[tuple[Any, ...]]:
        """(row_id, size, mtime_ns) of every committed row whose reason cannot pass by itself."""
        keys: set[tuple[Any, ...]] = set()
        for path in self.paths():
            table = _read(path, ["row_id", "size", "mtime_ns", "reason"])
            *key, reasons = (column.to_pylist() for column in table.columns)
            rows = zip(zip(*key, strict=True), reasons, strict=True)
            keys.update(row for row, reason in rows if reason not in PASSING)
        return keys

    def merged(self, wanted: set[str]) -> Iterator[pa.Table]:
        """RESULTS rows of the `wanted` row_ids, sorted by row_id, in tables of bounded size.

        Row ids are digests, so equal ranges of them hold about as many rows each.
        """
        paths = [str(path) for path in self.paths()]
        if not paths:
            return
        parts = ds.dataset(paths, schema=PART, format="parquet")
        count = max(1, len(wanted) // _BUCKET)
        edges = [f"{(1 << 64) * i // count:016x}" for i in range(count)] + ["g"]
        for low, high in pairwise(edges):
            inside = (ds.field("row_id") >= low) & (ds.field("row_id") < high)
            table = parts.to_table(columns=RESULTS.names, filter=inside)
            yield _newest(table, wanted).cast(RESULTS)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except pa.ArrowInvalid as error:
        raise RunError(
            f"{path} is damaged. Delete it and run the same command again: its rows are redone."
        ) from error


def _newest(table: pa.Table, wanted: set[str]) -> pa.Table:
    last = {name: at for at, name in enumerate(table["row_id"].to_pylist()) if name in wanted}
    rows = table.take(pa.array(sorted(last.values()), pa.int64()))
    return rows.take(pc.sort_indices(rows["row_id"]))
