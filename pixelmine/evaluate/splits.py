"""Divide labelled pictures into parts that share nothing.

Rows of one group (a sender, a patient, a camera), rows of the same picture and rows of pictures
that look the same make one unit, and a unit lies in one part. A hash of the unit's name says which.

Of folds nothing else does. Pictures that are added then never move old ones, with the one exception
that no rule avoids: where a new row ties two units together, or brings a smaller name, that unit is
placed anew, whole. Of train, val and test, a unit whose part has its share of the unit's labels
already goes where there is room: every part has its share of every label, and pictures that are
added move few old ones. `stratify` asks for one or the other.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.checks import check_fraction
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest
from pixelmine.core.schema import SPLITS
from pixelmine.index import components

from .near import Ties
from .strata import spread

__all__ = ["SplitOptions", "make_split", "split_table"]

NAMES = {2: ("train", "test"), 3: ("train", "val", "test")}

MOST_FOLDS = 100
"""More folds than anyone trains; a larger number is a slip."""


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How to divide.

    `parts`: shares of `train`, `val`, `test`, or of `train`, `test`; they add up to 1, and are met
    on average, not exactly. 8 to 1 to 1 leaves most to learn from. `folds`: instead of parts, that
    many equal ones, `fold-0` and on. `seed`: another one gives another division. `stratify`: give
    every part its share of every label, as near as whole units allow, for which some units leave
    the part that their hash says; by default done for parts, where a rare label could miss in one,
    and not for folds, which all are tested on in turn. `near_duplicates`: keep pictures that look
    the same on one side.
    """

    parts: tuple[float, ...] = (0.8, 0.1, 0.1)
    folds: int | None = None
    seed: int = 0
    stratify: bool | None = None
    near_duplicates: bool = True

    def __post_init__(self) -> None:
        if self.folds is not None and not 2 <= self.folds <= MOST_FOLDS:
            raise UsageError(f"folds must be 2 to {MOST_FOLDS}. Got {self.folds} instead.")
        if len(self.parts) not in NAMES:
            raise UsageError(
                "parts must be two shares (train, test) or three (train, val, test). "
                f"Got {len(self.parts)} instead."
            )
        for share in self.parts:
            check_fraction("each of parts", share)
        if abs(sum(self.parts) - 1) > 1e-6:
            raise UsageError(f"parts must add up to 1. Got {sum(self.parts):g} instead.")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parts, in order."""
        if self.folds is not None:
            return tuple(f"fold-{i}" for i in range(self.folds))
        return NAMES[len(self.parts)]

    @property
    def stratified(self) -> bool:
        """Whether every part is given its share of every label."""
        return self.folds is None if self.stratify is None else self.stratify

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the parts, in order."""
        return self.parts if self.folds is None else (1 / self.folds,) * self.folds

    def hash_of(self, key: str) -> int:
        """SHA-256 of the name of a unit, as a number."""
        mixed = f"{self.seed}:{key}" if self.seed else key
        return int(hashlib.sha256(mixed.encode()).hexdigest(), 16)

    def part_of(self, key: str) -> str:
        """The part that the hash gives the unit named `key`, by remainder or share."""
        number = self.hash_of(key)
        if self.folds is not None:
            return self.names[number % self.folds]
        limits = list(accumulate(self.parts))[:-1]
        return self.names[bisect_right(limits, number / 2**256)]

    def to_json(self) -> str:
        """What names the division."""
        how = {"parts": self.parts} if self.folds is None else {"folds": self.folds}
        rules = {"stratify": self.stratified, "near_duplicates": self.near_duplicates}
        return json.dumps({**how, **rules, "seed": self.seed}, sort_keys=True)


def make_split(
    rows: pa.Table, options: SplitOptions | None = None, ties: Ties | None = None
) -> pa.Table:
    """Place every row in a part: the columns of `core.schema.SPLITS`, sorted by row_id.

    `rows` has `row_id`, `picture_id`, `group` (null or empty: none) and `labels`, and may have
    more. `ties`: which pictures look the same. A unit's name is its smallest group, else its
    smallest picture_id. Raises UsageError where a part stays empty.
    """
    options = options or SplitOptions()
    keys, unit = _units(rows, ties)
    names = list(options.names)
    places = np.array([names.index(options.part_of(key)) for key in keys], np.int64)
    if options.stratified:
        row, label = _labels(rows)
        rank = np.array([options.hash_of(key) >> 193 for key in keys], np.int64)
        even = spread(unit[row], label, places, rank, np.array(options.shares))
        places = even if len(np.unique(even)) == len(names) else places
    part = pa.DictionaryArray.from_arrays(places[unit].astype(np.int32), names).cast(pa.string())
    _check_parts(part, names, len(keys))
    return split_table(options.to_json(), rows["row_id"], part)


def split_table(options: str, row_ids: pa.ChunkedArray, parts: pa.Array) -> pa.Table:
    """Name a division by how it was made and what it holds, as rows of `SPLITS`."""
    table = pa.table({"row_id": row_ids, "part": parts}).sort_by("row_id")
    ids, names = table["row_id"].to_pylist(), table["part"].to_pylist()
    split_id = digest(options, "\n".join(ids), "\n".join(names))
    column = pa.array([split_id], pa.string()).take(pa.array(np.zeros(len(ids), np.int64)))
    return pa.table([column, table["row_id"], table["part"]], schema=SPLITS)


def _units(rows: pa.Table, ties: Ties | None) -> tuple[Sequence[str], np.ndarray]:
    """The units' names, and of each row int64 (N,) the place of its unit among them.

    Groups and pictures are the nodes of a graph and each row is an edge from its picture to its
    group; a unit is a connected component.
    """
    named = rows["group"].cast(pa.string())
    group, groups = _codes(pc.if_else(pc.equal(named, ""), None, named))
    picture, pictures = _codes(pc.coalesce(rows["picture_id"], rows["row_id"]))
    tied = group >= 0
    picture += len(groups)
    edges = [np.stack([group[tied], picture[tied]], axis=1)]
    if ties is not None:
        edges.append(len(groups) + _tied(pictures, ties))
    names = groups + pictures
    component = components(len(names), np.concatenate(edges))
    _, first = np.unique(component, return_index=True)
    return [names[i] for i in first], component[picture]


def _tied(pictures: list[str], ties: Ties) -> np.ndarray:
    """Each picture with the first that it is tied to: places in `pictures`, int64 (P, 2)."""
    at = pc.index_in(
        pa.array(ties.pictures, pa.string()), value_set=pa.array(pictures, pa.string())
    )
    known = np.flatnonzero(at.is_valid())
    place = at.drop_null().to_numpy().astype(np.int64)
    _, first, label = np.unique(ties.label[known], return_index=True, return_inverse=True)
    return np.stack([place[first[label]], place], axis=1)


def _labels(rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Each label of each row: the row (P,) and which label (P,) it is."""
    labels = rows["labels"].combine_chunks()
    label, _ = _codes(pa.chunked_array([pc.list_flatten(labels)], pa.string()))
    return pc.list_parent_indices(labels).to_numpy().astype(np.int64), label


def _codes(values: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Each value's place (N,) among the sorted different ones, -1 for null; and those."""
    different = pc.drop_null(pc.unique(values))
    different = different.take(pc.sort_indices(different))
    place = pc.fill_null(pc.index_in(values, value_set=different), -1)
    return place.to_numpy().astype(np.int64), different.to_pylist()


def _check_parts(parts: pa.Array, names: Sequence[str], units: int) -> None:
    empty = [name for name in names if name not in pc.unique(parts).to_pylist()]
    if empty:
        raise UsageError(
            f"No picture falls into {', '.join(empty)}: {len(parts)} pictures are {units} units "
            "(groups, or single pictures) and a unit is never divided. "
            "Label more, or ask for fewer or larger parts, or for another --seed."
        )
