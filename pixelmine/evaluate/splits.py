"""Divide labelled pictures into parts that share nothing.

Rows of one group (a sender, a patient, a camera) and rows of the same picture make one unit, and a
unit lies in one part. Which part is decided by a hash of the unit's name alone, so that adding
pictures never moves old ones, with the one exception that no rule avoids: where a new row ties two
units together, or brings a smaller name, that unit is placed anew, whole.
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

__all__ = ["SplitOptions", "make_split", "split_table"]

NAMES = {2: ("train", "test"), 3: ("train", "val", "test")}

MOST_FOLDS = 100
"""More folds than anyone trains; a larger number is a slip."""


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How to divide.

    `parts`: shares of `train`, `val`, `test`, or of `train`, `test`; they add up to 1, and are met
    on average, not exactly. 8 to 1 to 1 leaves most to learn from. `folds`: instead of parts, that
    many equal ones, `fold-0` and on. `seed`: another one gives another division.
    """

    parts: tuple[float, ...] = (0.8, 0.1, 0.1)
    folds: int | None = None
    seed: int = 0

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

    def part_of(self, key: str) -> str:
        """The part of the unit named `key`: SHA-256 of it, as a number, by remainder or share."""
        mixed = f"{self.seed}:{key}" if self.seed else key
        number = int(hashlib.sha256(mixed.encode()).hexdigest(), 16)
        if self.folds is not None:
            return self.names[number % self.folds]
        limits = list(accumulate(self.parts))[:-1]
        return self.names[bisect_right(limits, number / 2**256)]

    def to_json(self) -> str:
        """What names the division."""
        how = {"parts": self.parts} if self.folds is None else {"folds": self.folds}
        return json.dumps({**how, "seed": self.seed}, sort_keys=True)


def make_split(rows: pa.Table, options: SplitOptions | None = None) -> pa.Table:
    """Place every row in a part: the columns of `core.schema.SPLITS`, sorted by row_id.

    `rows` has `row_id`, `picture_id` and `group` (null or empty: none), and may have more. A unit's
    name is its smallest group, else its smallest picture_id. Raises UsageError where a part stays
    empty.
    """
    options = options or SplitOptions()
    keys, unit = _units(rows)
    names = list(options.names)
    places = np.array([names.index(options.part_of(key)) for key in keys], np.int32)
    part = pa.DictionaryArray.from_arrays(places[unit], names).cast(pa.string())
    _check_parts(part, names, len(keys))
    return split_table(options.to_json(), rows["row_id"], part)


def split_table(options: str, row_ids: pa.ChunkedArray, parts: pa.Array) -> pa.Table:
    """Name a division by how it was made and what it holds, as rows of `SPLITS`."""
    table = pa.table({"row_id": row_ids, "part": parts}).sort_by("row_id")
    ids, names = table["row_id"].to_pylist(), table["part"].to_pylist()
    split_id = digest(options, "\n".join(ids), "\n".join(names))
    column = pa.array([split_id], pa.string()).take(pa.array(np.zeros(len(ids), np.int64)))
    return pa.table([column, table["row_id"], table["part"]], schema=SPLITS)


def _units(rows: pa.Table) -> tuple[Sequence[str], np.ndarray]:
    """The units' names, and of each row (N,) the place of its unit among them.

    Groups and pictures are the nodes of a graph and each row is an edge from its picture to its
    group; a unit is a connected component.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    named = rows["group"].cast(pa.string())
    group_of = pc.if_else(pc.equal(named, ""), None, named)
    picture_of = pc.coalesce(rows["picture_id"], rows["row_id"])
    group, groups = _codes(group_of)
    picture, pictures = _codes(picture_of)
    tied = group >= 0
    nodes = len(groups) + len(pictures)
    edges = (np.ones(tied.sum()), (group[tied], picture[tied] + len(groups)))
    count, component = connected_components(
        coo_array(edges, shape=(nodes, nodes)).tocsr(), directed=False
    )
    first = np.full(count, nodes)
    np.minimum.at(first, component, np.arange(nodes))
    names = groups + pictures
    return [names[i] for i in first], component[picture + len(groups)]


def _codes(values: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Each value's place (N,) among the sorted different ones, -1 for null; and those."""
    different = pc.drop_null(pc.unique(values))
    different = different.take(pc.sort_indices(different))
    place = pc.fill_null(pc.index_in(values, value_set=different), -1)
    return place.to_numpy(), different.to_pylist()


def _check_parts(parts: pa.Array, names: Sequence[str], units: int) -> None:
    empty = [name for name in names if name not in pc.unique(parts).to_pylist()]
    if empty:
        raise UsageError(
            f"No picture falls into {', '.join(empty)}: {len(parts)} pictures are {units} units "
            "(groups, or single pictures) and a unit is never divided. "
            "Label more, or ask for fewer or larger parts, or for another --seed."
        )
