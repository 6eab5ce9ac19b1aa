"""Result rows as JSON Lines, CSV or Parquet."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import RESULTS

__all__ = ["CSV_COLUMNS", "FORMATS", "Writer", "json_rows", "writer_for"]

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


def write_jsonl(path: Path, tables: Iterable[pa.Table]) -> None:
    """One JSON object a line, UTF-8, in RESULTS' column order."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for table in tables:
            for row in json_rows(table):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_csv(path: Path, tables: Iterable[pa.Table]) -> None:
    """CSV by RFC 4180, UTF-8, with a header; the columns are CSV_COLUMNS."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, CSV_COLUMNS, extrasaction="ignore")
        out.writeheader()
        for table in tables:
            out.writerows(_flat(row) for row in table.to_pylist())


def write_parquet(path: Path, tables: Iterable[pa.Table]) -> None:
    """Parquet with RESULTS' schema, nested columns as they are."""
    with pq.ParquetWriter(path, RESULTS, compression="zstd") as out:
        for table in tables:
            out.write_table(table)


FORMATS: dict[str, Writer] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".parquet": write_parquet,
}


def json_rows(table: pa.Table) -> list[dict[str, Any]]:
    """RESULTS rows as JSON values; probabilities with the six digits that float32 holds."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        _round(row["top"])
    return rows


def writer_for(path: Path) -> Writer:
    """The writer that a file's ending asks for. Raises UsageError."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"--out must end in {', '.join(FORMATS)}, which says the format. Got {path.name!r}."
        )
    return FORMATS[path.suffix.lower()]


def _round(top: list[dict[str, Any]] | None) -> None:
    for entry in top or ():
        entry["probability"] = float(f"{entry['probability']:.6g}")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    _round(row["top"])
    best = row["top"][0] if row["top"] else {"label": None, "probability": None}
    decision = "|".join(row["decision"]) if row["decision"] else None
    top = json.dumps(row["top"], ensure_ascii=False) if row["top"] else None
    return {**row, **best, "decision": decision, "top": top}
