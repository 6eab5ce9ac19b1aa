"""Reading, setting and undoing labels."""

import getpass
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import LABELS
from pixelmine.store import Collection
from pixelmine.store.by_id import find_row

__all__ = ["LabelSummary", "label_history", "label_summary", "set_label", "undo_label", "user_name"]


@dataclass(frozen=True)
class LabelSummary:
    """`labelled` of `pictures` have a label now; `counts`: pictures for each label."""

    pictures: int
    labelled: int
    counts: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"pictures": self.pictures, "labelled": self.labelled, "labels": self.counts}


def label_summary(path: str | Path) -> LabelSummary:
    """How many pictures have which label now."""
    with Collection.open(Path(path)) as collection:
        current = collection.current_labels()["labels"].to_pylist()
        counts = Counter(label for labels in current for label in labels)
        return LabelSummary(collection.images.count(), len(current), dict(counts.most_common()))


def label_history(path: str | Path, row: str) -> list[dict[str, Any]]:
    """Every label that a picture was given, oldest first; `row`: the start of its row_id."""
    with Collection.open(Path(path)) as collection:
        rows = collection.labels.read(where=f"row_id = '{_find_row(collection, row)}'").to_pylist()
        return sorted(rows, key=lambda entry: entry["time"])


def set_label(path: str | Path, row: str, labels: Sequence[str], who: str | None = None) -> str:
    """Give one picture its labels (none: take them back). Returns the row_id."""
    if any(not label.strip() for label in labels):
        raise UsageError("A label must hold more than blanks.")
    with Collection.open(Path(path)) as collection:
        found = _find_row(collection, row)
        _append(collection, found, list(labels), "label", who)
        return found


def undo_label(path: str | Path, row: str, who: str | None = None) -> list[str]:
    """Give one picture the labels it had before its last change. Returns them."""
    with Collection.open(Path(path)) as collection:
        found = _find_row(collection, row)
        rows = collection.labels.read(where=f"row_id = '{found}'").to_pylist()
        stack: list[list[str]] = [[]]
        for entry in sorted(rows, key=lambda entry: entry["time"]):
            if entry["source"] != "undo":
                stack.append(entry["labels"])
            elif len(stack) > 1:
                stack.pop()
        if len(stack) < 2:
            raise UsageError(f"Row {row} has no label to undo.")
        _append(collection, found, stack[-2], "undo", who)
        return stack[-2]


def user_name() -> str:
    """Who is logged in, for the `who` of a label."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        return "unknown"


def _append(
    collection: Collection, row: str, labels: list[str], source: str, who: str | None
) -> None:
    now = datetime.now(UTC)
    entry = {"row_id": row, "labels": labels, "source": source, "who": who or user_name()}
    collection.labels.append(pa.Table.from_pylist([{**entry, "time": now}], LABELS))


def _find_row(collection: Collection, prefix: str) -> str:
    return str(find_row(collection, prefix, ["row_id"])["row_id"])
