"""Find what lies on two sides of a split that was not made here."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Leak", "find_leaks", "leak_warning"]


@dataclass(frozen=True, kw_only=True)
class Leak:
    """`what` (`group` or `picture_id`) named `value` has rows in each of `parts`, two or more."""

    what: str
    value: str
    parts: tuple[str, ...]


def find_leaks(rows: pa.Table) -> list[Leak]:
    """Each group, then each picture, that lies in more than one part, sorted by name.

    `rows` has `part`, `group` (null or empty: none) and `picture_id`.
    """
    return [*_leaks(rows, "group"), *_leaks(rows, "picture_id")]


def leak_warning(leaks: Sequence[Leak]) -> str | None:
    """What to tell the user; None where nothing leaks."""
    if not leaks:
        return None
    groups = sum(leak.what == "group" for leak in leaks)
    first = leaks[0]
    return (
        f"In more than one part lie {groups:,} groups and {len(leaks) - groups:,} pictures "
        f"(first: {first.what} {first.value}, in {' and '.join(first.parts)}). A model tested on "
        "what it learnt from looks better than it is; pixelmine split keeps them together."
    )


def _leaks(rows: pa.Table, what: str) -> list[Leak]:
    known = pc.and_kleene(pc.is_valid(rows[what]), pc.not_equal(rows[what], ""))
    pairs = rows.filter(known).group_by([what, "part"]).aggregate([])
    sides = pairs.group_by(what).aggregate([("part", "list"), ("part", "count")])
    several = sides.filter(pc.greater(sides["part_count"], 1)).sort_by(what)
    return [
        Leak(what=what, value=row[what], parts=tuple(sorted(row["part_list"])))
        for row in several.to_pylist()
    ]
