"""The tables beside an export: what lies where, and what could not be read."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.output.formats import no_formula

from .rows import EXPORTED, SKIPPED, labels_text

__all__ = ["MANIFEST", "MANIFEST_COLUMNS", "SKIPPED_NAME", "Table", "is_export", "write_skipped"]

MANIFEST = "manifest.csv"
SKIPPED_NAME = "skipped.csv"
MANIFEST_COLUMNS = ("file", *EXPORTED.names)
"""`file`: the path below the export's folder, of a shard `SHARD/MEMBER`."""


class Table:
    """A CSV in UTF-8, by RFC 4180, that grows row by row; texts that are formulas are escaped."""

    def __init__(self, path: Path, columns: Sequence[str], several: bool = False) -> None:
        self._columns, self._several = list(columns), several
        self._file: TextIO = path.open("w", encoding="utf-8", newline="")
        self._out = csv.DictWriter(self._file, self._columns, extrasaction="ignore", restval="")
        self._out.writeheader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of EXPORTED or SKIPPED; columns that a policy took are empty."""
        self._out.writerows(map(self._flat, rows))

    def _flat(self, row: Mapping[str, Any]) -> dict[str, object]:
        flat = {name: no_formula(row[name]) for name in self._columns if name in row}
        if "labels" in flat:
            flat["labels"] = no_formula(labels_text(row["labels"] or (), self._several))
        return flat


def write_skipped(path: Path, rows: Iterable[Cleared[pa.RecordBatch]]) -> None:
    """The table of what could not be read."""
    with Table(path, SKIPPED.names) as table:
        for batch in rows:
            table.add(batch.item.to_pylist())


def is_export(folder: Path) -> bool:
    """Whether a folder is an earlier export: it holds a manifest with the header of ours."""
    try:
        with (folder / MANIFEST).open(encoding="utf-8", newline="") as file:
            return file.readline(1000).rstrip("\r\n") == ",".join(MANIFEST_COLUMNS)
    except (OSError, UnicodeDecodeError):
        return False
