"""A plan as a file: which pictures stay and which go, a CSV that people read and edit.

It has at least the columns `row_id` and `action`; what else it holds (why, which copy stays) is for
people and for whoever wrote it.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from pixelmine.core.errors import UsageError

__all__ = ["ACTIONS", "KEEP", "REMOVE", "check_known", "read_plan", "removed"]

KEEP, REMOVE = "keep", "remove"
ACTIONS = (KEEP, REMOVE)
_NEEDED = ("row_id", "action")
_MAX_FIELD = 1_000_000


def read_plan(path: str | Path) -> list[dict[str, str]]:
    """The lines of a plan, in order: all columns as text, "" where a cell is empty.

    `action` is lower case, one of ACTIONS, and no `row_id` comes twice. Raises UsageError with the
    number of the line (the header is line 1) for anything else.
    """
    path = Path(path)
    try:
        csv.field_size_limit(_MAX_FIELD)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            _check_header(path, list(reader.fieldnames or ()))
            return _checked(path, reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"The plan {path} cannot be read as a CSV file: {why}.") from error


def removed(path: str | Path) -> set[str]:
    """The row_ids that a plan removes. Raises UsageError as `read_plan` does."""
    return {row["row_id"] for row in read_plan(path) if row["action"] == REMOVE}


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise UsageError(
            f"A plan must have the columns {' and '.join(_NEEDED)}. The header of {path} is "
            f"{', '.join(header) or 'empty'} instead."
        )
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise UsageError(f"The header of the plan {path} names {twice!r} twice.")


def _checked(path: Path, reader: "csv.DictReader[str]") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    lines: dict[str, int] = {}
    for row in reader:
        where = f"Line {reader.line_num} of the plan {path}"
        if "" in row:
            raise UsageError(f"{where} has more cells than the header.")
        name, action = row["row_id"].strip(), row["action"].strip().lower()
        if not name:
            raise UsageError(f"{where} has no row_id.")
        if action not in ACTIONS:
            raise UsageError(
                f"{where} must have the action {' or '.join(ACTIONS)}. "
                f"Got {row['action'][:40]!r} instead."
            )
        if name in lines:
            raise UsageError(
                f"{where} names the row {name[:12]} again, which line {lines[name]} has already: "
                "leave one of them."
            )
        lines[name] = reader.line_num
        rows.append({**row, "row_id": name, "action": action})
    return rows


def check_known(rows: Iterable[Mapping[str, str]], known: set[str], path: str | Path) -> int:
    """How many rows of a plan are of no picture in `known`. Raises UsageError where all are."""
    named = {row["row_id"] for row in rows}
    lost = len(named - known)
    if named and lost == len(named):
        raise UsageError(
            f"No row of the plan {path} is of this collection: it was made for another one."
        )
    return lost
