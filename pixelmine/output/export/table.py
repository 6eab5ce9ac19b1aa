"""The table alone, as CSV: where the pictures lie, and their labels."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from pixelmine.core import Cleared

from .notes import Table
from .rows import EXPORTED, Batch

__all__ = ["TableForm"]


class TableForm:
    """Writes one file; no picture is read. `several`: whether a picture may have many labels."""

    def __init__(self, file: Path, several: bool) -> None:
        self._table = Table(file, EXPORTED.names, several)

    def write(self, batch: Batch) -> None:
        """Add rows."""
        self._table.add(item.row for item in batch.items())

    def finish(self, skipped: Iterable[Cleared[pa.RecordBatch]]) -> None:
        """Close the file; nothing was read, so there is nothing to skip."""
        list(skipped)
        self.close()

    def about(self) -> dict[str, object]:
        """Nothing more."""
        return {}

    def close(self) -> None:
        """Let go of what is open, also after a failure."""
        self._table.close()
