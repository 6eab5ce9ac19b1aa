"""What people said of pairs of pictures: these are no duplicates, whatever they look like."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pyarrow as pa

from pixelmine.api.labels import user_name
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.schema import DECISIONS
from pixelmine.store import Collection
from pixelmine.store.by_id import find_row

__all__ = ["not_duplicates", "said_apart"]

_ABOUT, _APART, _TAKEN_BACK = "duplicates", "different", ""


def said_apart(collection: Collection) -> set[tuple[str, str]]:
    """Pairs of picture_ids, in order, that somebody said are none, and did not take back."""
    rows = collection.decisions.read(where=f"about = '{_ABOUT}'").sort_by("time").to_pylist()
    latest = {(row["first"], row["second"]): row["decision"] for row in rows}
    return {pair for pair, decision in latest.items() if decision == _APART}


def not_duplicates(
    path: str | Path, rows: Iterable[str], *, undo: bool = False, who: str | None = None
) -> int:
    """Remember that these pictures are no duplicates of each other; `undo`: that they may be.

    `rows`: two or more row_ids, or their beginnings. Gives the number of pairs. Raises UsageError,
    CollectionError.
    """
    with Collection.open(Path(path)) as collection:
        pictures = sorted({_picture(collection, row) for row in rows})
        if len(pictures) < 2:
            raise UsageError("Name two different pictures at least: the same bytes are the same.")
        same = {
            "about": _ABOUT,
            "decision": _TAKEN_BACK if undo else _APART,
            "who": who or user_name(),
            "time": datetime.now(UTC),
        }
        pairs = list(combinations(pictures, 2))
        entries = [{"first": one, "second": other, **same} for one, other in pairs]
        collection.decisions.append(pa.Table.from_pylist(entries, DECISIONS))
        return len(pairs)


def _picture(collection: Collection, prefix: str) -> str:
    name = find_row(collection, prefix, ["picture_id"])["picture_id"]
    if name is None:
        raise CollectionError(f"The picture of row {prefix} could not be read: it has no copies.")
    return str(name)
