"""The folder that `protect` makes: pictures as they come, and tables about them at the end.

OUT.run/out/pictures/ab/NAME.EXT   protected pictures; OUT/pictures/... when all is done
OUT.run/done.jsonl                 what is written, so that a killed run goes on
OUT/manifest.csv                   a row for each picture that went in, with its reason if any
OUT/review.csv                     pictures that somebody has to look at
OUT/rules.json                     the rules they were made by
"""

import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core import FAILED
from pixelmine.core.atomic import write_json
from pixelmine.core.errors import OutputError
from pixelmine.engine import DONE_KEY
from pixelmine.output.export.names import ENDINGS

__all__ = ["MANIFEST_COLUMNS", "ProtectFolder", "is_protected"]

MANIFEST_COLUMNS = (
    *("file", "name", "frame", "status", "reason", "format", "how", "verdict"),
    *("faces", "plates", "text", "removed"),
)
_KINDS = {"face": "faces", "plate": "plates", "text": "text"}
_KEY = pa.schema(
    [
        pa.field("row_id", pa.string()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
    ]
)


class ProtectFolder:
    """Writes one. `state`: the run's folder, where everything lies until the end."""

    def __init__(self, state: Path) -> None:
        self._out, self._log = state / "out", state / "done.jsonl"

    def start(self) -> Iterator[pa.RecordBatch]:
        """The DONE_KEY of files that are written; what a kill has left half done is dropped."""
        self._out.mkdir(parents=True, exist_ok=True)
        whole = 0
        keys: list[dict[str, Any]] = []
        held: list[dict[str, Any]] = []
        if self._log.is_file():
            with self._log.open("rb") as file:
                for raw in file:
                    with suppress(ValueError):
                        line = json.loads(raw)
                        if "end" in line:
                            whole = file.tell()
                            keys.extend(held)
                            held.clear()
                            continue
                        held.append({**line, "row_id": line["listed"]})
                        continue
                    break
            os.truncate(self._log, whole)
        yield pa.RecordBatch.from_pylist([{n: k[n] for n in DONE_KEY} for k in keys], _KEY)

    def write(self, rows: list[dict[str, Any]], names: list[str]) -> None:
        """Add pictures, then the note that they are there. Raises OutputError."""
        lines = []
        try:
            for row, name in zip(rows, names, strict=True):
                data = row.pop("data")
                file = None if data is None else self._put(name, row, data)
                lines.append(json.dumps({**_noted(row), "file": file, "name": name}))
            with self._log.open("a", encoding="utf-8") as log:
                log.write("".join(f"{line}\n" for line in [*lines, '{"end": 1}']))
                log.flush()
                os.fsync(log.fileno())
        except OSError as error:
            raise OutputError(f"Cannot write to {self._out}: {error.strerror}.") from error

    def finish(self, rules: Mapping[str, Any]) -> Counter[str]:
        """Write the tables; counts of everything in the folder. Raises OutputError."""
        counts: Counter[str] = Counter()
        try:
            with (
                (self._out / "manifest.csv").open("w", encoding="utf-8", newline="") as manifest,
                (self._out / "review.csv").open("w", encoding="utf-8", newline="") as review,
            ):
                all_rows = csv.DictWriter(manifest, MANIFEST_COLUMNS, restval="")
                to_look_at = csv.writer(review)
                all_rows.writeheader()
                to_look_at.writerow(["file", "kind", "score", "x0", "y0", "x1", "y1"])
                for row in self._rows():
                    all_rows.writerow(_flat(row, counts))
                    to_look_at.writerows(_unsure(row))
            write_json(self._out / "rules.json", rules)
        except OSError as error:
            raise OutputError(f"Cannot write to {self._out}: {error.strerror}.") from error
        return counts

    def publish(self, out: Path) -> None:
        """Move the folder to `out`, in place of what is there. Raises OutputError."""
        try:
            if out.exists():
                shutil.rmtree(out)
            self._out.replace(out)
        except OSError as error:
            raise OutputError(f"Cannot write {out}: {error.strerror}.") from error

    def _put(self, name: str, row: Mapping[str, Any], data: bytes) -> str:
        ending = ENDINGS.get(row["format"], ("bin",))[0]
        part = f"-{row['frame']:06d}" if row["frame"] else ""
        folder = name.rpartition("-")[2][:2]
        file = f"pictures/{folder}/{name}{part}.{ending}"
        path = self._out / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return file

    def _rows(self) -> Iterator[dict[str, Any]]:
        with self._log.open("rb") as file:
            for raw in file:
                line = json.loads(raw)
                if "end" not in line:
                    yield line


def is_protected(folder: Path) -> bool:
    """Whether `protect` wrote a folder: it holds the rules, and a manifest with our header."""
    try:
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            known = file.readline(1000).rstrip("\r\n") == ",".join(MANIFEST_COLUMNS)
        return known and (folder / "rules.json").is_file()
    except (OSError, UnicodeDecodeError):
        return False


def _noted(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a row: the run's folder is the user's, so its ids may lie there."""
    names = (
        *("listed", "frame", "size", "mtime_ns", "status", "reason", "format", "how"),
        *("verdict", "found", "removed"),
    )
    return {name: row[name] for name in names}


def _flat(row: Mapping[str, Any], counts: Counter[str]) -> dict[str, Any]:
    found = Counter(_KINDS.get(one["kind"], one["kind"]) for one in row["found"] or ())
    counts["rows"] += 1
    counts["files"] += row["frame"] == 0
    if row["status"] == FAILED:
        counts[f"reason:{row['reason']}"] += 1
    else:
        counts["written"] += 1
        counts[f"how:{row['how']}"] += 1
    counts[f"verdict:{row['verdict']}"] += row["verdict"] is not None
    for kind, number in found.items():
        counts[f"found:{kind}"] += number
    flat = {name: row[name] for name in MANIFEST_COLUMNS if name in row}
    return {**flat, **found, "removed": ", ".join(row["removed"] or ())}


def _unsure(row: Mapping[str, Any]) -> Iterator[list[Any]]:
    for one in row["found"] or ():
        if not one["sure"]:
            yield [row["file"], one["kind"], one["score"], *one["box"]]
