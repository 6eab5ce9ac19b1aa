"""The rounds of labelling that were, and how much accuracy each brought."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core.ids import digest
from pixelmine.evaluate import wilson
from pixelmine.mine.rounds import Hits
from pixelmine.store import Collection

__all__ = ["ROUNDS", "accuracy", "read_rounds", "remember", "rounds_so_far"]

_ROUNDS = "next-rounds"

ROUNDS = pa.schema(
    [
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("labelled", pa.int64(), nullable=False),
        pa.field("right", pa.int64()),
        pa.field("judged", pa.int64()),
        pa.field("split", pa.string()),
        pa.field("condition", pa.string()),
        pa.field("model", pa.string(), nullable=False),
    ]
)
"""Append-only: a row for each time that pictures to label were asked for, and the labels were
others than before. `right` of `judged` pictures were named as labelled; null where there were too
few labels. `split`: whose test part that was; null: of the labelled themselves, out of fold.
`condition`: the beginning of the digest of the one that the pictures were chosen by; not its words,
which may name a picture that is erased later. Rounds of another split, condition or model are other
rounds."""
_OF = ("split", "condition", "model")
"""What rounds must have in common to be compared."""


def rounds_so_far(path: str | Path) -> list[dict[str, Any]]:
    """Each round: `time`, `labelled`, `accuracy` with `low` and `high`, and `gain` of the last.

    `gain`: points of accuracy, 0 to 1, since the round before with the same split, condition and
    model; null where one of the two is not known. Raises CollectionError.
    """
    with Collection.open(Path(path)) as collection:
        return read_rounds(collection)


def remember(
    collection: Collection,
    labelled: int,
    hits: Hits | None,
    of: tuple[str | None, str | None, str],
) -> None:
    """Add a round of a split, a condition and a model.

    Not where the last of its kind had the same labels and came to the same.
    """
    split, where, model = of
    kind = (split, None if where is None else digest(where)[:12], model)
    now = {
        "labelled": labelled,
        "right": hits.right if hits else None,
        "judged": hits.judged if hits else None,
        **dict(zip(_OF, kind, strict=True)),
    }
    before = [
        {name: row[name] for name in now}
        for row in _read(collection)
        if tuple(row[name] for name in _OF) == kind
    ]
    if not before or before[-1] != now:
        table = collection.finding(_ROUNDS, ROUNDS)
        if table.exists and table.stored_schema().names != ROUNDS.names:
            table.replace(pa.Table.from_pylist(_read(collection), ROUNDS))
        table.append(pa.Table.from_pylist([{"time": datetime.now(UTC), **now}], ROUNDS))


def read_rounds(collection: Collection) -> list[dict[str, Any]]:
    """As `rounds_so_far` gives them."""
    rows = _read(collection)
    found: list[dict[str, Any]] = []
    last: dict[tuple[str | None, ...], float | None] = {}
    for row in rows:
        hits = Hits(right=row["right"], judged=row["judged"]) if row["judged"] else None
        now = accuracy(hits)
        value = now["value"] if now else None
        of = tuple(row[name] for name in _OF)
        before = last.get(of)
        found.append(
            {
                "time": row["time"].isoformat(timespec="seconds"),
                "labelled": row["labelled"],
                "accuracy": now,
                "gain": None if value is None or before is None else value - before,
                **{name: row[name] for name in _OF},
            }
        )
        last[of] = value
    return found


def _read(collection: Collection) -> list[dict[str, Any]]:
    """Oldest first; those that an older version kept have no condition."""
    table = collection.finding(_ROUNDS)
    if not table.exists:
        return []
    return [{"condition": None, **row} for row in table.read().sort_by("time").to_pylist()]


def accuracy(hits: Hits | None) -> dict[str, float] | None:
    """`value`, with `low` and `high`, of so many `pictures`; None where it is not known."""
    if hits is None:
        return None
    low, high = wilson(hits.right, hits.judged)
    return {
        "value": hits.right / hits.judged,
        "low": low,
        "high": high,
        "pictures": hits.judged,
    }
