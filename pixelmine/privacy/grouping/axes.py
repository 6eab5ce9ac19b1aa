"""A quasi-identifier as an axis: places in an order that can be cut, and names of its stretches.

Numbers and times lie on their axis by their size, text by the alphabet, and text with a hierarchy
by its groups, so that a group is one stretch. A stretch of a hierarchy may be cut only where its
coarsest groups meet: what is released is then a value, a group, or neighbours of one parent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pixelmine.core.errors import UsageError

from .values import Values

__all__ = ["ANYTHING", "Axis", "Hierarchy", "axis_of"]

ANYTHING = "*"
"""What a column says of a row where it says nothing."""
NULL = "null"

Hierarchy = Mapping[str, str | Sequence[str]]
"""Value -> its group, or its groups from the finest to the coarsest."""

_MOST_PLACES = 1024
"""Without a hierarchy: more different values are first put into as many bins of like size."""
_NULL_APART = 0.1
"""Null lies this part of the range below the smallest number."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One quasi-identifier, N rows on M places.

    `codes`: int32 (N,). `low`, `high`: float64 (M,), where a place begins and ends, on an axis of
    length 1. `apart`: int32 (M - 1,): how many groups, from the coarsest, a place and the next have
    in common; a stretch is cut where it is least. `first`, `last`: the values at a place's ends.
    `groups`: (M,) each value's groups, the coarsest first; empty without a hierarchy. `different`:
    values there are, null included; more than M where they were put into bins.
    """

    codes: np.ndarray
    low: np.ndarray
    high: np.ndarray
    apart: np.ndarray
    first: list[str]
    last: list[str]
    groups: list[tuple[str, ...]]
    nulls: int
    different: int

    def exact(self, low: int, high: int) -> bool:
        """Whether the places `low` to `high` are one value."""
        return low == high and self.first[low] == self.last[low]

    def covered(self, low: int, high: int) -> tuple[int, int]:
        """The places that the name of a stretch stands for: whole groups of a hierarchy."""
        if self.nulls and low == 0 < high:
            return 0, self.covered(1, high)[1]
        depth = self._depth(low, high)
        if low == high or depth + 1 >= len(self.groups[low]):
            return low, high
        below = np.flatnonzero(self.apart[:low] <= depth)
        above = np.flatnonzero(self.apart[high:] <= depth)
        last = high + int(above[0]) if len(above) else len(self.first) - 1
        return (int(below[-1]) + 1 if len(below) else 0), last

    def share(self, low: int, high: int) -> float:
        """The part of the axis that its name stands for, 0 to 1: the normalised certainty penalty.

        0 for one value (J. Xu et al., "Utility-based anonymization using local recoding", 2006).
        """
        low, high = self.covered(low, high)
        return float(self.high[high] - self.low[low])

    def name(self, low: int, high: int) -> str | None:
        """What is released for the places `low` to `high`; None for null alone."""
        if self.nulls and low == high == 0:
            return None
        low, high = self.covered(low, high)
        if low == 0 and high == len(self.first) - 1 and self.first[low] != self.last[high]:
            return ANYTHING
        if self.nulls and low == 0:
            return f"{NULL} | {self.name(1, high)}"
        depth = self._depth(low, high)
        if low == high or not self.groups[low]:
            return _range(self.first[low], self.last[high])
        if depth and (low, high) == self._parent(low, depth):
            return self.groups[low][depth - 1]
        return _range(_at(self.groups[low], depth), _at(self.groups[high], depth))

    def _depth(self, low: int, high: int) -> int:
        return int(self.apart[low:high].min()) if high > low else len(self.groups[low])

    def _parent(self, place: int, depth: int) -> tuple[int, int]:
        """The first and last place of the group at `depth` - 1 around a place."""
        below = np.flatnonzero(self.apart[:place] < depth)
        above = np.flatnonzero(self.apart[place:] < depth)
        last = place + int(above[0]) if len(above) else len(self.first) - 1
        return (int(below[-1]) + 1 if len(below) else 0), last


def axis_of(values: Values, name: str, hierarchy: Hierarchy | None = None) -> Axis:
    """The axis of a column. Raises UsageError where the hierarchy does not fit it."""
    if hierarchy is not None:
        return _tree(values, name, hierarchy)
    texts = values.texts()
    first = last = np.arange(len(texts))
    at = _positions(values)
    codes = values.codes
    if len(texts) > _MOST_PLACES:
        known = codes[codes >= values.nulls] - values.nulls
        counts = np.bincount(known, minlength=len(texts))
        before = np.cumsum(counts) - counts
        _, first, bins = np.unique(
            before * _MOST_PLACES // len(known), return_index=True, return_inverse=True
        )
        last = np.append(first[1:], len(texts)) - 1
        places = np.concatenate((np.zeros(values.nulls, int), bins + values.nulls))
        codes = places[codes].astype(np.int32)
    low, high = at[first], at[last]
    if values.nulls:
        low, high = (np.concatenate(([-_NULL_APART], ends)) for ends in (low, high))
        low, high = ((ends + _NULL_APART) / (1 + _NULL_APART) for ends in (low, high))
    null = [NULL] * values.nulls
    return Axis(
        codes=codes,
        low=low,
        high=high,
        apart=np.zeros(max(len(low) - 1, 0), np.int32),
        first=null + [texts[place] for place in first],
        last=null + [texts[place] for place in last],
        groups=[()] * len(low),
        nulls=values.nulls,
        different=values.size,
    )


def _positions(values: Values) -> np.ndarray:
    """Where the values lie from 0, the smallest, to 1: by their ranks where they have no size."""
    if values.ordered:
        at = values.positions()
        with np.errstate(invalid="ignore", over="ignore"):
            width = at[-1] - at[0] if len(at) else 0.0
        if width == 0:
            return np.zeros(len(at))
        if np.isfinite(width):
            return np.asarray((at - at[0]) / width)
    ranks = np.arange(len(values.distinct), dtype=np.float64)
    return ranks / max(len(ranks) - 1, 1)


def _tree(values: Values, name: str, hierarchy: Hierarchy) -> Axis:
    texts = values.texts()
    if missing := sum(text not in hierarchy for text in texts):
        raise UsageError(
            f"The hierarchy of {name!r} lacks {missing} of its {len(texts)} values: name a group "
            "for each."
        )
    found = [hierarchy[text] for text in texts]
    groups = [(one,) if isinstance(one, str) else tuple(reversed(one)) for one in found]
    if len({len(one) for one in groups}) > 1:
        raise UsageError(f"In the hierarchy of {name!r} all values need equally many groups.")
    paths = [(*group, text) for group, text in zip(groups, texts, strict=True)]
    order = sorted(range(len(texts)), key=lambda number: paths[number])
    ordered = [paths[number] for number in order]
    places = np.empty(len(texts) + values.nulls, np.int32)
    places[: values.nulls] = 0
    places[np.array(order, int) + values.nulls] = np.arange(len(order)) + values.nulls
    apart = [_common(one, two) for one, two in pairwise(ordered)]
    names = [NULL] * values.nulls + [path[-1] for path in ordered]
    at = np.arange(len(names)) / max(len(names) - 1, 1)
    return Axis(
        codes=places[values.codes],
        low=at,
        high=at,
        apart=np.array(([0] if values.nulls and ordered else []) + apart, np.int32),
        first=names,
        last=names,
        groups=[(NULL,)] * values.nulls + ordered,
        nulls=values.nulls,
        different=values.size,
    )


def _common(one: tuple[str, ...], two: tuple[str, ...]) -> int:
    return next(
        place for place, pair in enumerate(zip(one, two, strict=True)) if len(set(pair)) > 1
    )


def _at(path: tuple[str, ...], depth: int) -> str:
    return path[min(depth, len(path) - 1)]


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} .. {last}"
