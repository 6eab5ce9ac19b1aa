"""A result file: it appears whole, at the end, sorted by row_id."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError

from .formats import writer_for
from .parts import Parts

__all__ = ["FileSink", "Reasons", "Sink"]


Reasons = Counter[str | None]
"""How many rows were delivered for each reason; None: those with an answer."""


class Sink(Protocol):
    """Where results go. Only what the release gate cleared is accepted."""

    def start(self) -> set[tuple[Any, ...]]:
        """Make ready; give the (row_id, size, mtime_ns) of rows delivered before."""
        ...

    def restart(self) -> None:
        """Make ready, and forget what was written before."""
        ...

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Take rows; they may be delivered later."""
        ...

    def finish(self, listed: Iterable[str]) -> Reasons:
        """Deliver all; `listed` are the row_ids that belong to the result."""
        ...


class FileSink:
    """JSON Lines, CSV or Parquet, by the file's ending; parts lie in `state` until the end."""

    def __init__(self, path: Path, state: Path) -> None:
        self.path = path
        self._write = writer_for(path)
        self._parts = Parts(state / "parts")

    def start(self) -> set[tuple[Any, ...]]:
        """What earlier parts hold."""
        if self.path.is_dir():
            raise OutputError(f"--out {self.path} is a folder. Give a file.")
        return self._parts.done()

    def restart(self) -> None:
        """Remove earlier parts."""
        self.start()
        self._parts.clear()

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Add to the current part."""
        if not isinstance(rows, Cleared):
            raise TypeError("a sink takes only what core.clear let through.")
        try:
            self._parts.add(rows.item)
        except OSError as error:
            raise self._failed(error) from error

    def finish(self, listed: Iterable[str]) -> Reasons:
        """Write the file and put it in its place."""
        delivered: Reasons = Counter()
        try:
            self._parts.commit()
            with replace_file(self.path) as temporary:
                self._write(temporary, _counted(self._parts.merged(set(listed)), delivered))
        except OSError as error:
            raise self._failed(error) from error
        return delivered

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"Cannot write {self.path}: {error.strerror or error}. What was committed is kept; "
            "make room or mend the folder, then run the same command again."
        )


def _counted(tables: Iterable[pa.Table], delivered: Reasons) -> Iterator[pa.Table]:
    for table in tables:
        delivered.update(table["reason"].to_pylist())
        yield table
