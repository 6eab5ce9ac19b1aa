"""A finding's table as a file, for whoever goes on from there."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.output.file import cannot_write
from pixelmine.output.formats import no_formula
from pixelmine.store import Collection

from .found import Found, cleared, read_found

__all__ = ["FORMATS", "WrittenTable", "known_findings", "write_finding"]

_ROWS = 2_000


@dataclass(frozen=True, kw_only=True)
class WrittenTable:
    """`rows` of the finding are in `out`. `made`: when the finding was, ISO 8601."""

    name: str
    out: Path
    rows: int
    columns: tuple[str, ...]
    made: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "finding": self.name,
            "out": str(self.out),
            "rows": self.rows,
            "columns": list(self.columns),
            "made": self.made,
        }


def known_findings(collection: Collection) -> list[str]:
    """Names of what was looked for, sorted."""
    return sorted(path.stem for path in (collection.path / "findings").glob("*.json"))


def write_finding(
    path: str | Path,
    name: str,
    out: str | Path,
    *,
    policy: Policy | None = None,
    overwrite: bool = False,
) -> WrittenTable:
    """Write the table of a finding, as it was found last, to `.csv`, `.jsonl` or `.parquet`.

    Lists are joined by `|` in CSV, other nested values are JSON. Raises UsageError, CollectionError
    where nothing of that name was found, OutputError.
    """
    out = Path(out)
    if out.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out must end in {', '.join(FORMATS)}, which says the format. Got {out.name!r}."
        )
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give --overwrite to replace it.")
    with Collection.open(path) as collection:
        found = _found(collection, name)
    rows = cleared(found.rows, policy or PassPolicy())
    try:
        with replace_file(out) as temporary:
            FORMATS[out.suffix.lower()](temporary, rows)
    except OSError as error:
        raise cannot_write(out, error) from error
    return WrittenTable(
        name=name,
        out=out,
        rows=rows.num_rows,
        columns=tuple(rows.column_names),
        made=found.made,
    )


def _found(collection: Collection, name: str) -> Found:
    known = known_findings(collection)
    found = read_found(collection, name) if name in known else None
    if found is None:
        raise CollectionError(
            f"{collection.path} has no finding {name!r}. It has: {', '.join(known) or 'none yet'}. "
            f"Look for it first, as with: pixelmine mine duplicates {collection.path}"
        )
    return found


def _write_csv(path: Path, rows: pa.Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(rows.column_names)
        for batch in rows.to_batches(_ROWS):
            for row in batch.to_pylist():
                out.writerow([no_formula(_flat(value)) for value in row.values()])


def _write_jsonl(path: Path, rows: pa.Table) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for batch in rows.to_batches(_ROWS):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def _write_parquet(path: Path, rows: pa.Table) -> None:
    pq.write_table(rows, path, compression="zstd")


FORMATS: dict[str, Callable[[Path, pa.Table], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


def _flat(value: object) -> object:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "|".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
