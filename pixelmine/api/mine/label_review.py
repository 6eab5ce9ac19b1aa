"""What a person says of suspected labels: accepted suggestions are labels, rejected ones decisions.

Works on what was found last, so that a review takes no waiting: nothing is judged anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.labels import user_name
from pixelmine.core.checks import check_fraction
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.schema import DECISIONS, LABELS
from pixelmine.store import Collection
from pixelmine.store.by_id import check_row_id

from .found import read_found
from .label_errors import FINDING

__all__ = ["Review", "accept_above", "review_labels"]


@dataclass(frozen=True, kw_only=True)
class Review:
    """What was said. `accepted`: row_id, `given`, `label` of each picture. `rejected`: the same.

    `passed`: pictures whose label has changed since it was suspected, which are left as they are.
    `rows`: that got a label: copies of a picture that carry the same label get it too. `written`:
    false for a dry run.
    """

    accepted: list[dict[str, str]] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    passed: list[dict[str, str]] = field(default_factory=list)
    rows: int = 0
    written: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "passed": self.passed,
            "rows": self.rows,
            "written": self.written,
        }

    def notes(self) -> list[str]:
        """What a user should know."""
        if not self.passed:
            return []
        return [f"Pictures whose label has changed since, left as they are: {len(self.passed):,}."]


def review_labels(
    path: str | Path,
    *,
    accept: Sequence[str] = (),
    reject: Sequence[str] = (),
    label: str | None = None,
    who: str | None = None,
) -> Review:
    """Accept or reject suggestions. `accept`, `reject`: starts of row_ids of the finding.

    Accepting gives the picture its suggested label, or `label`, with the source `label-errors`;
    `pixelmine label --undo` takes it back. A rejected suggestion is not made again. Raises
    UsageError for a row that is not in the finding, CollectionError.
    """
    if label is not None and (not accept or not label.strip()):
        raise UsageError("--label goes with --accept and must hold more than blanks.")
    with Collection.open(Path(path)) as collection:
        rows = _finding(collection)
        yes = [_row(rows, prefix) for prefix in dict.fromkeys(accept)]
        no = [_row(rows, prefix) for prefix in dict.fromkeys(reject)]
        if both := {r["row_id"] for r in yes} & {r["row_id"] for r in no}:
            raise UsageError(f"Row {min(both)} is both accepted and rejected.")
        return _say(collection, yes, no, label, who, write=True)


def accept_above(
    path: str | Path, probability: float, *, write: bool = False, who: str | None = None
) -> Review:
    """Accept every suspected label whose suggestion is at least that probable, 0 to 1.

    `write`: else nothing is changed, and what would be is told. Raises UsageError, CollectionError.
    """
    check_fraction("--accept-above", probability)
    with Collection.open(Path(path)) as collection:
        rows = _finding(collection)
        sure = pc.and_(rows["suspected"], pc.greater_equal(rows["probability"], probability))
        return _say(collection, rows.filter(sure).to_pylist(), [], None, who, write=write)


def _finding(collection: Collection) -> pa.Table:
    found = read_found(collection, FINDING)
    if found is None:
        raise CollectionError(
            f"{collection.path} has no suspected labels yet. Look for them first with: "
            "pixelmine mine label-errors COLLECTION."
        )
    return found.rows.drop_columns(["near"])


def _row(rows: pa.Table, prefix: str) -> dict[str, Any]:
    check_row_id(prefix)
    found = rows.filter(pc.starts_with(rows["row_id"], prefix)).to_pylist()
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} pictures whose labels were judged have a row id that starts with "
            f"{prefix}. The row ids are in what pixelmine mine label-errors prints."
        )
    return dict(found[0])


def _say(
    collection: Collection,
    yes: list[dict[str, Any]],
    no: list[dict[str, Any]],
    label: str | None,
    who: str | None,
    *,
    write: bool,
) -> Review:
    carried = _carried(collection, [row["picture_id"] for row in yes])
    accepted, passed, labels = [], [], []
    now, name = datetime.now(UTC), who or user_name()
    for row in yes:
        new = label.strip() if label is not None else row["suggested"]
        told = {"row_id": row["row_id"], "given": row["given"], "label": new}
        same = [
            one for one, current in carried.get(row["picture_id"], []) if current == [row["given"]]
        ]
        if row["row_id"] not in same:
            passed.append(told)
            continue
        accepted.append(told)
        labels += [
            {"row_id": one, "labels": [new], "source": FINDING, "who": name, "time": now}
            for one in same
        ]
    rejected = [
        {"row_id": row["row_id"], "given": row["given"], "label": row["suggested"]} for row in no
    ]
    decisions = [
        {
            "about": FINDING,
            "first": row["picture_id"],
            "second": None,
            "decision": f"rejected:{row['suggested']}",
            "who": name,
            "time": now,
        }
        for row in no
    ]
    if write and labels:
        collection.labels.append(pa.Table.from_pylist(labels, LABELS))
    if write and decisions:
        collection.decisions.append(pa.Table.from_pylist(decisions, DECISIONS))
    return Review(
        accepted=accepted, rejected=rejected, passed=passed, rows=len(labels), written=write
    )


def _carried(collection: Collection, pictures: list[str]) -> dict[str, list[tuple[str, list[str]]]]:
    """The rows of each picture, with the labels that each has now."""
    wanted = pa.array(pictures, pa.string())
    images = collection.images.read(["row_id", "picture_id"])
    images = images.filter(pc.is_in(images["picture_id"], value_set=wanted))
    current = collection.current_labels()
    at = pc.index_in(images["row_id"], value_set=current["row_id"].combine_chunks())
    labels = current["labels"].combine_chunks().take(at.combine_chunks()).to_pylist()
    found: dict[str, list[tuple[str, list[str]]]] = {}
    rows = images["row_id"].to_pylist()
    for row, picture, some in zip(rows, images["picture_id"].to_pylist(), labels, strict=True):
        found.setdefault(picture, []).append((row, some or []))
    return found
