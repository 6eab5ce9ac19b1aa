"""Tables of text: CSV, JSON Lines, and lists of addresses, one a line."""

import csv
import io
import json
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import file_uri

from .cells import cell_row
from .columns import Columns, described, pick
from .files import decompressed, open_regular
from .rows import Row, row
from .source import SourceOptions

__all__ = ["TextTable"]

_MAX_CELL = Limits().max_bytes * 4 // 3 + 2**20
"""Characters of the largest picture that is read, in base64."""

Record = dict[str, Any] | Reason
"""One line's values, or why there are none."""


@dataclass(frozen=True)
class TextTable:
    """A table whose picture column holds paths (relative to its folder), addresses or base64.

    `path`: absolute; may be compressed. `kind`: `csv` (with a header, separated by commas,
    semicolons or tabs), `jsonl` or `lines`. A picture in the table is its member, named by the
    number of its row, from 0; others have the place that the cell names. Nothing is fetched.
    """

    path: Path
    options: SourceOptions
    kind: str

    @property
    def uri(self) -> str:
        """Of the table."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the table lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """In the order of the table."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        place = row(self.uri, mtime_ns=found.st_mtime_ns)
        reason = None
        with file, decompressed(file) as inner:
            try:
                yield from self._rows(inner, place)
            except EOFError:
                reason = Reason.TRUNCATED
            except (zlib.error, lzma.LZMAError):
                reason = Reason.CORRUPT
            except OSError as error:
                reason = Reason.CORRUPT if error.errno is None else Reason.UNREADABLE
        if reason is not None:
            yield {**place, "size": found.st_size, "reason": reason}

    def _rows(self, file: BinaryIO, place: Row) -> Iterator[Row]:
        columns = None
        read = {"csv": _csv_records, "jsonl": _json_records, "lines": _line_records}[self.kind]
        for number, record in enumerate(read(file)):
            here = {**place, "member": str(number)}
            if isinstance(record, Reason):
                yield {**here, "reason": record}
                continue
            if columns is None:
                columns = Columns.of_table(list(record), self.options, self.path.name)
            said = described(record, columns)
            yield {**said, **cell_row(pick(record, columns.picture), here, self.root)}


def _csv_records(file: BinaryIO) -> Iterator[Record]:
    """Cells that have no column are left out."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _cells(text)
    finally:
        text.detach()  # the file is closed by whoever opened it


def _cells(text: io.TextIOWrapper) -> Iterator[Record]:
    first = text.readline(_MAX_CELL)
    mark = max(",;\t", key=first.count)
    names = next(csv.reader([first], delimiter=mark), [])
    if not names:
        raise UsageError("The table has no header: its first line must name the columns.")
    lines = csv.reader(text, delimiter=mark)
    while True:
        csv.field_size_limit(_MAX_CELL)  # one for all tables of the process: set just before use
        try:
            cells = next(lines, None)
        except csv.Error:
            yield Reason.CORRUPT
            continue
        if cells is None:
            return
        if cells:
            yield dict(zip(names, [cell or None for cell in cells], strict=False))


def _json_records(file: BinaryIO) -> Iterator[Record]:
    for line in _lines(file):
        if isinstance(line, Reason):
            yield line
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            yield Reason.CORRUPT
            continue
        yield record if isinstance(record, dict) else Reason.CORRUPT


def _line_records(file: BinaryIO) -> Iterator[Record]:
    for line in _lines(file):
        if isinstance(line, Reason):
            yield line
        else:
            yield {"url": line.decode("utf-8", "surrogateescape")}


def _lines(file: BinaryIO) -> Iterator[bytes | Reason]:
    """Lines that hold something; one that is too long is `too_large_file`."""
    first = True
    while line := file.readline(_MAX_CELL):
        whole = line.endswith(b"\n") or len(line) < _MAX_CELL
        while not whole and (rest := file.readline(_MAX_CELL)):
            whole = rest.endswith(b"\n")
            line = b""
        if first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            first = False
        if not line:
            yield Reason.TOO_LARGE_FILE
        elif line.strip():
            yield line.strip()
