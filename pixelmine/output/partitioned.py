"""A folder of Parquet files, split by a column: it appears whole, at the end.

    OUT/part-000001.parquet                      without a column
    OUT/label=cat/part-000001.parquet            with one: Hive's layout, values percent-encoded

pyarrow, Daft, DuckDB, Spark and Polars read it as one table.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core import Cleared, ids
from pixelmine.core.atomic import replace_folder
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import OutputError
from pixelmine.core.schema import RESULTS

from .file import cannot_write, counted, remove_leftovers
from .parts import Parts
from .sink import Delivered, cleared

__all__ = ["PARTITIONS", "PartitionedSink"]

FILE_ROWS = 100_000
HELD_ROWS = 300_000
"""Rows of one value that make a file, and rows of all values in memory at a time."""

_LONGEST: Final = 60
"""Bytes, of which each can take three in a folder's name of at most 255."""

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_OURS: Final = re.compile(r"([a-z]+=[^/]*/)?part-[0-9]{6,}\.parquet")


def _best_label(rows: pa.Table) -> pa.ChunkedArray:
    first = [top[0]["label"] if top else None for top in rows["top"].to_pylist()]
    return pa.chunked_array([first], pa.string())


PARTITIONS: dict[str, Callable[[pa.Table], pa.ChunkedArray]] = {
    "label": _best_label,
    "status": lambda rows: rows["status"],
    "reason": lambda rows: rows["reason"],
}
"""`label` is the first of `top`, as in CSV."""


class PartitionedSink:
    """Parquet files in the folder `path`, one set for each value of the column `by`, if any."""

    def __init__(self, path: Path, state: Path, by: str | None = None) -> None:
        if by is not None:
            check_one_of("partition by", by, PARTITIONS)
        self.path = path
        self.by = by
        self._parts = Parts(state / "parts")

    def start(self) -> Iterator[pa.RecordBatch]:
        """What earlier parts hold."""
        self._check()
        remove_leftovers(self.path.parent, re.escape(self.path.name))
        return self._parts.done()

    def restart(self) -> None:
        """Remove earlier parts; what is in the folder stays until there is better."""
        self._check()
        self._parts.clear()

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Add to the current part."""
        try:
            self._parts.add(cleared(rows))
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def flush(self) -> None:
        """Commit the current part."""
        try:
            self._parts.commit()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Commit what was taken."""
        self.flush()

    def finish(self, listed: Iterable[str]) -> Delivered:
        """Write the folder and put it in its place."""
        delivered = Delivered()
        self.flush()
        self._check()
        try:
            with replace_folder(self.path) as temporary:
                files = _Files(temporary, self.by)
                for table in counted(self._parts.merged(listed), delivered):
                    files.add(table)
                files.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return delivered

    def _check(self) -> None:
        """The folder is replaced as a whole, so it must hold nothing of anybody else's."""
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"--out {self.path}/ is a file. Give a folder.")
        for file in self.path.rglob("*"):
            if not file.is_dir() and not _OURS.fullmatch(file.relative_to(self.path).as_posix()):
                raise OutputError(
                    f"--out {self.path}/ holds {file.name!r}, which no run wrote, and would be "
                    "replaced. Give a new or empty folder."
                )


class _Files:
    """Gathers rows by value, so that a value has few files, and memory is bounded."""

    def __init__(self, folder: Path, by: str | None) -> None:
        self._folder = folder
        self._by = by
        self._held: dict[str | None, list[pa.Table]] = {}
        self._written: dict[str | None, int] = {}

    def add(self, rows: pa.Table) -> None:
        if self._by is None:
            self._hold(None, rows)
        else:
            values = PARTITIONS[self._by](rows).to_pylist()
            places: dict[str | None, list[int]] = {}
            for at, value in enumerate(values):
                places.setdefault(value, []).append(at)
            for value, at_value in places.items():
                self._hold(value, rows.take(pa.array(at_value)))  # a copy: a slice would keep all
        while sum(map(self._rows, self._held)) > HELD_ROWS:
            self._write(max(self._held, key=self._rows))

    def close(self) -> None:
        if not self._held and not self._written and self._by is None:
            self._hold(None, RESULTS.empty_table())
        for value in list(self._held):
            self._write(value)

    def _hold(self, value: str | None, rows: pa.Table) -> None:
        self._held.setdefault(value, []).append(rows)
        if self._rows(value) >= FILE_ROWS:
            self._write(value)

    def _rows(self, value: str | None) -> int:
        return sum(table.num_rows for table in self._held[value])

    def _write(self, value: str | None) -> None:
        rows = pa.concat_tables(self._held.pop(value))
        folder = self._folder
        if self._by is not None:
            folder /= f"{self._by}={_NULL if value is None else _encoded(value)}"
            rows = rows.drop_columns([self._by] if self._by in rows.column_names else [])
            folder.mkdir(exist_ok=True)
        self._written[value] = number = self._written.get(value, 0) + 1
        pq.write_table(rows, folder / f"part-{number:06d}.parquet", compression="zstd")


def _encoded(value: str) -> str:
    """A value as the name of a folder; a long one is cut and told apart by a digest."""
    text = value.encode()
    if len(text) <= _LONGEST:
        return quote(text, safe=" ")
    return f"{quote(text[:_LONGEST].decode(errors='ignore'), safe=' ')}~{ids.digest(value)[:12]}"
