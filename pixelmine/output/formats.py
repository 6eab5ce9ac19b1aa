"""Result rows as JSON Lines, CSV, Parquet or Arrow."""

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import RESULTS

__all__ = [
    "CSV_COLUMNS",
    "FORMATS",
    "Writer",
    "flat_rows",
    "json_rows",
    "no_formula",
    "writer_for",
]

Writer = Callable[[Path, Iterable[pa.Table]], None]

CSV_COLUMNS = (
    "row_id",
    "uri",
    "member",
    "frame",
    "picture_id",
    "status",
    "reason",
    "label",
    "probability",
    "decision",
    "top",
    "model",
    "model_digest",
)
"""`label`, `probability`: the first of `top`. `decision`: labels joined by `|`, empty where the
model abstains. `top`: as JSON."""

_FORMULA: Final = re.compile(r"(?![-+]?[0-9]*\.?[0-9]+$)[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
# The last four are the full-width forms, which spreadsheets read as well.
_ROWS: Final = 2_000  # made into Python objects at a time


def write_jsonl(path: Path, tables: Iterable[pa.Table]) -> None:
    """One JSON object a line, UTF-8, in RESULTS' column order."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for table in tables:
            for batch in table.to_batches(_ROWS):
                for row in json_rows(batch):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_csv(path: Path, tables: Iterable[pa.Table]) -> None:
    """CSV by RFC 4180, UTF-8, with a header; the columns are CSV_COLUMNS.

    A text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, tab or
    carriage return and is no number) gets a `'` before it, as OWASP's page on CSV injection
    advises: names of files and labels are others' words. The other formats hold all
    text as it is.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, CSV_COLUMNS, extrasaction="ignore")
        out.writeheader()
        for table in tables:
            for batch in table.to_batches(_ROWS):
                out.writerows({n: no_formula(v) for n, v in r.items()} for r in flat_rows(batch))


def write_parquet(path: Path, tables: Iterable[pa.Table]) -> None:
    """Parquet with RESULTS' schema, nested columns as they are."""
    with pq.ParquetWriter(path, RESULTS, compression="zstd") as out:
        for table in tables:
            out.write_table(table)


def write_arrow(path: Path, tables: Iterable[pa.Table]) -> None:
    """Arrow IPC file (Feather 2) with RESULTS' schema, its buffers compressed by zstd."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, RESULTS, options=options) as out:
        for table in tables:
            out.write_table(table)


FORMATS: dict[str, Writer] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".arrow": write_arrow,
}


def json_rows(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """RESULTS rows as JSON values; probabilities with the six digits that float32 holds."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        _round(row["top"])
    return rows


def flat_rows(table: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """RESULTS rows with CSV_COLUMNS, as text and numbers."""
    return [_flat(row) for row in table.to_pylist()]


def writer_for(path: Path) -> Writer:
    """The writer that a file's ending asks for. Raises UsageError."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out must end in {', '.join(FORMATS)}, which says the format. Got {path.name!r}."
        )
    return FORMATS[path.suffix.lower()]


def no_formula(value: object) -> object:
    """A text that a spreadsheet would run as a formula with a `'` before it; all else unchanged."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _round(top: list[dict[str, Any]] | None) -> None:
    for entry in top or ():
        entry["probability"] = float(f"{entry['probability']:.6g}")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    _round(row["top"])
    best = row["top"][0] if row["top"] else {"label": None, "probability": None}
    decision = "|".join(row["decision"]) if row["decision"] else None
    top = json.dumps(row["top"], ensure_ascii=False) if row["top"] else None
    flat = {**row, **best, "decision": decision, "top": top}
    return {name: flat[name] for name in CSV_COLUMNS}
