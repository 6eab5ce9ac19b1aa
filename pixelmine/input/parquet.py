"""A Parquet table: its pictures are members, read again by the number of their row."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import file_uri

from .arrow_cells import column_of, is_bytes
from .cells import cell_row
from .columns import Columns, described, usual_picture
from .files import open_regular, reason_of
from .held import Held, file_key
from .rows import Row, row
from .source import SourceOptions

__all__ = ["ParquetSource", "read_member"]

_ROWS = 32
"""Rows that are unpacked at once; a page of a column of pictures holds fewer."""

_AHEAD_BYTES = 64 * 2**20
"""Of pictures that were unpacked before somebody asked for them."""


@dataclass(frozen=True)
class ParquetSource:
    """A table with pictures, paths (relative to its folder) or addresses. `path`: absolute.

    A picture is the member `ROW`, counted from 0, or `COLUMN/ROW` where the column was named and
    is not the one that would be found by its usual name. Others have the place the cell names.
    """

    path: Path
    options: SourceOptions

    @property
    def uri(self) -> str:
        """Of the table."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the table lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """In the order of the table; where it breaks off, a row of the table itself says why."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        place = row(self.uri, mtime_ns=found.st_mtime_ns)
        with file:
            try:
                yield from self._rows(pq.ParquetFile(file, pre_buffer=False), place)
            except UsageError:  # a ValueError too
                raise
            except (pa.ArrowException, OSError, ValueError):
                whole = {**place, "size": found.st_size}
                yield {**whole, "reason": _damage(self.path)}

    def _rows(self, table: pq.ParquetFile, place: Row) -> Iterator[Row]:
        names = table.schema_arrow.names
        columns = Columns.of_table(names, self.options, self.path.name)
        picture = columns.picture or ""
        prefix = "" if picture == usual_picture(names) else f"{picture}/"
        top = picture if picture in names else picture.partition(".")[0]
        wanted = [name for name in names if name == top or not _is_bytes(table, name)]
        number = 0
        for batch in table.iter_batches(batch_size=_ROWS, columns=wanted, use_threads=False):
            cells = column_of(batch, picture)
            records = batch.drop_columns([top]).to_pylist() or [{}] * len(batch)
            found = zip(records, cells.sizes(), cells.texts(), strict=True)
            for record, size, text in found:
                here = {**place, "member": f"{prefix}{number}"}
                said = described(record, columns)
                if size:
                    yield {**said, **here, "size": size}
                else:
                    yield {**said, **cell_row(text, here, self.root)}
                number += 1


def read_member(path: Path, member: str, limits: Limits) -> bytes | Reason:
    """One picture's bytes. Rows read in their order are unpacked once."""
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    opened[0].close()
    column, _, number = member.rpartition("/")
    if not (number.isascii() and number.isdecimal()):
        return Reason.NOT_FOUND
    key = (*file_key(path, opened[1]), column)
    cells = _HELD.get(key, lambda: _open(path, column))
    return cells if isinstance(cells, Reason) else cells.read(int(number), limits)


class _Cells:
    """One column of an open table, read forward; what was passed is kept for a while."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._lock = path, Lock()
        self._table = pq.ParquetFile(path, pre_buffer=False)
        names = self._table.schema_arrow.names
        self._column = column or usual_picture(names) or ""
        self._top = self._column if self._column in names else self._column.partition(".")[0]
        self._passed: OrderedDict[int, bytes | Reason] = OrderedDict()
        self._weight = 0
        self._next = 0
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._group = range(0)

    def read(self, number: int, limits: Limits) -> bytes | Reason:
        with self._lock:
            if number in self._passed:
                return _within(self._passed[number], limits)
            try:
                return _within(self._reach(number), limits)
            except StopIteration:
                return Reason.NOT_FOUND
            except (pa.ArrowException, OSError, ValueError, KeyError):
                self._group = range(0)
                return Reason.CORRUPT

    def _reach(self, number: int) -> bytes | Reason:
        if number not in self._group or number < self._next:
            self._start(number)
        while True:
            batch = next(self._batches)
            data = column_of(batch, self._column).data
            first, self._next = self._next, self._next + len(batch)
            if data is None:
                raise ValueError("not a column of bytes")
            found = self._keep(first, data, number)
            if number < self._next:
                return found if found is not None else Reason.EMPTY

    def _start(self, number: int) -> None:
        """Begin the row group that holds a row."""
        first, metadata = 0, self._table.metadata
        for index in range(metadata.num_row_groups):
            rows = metadata.row_group(index).num_rows
            if number < first + rows:
                self._group, self._next = range(first, first + rows), first
                self._batches = self._table.iter_batches(
                    batch_size=_ROWS, row_groups=[index], columns=[self._top], use_threads=False
                )
                return
            first += rows
        raise StopIteration

    def _keep(self, first: int, data: pa.Array, wanted: int) -> bytes | Reason | None:
        """Remember the cells of a batch; gives the one that is wanted, if it is among them."""
        found: bytes | Reason | None = None
        for number, size in enumerate(pc.binary_length(data).to_pylist(), first):
            large = (size or 0) > _AHEAD_BYTES
            if large and number != wanted:
                continue
            cell = data[number - first].as_py() or Reason.EMPTY
            found = cell if number == wanted else found
            if not large and number not in self._passed:
                self._passed[number] = cell
                self._weight += len(cell)
        while self._weight > _AHEAD_BYTES and self._passed:
            self._weight -= len(self._passed.popitem(last=False)[1])
        return found


def _within(data: bytes | Reason, limits: Limits) -> bytes | Reason:
    if isinstance(data, Reason) or len(data) <= limits.max_bytes:
        return data
    return Reason.TOO_LARGE_FILE


def _open(path: Path, column: str) -> _Cells | Reason:
    try:
        return _Cells(path, column)
    except (pa.ArrowException, OSError, ValueError) as error:
        return Reason.CORRUPT if not getattr(error, "errno", None) else reason_of(error)


def _is_bytes(table: pq.ParquetFile, name: str) -> bool:
    return is_bytes(table.schema_arrow.field(name).type)


def _damage(path: Path) -> Reason:
    """A table ends with its directory and a mark: without that it was cut off."""
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    file, found = opened
    with file:
        file.seek(max(0, found.st_size - 4))
        return Reason.CORRUPT if file.read(4) == b"PAR1" else Reason.TRUNCATED


_HELD: Held[_Cells | Reason] = Held(4)
