"""A split that somebody else made, read from a CSV file.

The file has a header, a column `part` (`train`, `val`, `test`, or `fold-0` and on) and one that
names the picture: `row_id`, `uri`, or `name` (a file name, else one without its extension).
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import content_id

from .names import file_name
from .splits import split_table

__all__ = ["GivenSplit", "split_from_csv"]

_PART = re.compile(r"train|val|test|fold-(0|[1-9][0-9]?)")
_COLUMNS = ("row_id", "uri", "name")


@dataclass(frozen=True, kw_only=True)
class GivenSplit:
    """`rows`: as `core.schema.SPLITS`. `unmatched`: names in the file that no picture has."""

    rows: pa.Table
    unmatched: tuple[str, ...]


def split_from_csv(path: Path, rows: pa.Table) -> GivenSplit:
    """Read a split of `rows` (`row_id`, `uri`, `member`); rows it does not name are in no part.

    The frames of one file share its part. Raises UsageError where the file is not such a one,
    puts a picture in two parts, names several pictures by one name, or names none.
    """
    column, given = _read(path)
    places = _places(column, rows)
    part_of: dict[str, str] = {}
    unmatched = []
    for name, part in given:
        row_ids = _find(places, column, name)
        if not row_ids:
            unmatched.append(name)
        for row_id in row_ids:
            if part_of.setdefault(row_id, part) != part:
                raise UsageError(f"{path} puts {name} in {part_of[row_id]} and in {part}.")
    if not part_of:
        raise UsageError(f"{path} names no picture of the collection by its {column}.")
    named = pa.array(list(part_of)), pa.array(list(part_of.values()))
    table = split_table(content_id(path.read_bytes()), *named)
    return GivenSplit(rows=table, unmatched=tuple(unmatched))


def _read(path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The column that names the picture, and (name, part) of each line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            head = reader.fieldnames or ()
            column = next((name for name in _COLUMNS if name in head), None)
            if column is None or "part" not in head:
                raise UsageError(
                    f"{path} must have a column part and one of {', '.join(_COLUMNS)}. "
                    f"Its header is {', '.join(head) or 'empty'} instead."
                )
            lines = [((one[column] or "").strip(), (one["part"] or "").strip()) for one in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a CSV file: {error}.") from error
    _check_parts(path, lines)
    return column, lines


def _check_parts(path: Path, lines: Iterable[tuple[str, str]]) -> None:
    parts = {part for _, part in lines}
    wrong = sorted(part for part in parts if not _PART.fullmatch(part))
    if wrong:
        raise UsageError(
            f"A part is train, val, test or fold-NUMBER. {path} has {wrong[0]!r} instead."
        )
    if len({part.startswith("fold-") for part in parts}) == 2:
        raise UsageError(f"{path} mixes folds with train, val and test: use one or the other.")


def _places(column: str, rows: pa.Table) -> dict[str, dict[tuple[str, str], list[str]]]:
    """For each name a picture goes by: the row ids of each (uri, member) of that name."""
    places: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    columns = (rows[name].to_pylist() for name in ("row_id", "uri", "member"))
    for row_id, uri, member in zip(*columns, strict=True):
        short = file_name(uri, member)
        names = {
            "row_id": (f"={row_id}",),
            "uri": (f"={uri}",),
            "name": (f"={short}", f"~{PurePosixPath(short).stem}"),
        }
        for name in names[column]:
            places[name][uri, member].append(row_id)
    return places


def _find(places: dict[str, dict[tuple[str, str], list[str]]], column: str, name: str) -> list[str]:
    """Row ids of the one file of that name; of all members where a container's URI is the name."""
    files = places.get(f"={name}") or places.get(f"~{name}") or {}
    if len(files) > 1 and column == "name":
        raise UsageError(
            f"{len(files)} pictures are named {name}, so its part is not certain. "
            "Name pictures by row_id or uri instead."
        )
    return [row_id for row_ids in files.values() for row_id in row_ids]
