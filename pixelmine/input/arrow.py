"""Arrow IPC, file or stream, as Hugging Face keeps its data sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import file_uri

from .arrow_cells import column_of
from .cells import cell_row
from .columns import Columns, described
from .files import open_regular
from .rows import Row, row
from .source import SourceOptions

__all__ = ["ArrowSource"]

_MARK = b"ARROW1"
_CUT = re.compile(r"past end|only read", re.I)


@dataclass(frozen=True)
class ArrowSource:
    """A table with pictures, paths (relative to its folder) or addresses. `path`: absolute.

    A picture is the member `ROW`, counted from 0. Where the file is not compressed it is read again
    where it lies; else its row carries the bytes.
    """

    path: Path
    options: SourceOptions

    @property
    def uri(self) -> str:
        """Of the file."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the file lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """In the order of the file; where it breaks off, a row of the file itself says why."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        file.close()
        place = row(self.uri, mtime_ns=found.st_mtime_ns)
        try:
            with pa.memory_map(str(self.path)) as memory:
                yield from self._rows(memory.read_buffer(), place)
        except UsageError:  # a ValueError too
            raise
        except (pa.ArrowException, OSError, EOFError, ValueError) as error:
            cut = isinstance(error, EOFError | OSError) or _CUT.search(str(error)) is not None
            reason = Reason.TRUNCATED if cut else Reason.CORRUPT
            yield {**place, "size": found.st_size, "reason": reason}

    def _rows(self, whole: pa.Buffer, place: Row) -> Iterator[Row]:
        columns, number = None, 0
        for batch in _batches(whole):
            batch.validate(full=True)  # offsets that lead outside would be followed
            if columns is None:
                columns = Columns.of_table(batch.schema.names, self.options, self.path.name)
            for said, cell in _cells(batch, columns, whole):
                here = {**place, "member": str(number)}
                if isinstance(cell, dict):
                    yield {**said, **here, **cell}
                else:
                    yield {**said, **cell_row(cell, here, self.root)}
                number += 1


def _batches(whole: pa.Buffer) -> Iterator[pa.RecordBatch]:
    """Of a file that has lost its directory, as far as it goes, and then EOFError."""
    is_file = whole[:6].to_pybytes() == _MARK
    if not is_file or whole[-6:].to_pybytes() != _MARK:
        with pa.ipc.open_stream(whole[8:] if is_file else whole) as stream:
            yield from stream
        if is_file:
            raise EOFError
        return
    with pa.ipc.open_file(whole) as file:
        for index in range(file.num_record_batches):
            yield file.get_batch(index)


def _cells(batch: pa.RecordBatch, columns: Columns, whole: pa.Buffer) -> Iterator[tuple[Row, Any]]:
    """What each record says, and its cell: where its bytes lie, the bytes, a text or nothing."""
    picture = columns.picture or ""
    top = picture if picture in batch.schema.names else picture.partition(".")[0]
    column = column_of(batch, picture)
    others = batch.drop_columns([top])
    starts = _starts(column.data, whole)
    for index, (size, text) in enumerate(zip(column.sizes(), column.texts(), strict=True)):
        said = described(
            {name: others[name][index].as_py() for name in others.schema.names}, columns
        )
        if not size:
            yield said, text
        elif starts is None and column.data is not None:
            yield said, column.data[index].as_py()
        elif starts is not None:
            yield said, {"offset": int(starts[index]), "length": size, "size": size}


def _starts(data: pa.Array | None, whole: pa.Buffer) -> np.ndarray | None:
    """Where each cell's bytes begin in the file; None where they do not lie there as they are."""
    if data is None or not (pa.types.is_binary(data.type) or pa.types.is_large_binary(data.type)):
        return None
    _, offsets, values = data.buffers()
    if values is None or offsets is None:
        return None
    start = values.address - whole.address
    if not 0 <= start <= whole.size - values.size:
        return None
    kind = np.int32 if pa.types.is_binary(data.type) else np.int64
    begins: np.ndarray = np.frombuffer(offsets, kind)[data.offset : data.offset + len(data)]
    placed: np.ndarray = start + begins.astype(np.int64)
    return placed
