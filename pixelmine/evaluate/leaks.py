"""Find what lies on two sides of a split: groups, copies, and pictures that look the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .near import Ties

__all__ = ["Leak", "find_leaks", "leak_notes"]


@dataclass(frozen=True, kw_only=True)
class Leak:
    """`what` (`group`, `picture_id` or `near_duplicates`) has rows in each of `parts`, two or more.

    `value`: its name; of near-duplicates the nearest two that lie apart, as picture ids. `uris`:
    the first row in each of `parts`, or those two. `distance`: of those two, in bits of 256.
    """

    what: str
    value: str
    parts: tuple[str, ...]
    uris: tuple[str, ...]
    distance: int | None = None

    def __str__(self) -> str:
        """Where it lies, for one line."""
        places = zip(self.uris, self.parts, strict=False)
        apart = "" if self.distance is None else f", {self.distance} of 256 bits apart"
        return " and ".join(f"{uri} in {part}" for uri, part in places) + apart


def find_leaks(rows: pa.Table, ties: Ties | None = None) -> list[Leak]:
    """Each group, picture and set of near-duplicates that lies in more than one part.

    `rows` has `uri`, `part`, `group` (null or empty: none) and `picture_id`, and may have `member`.
    Groups and pictures are sorted by name, near-duplicates by distance.
    """
    if "member" in rows.column_names:
        inside = pc.binary_join_element_wise(rows["uri"], rows["member"], "#")
        shown = pc.if_else(pc.equal(rows["member"], ""), rows["uri"], inside)
        rows = rows.set_column(rows.column_names.index("uri"), "uri", shown)
    near = [] if ties is None else _near_leaks(rows, ties)
    return [*_leaks(rows, "group"), *_leaks(rows, "picture_id"), *near]


def leak_notes(leaks: Sequence[Leak]) -> list[str]:
    """What to tell the user, a sentence for each kind of leak; nothing where nothing leaks."""
    notes = []
    names = {
        "group": ("group", "groups"),
        "picture_id": ("picture", "pictures, as they are,"),
        "near_duplicates": ("set of near-duplicates", "sets of near-duplicates"),
    }
    for what, (one, several) in names.items():
        if some := [leak for leak in leaks if leak.what == what]:
            name = f"1 {one} lies" if len(some) == 1 else f"{len(some):,} {several} lie"
            value = f"{some[0].value}: " if what == "group" else ""
            notes.append(f"LEAK: {name} in more than one part ({value}{some[0]}).")
    if notes:
        notes.append(
            "A model tested on what it learnt from looks better than it is; a split that "
            "pixelmine split makes keeps them together."
        )
    return notes


def _leaks(rows: pa.Table, what: str) -> list[Leak]:
    known = pc.and_kleene(pc.is_valid(rows[what]), pc.not_equal(rows[what], ""))
    pairs = rows.filter(known).group_by([what, "part"]).aggregate([("uri", "min")])
    sides = pairs.group_by(what).aggregate([("part", "list"), ("uri_min", "list")])
    several = sides.filter(pc.greater(pc.list_value_length(sides["part_list"]), 1)).sort_by(what)
    found = []
    for row in several.to_pylist():
        parts, uris = zip(
            *sorted(zip(row["part_list"], row["uri_min_list"], strict=True)), strict=True
        )
        found.append(Leak(what=what, value=row[what], parts=parts, uris=uris))
    return found


@dataclass(frozen=True, order=True)
class _Item:
    """A picture in a part."""

    part: str
    picture: str
    uri: str


def _near_leaks(rows: pa.Table, ties: Ties) -> list[Leak]:
    """One for each set of near-duplicates: its nearest two pictures that lie apart."""
    held = _items(rows, ties)
    label = np.full(ties.place.max(initial=-1) + 1, -1)
    label[ties.place] = ties.label
    apart: dict[int, tuple[int, _Item, _Item]] = {}
    parts: dict[int, set[str]] = defaultdict(set)
    for place, items in held.items():
        parts[int(label[place])].update(item.part for item in items)
    for distance, left, right in _nearest(held, label, ties):
        if int(label[left]) not in apart and (two := _apart(held[left], held[right])):
            apart[int(label[left])] = (distance, *two)
    return [
        Leak(
            what="near_duplicates",
            value=f"{one.picture} {other.picture}",
            parts=(one.part, other.part, *sorted(parts[name] - {one.part, other.part})),
            uris=(one.uri, other.uri),
            distance=distance,
        )
        for name, (distance, one, other) in sorted(apart.items(), key=lambda pair: pair[1])
    ]


def _items(rows: pa.Table, ties: Ties) -> dict[int, list[_Item]]:
    """The pictures of each hash, in each of their parts."""
    each = rows.group_by(["picture_id", "part"]).aggregate([("uri", "min")])
    at = pc.index_in(each["picture_id"], value_set=pa.array(ties.pictures, pa.string()))
    held: dict[int, list[_Item]] = defaultdict(list)
    for index, row in zip(at.to_pylist(), each.to_pylist(), strict=True):
        if index is not None:
            item = _Item(row["part"], row["picture_id"], row["uri_min"])
            held[int(ties.place[index])].append(item)
    return {place: sorted(items) for place, items in sorted(held.items())}


def _nearest(
    held: dict[int, list[_Item]], label: np.ndarray, ties: Ties
) -> Iterator[tuple[int, int, int]]:
    """Pairs of hashes that are tied, nearest first: distance and places; a hash and itself too."""
    for place, items in held.items():
        if len(items) > 1:
            yield 0, place, place
    tied = label[ties.pairs[:, 0]] == label[ties.pairs[:, 1]]
    order = np.flatnonzero(tied)[np.argsort(ties.distances[tied], kind="stable")]
    for (left, right), distance in zip(
        ties.pairs[order].tolist(), ties.distances[order].tolist(), strict=True
    ):
        if left in held and right in held:
            yield distance, left, right


def _apart(left: list[_Item], right: list[_Item]) -> tuple[_Item, _Item] | None:
    """The first two different pictures in different parts."""
    for one in left:
        for other in right:
            if one.part != other.part and one.picture != other.picture:
                return min(one, other), max(one, other)
    return None
