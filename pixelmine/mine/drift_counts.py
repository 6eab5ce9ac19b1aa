"""One side of a comparison, counted: what is left of its pictures when they are not read again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from .drift_space import Space
from .items import Attribute

__all__ = ["Counted", "Pile", "count", "edges_of"]

_BINS = 64
"""Of a number, by the quantiles of what it is compared with."""
_GROUPS = 20
"""Groups from which on a whole group lies in one fold; of fewer the folds would be too uneven."""


@dataclass(frozen=True, kw_only=True)
class Pile:
    """N pictures of one side, in an order that has nothing to do with what they show.

    `vectors`: float32 (N, D), of length 1. `attributes`: labels, predictions, metadata. `measures`:
    float (N,) by name, NaN where unknown. `groups`: None where a picture has none.
    """

    pictures: Sequence[str]
    vectors: np.ndarray = field(repr=False)
    attributes: Sequence[Attribute] = field(repr=False)
    measures: Mapping[str, np.ndarray] = field(repr=False)
    groups: Sequence[str | None] = field(repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def named_by(self) -> list[Sequence[Sequence[str]]]:
        """The kinds of labels that name a cell."""
        return [a.values for a in self.attributes if a.kind in ("label", "predicted")]

    def folds(self) -> np.ndarray:
        """Halves, bool (N,), that keep copies, and groups where there are enough, together."""
        several = len(set(self.groups) - {None}) >= _GROUPS
        keys = [
            group if several and group is not None else picture
            for picture, group in zip(self.pictures, self.groups, strict=True)
        ]
        return np.array([crc32(key.encode()) % 2 == 1 for key in keys], bool)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Counts of one side.

    `cells`: int64 (K,). `items`: by attribute and value, how many pictures have it; `known`: by
    attribute, how many have a value at all; `kinds`: what each is. `histograms`: int64 (B,) by
    measure. `sample`, `folds`: some pictures' projected vectors, float32 (S, R), and bool (S,).
    """

    pictures: int
    cells: np.ndarray = field(repr=False)
    items: Mapping[str, Mapping[str, int]] = field(repr=False)
    known: Mapping[str, int]
    kinds: Mapping[str, str]
    histograms: Mapping[str, np.ndarray] = field(repr=False)
    sample: np.ndarray = field(repr=False)
    folds: np.ndarray = field(repr=False)


def edges_of(measures: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Inner edges of the bins of each measure that all sides have, by the quantiles of them all."""
    shared = set(measures[0]).intersection(*measures[1:])
    found = {}
    for name in sorted(shared):
        sides = [side[name][np.isfinite(side[name])] for side in measures]
        if all(len(side) for side in sides):
            shares = np.linspace(0, 1, _BINS + 1)[1:-1]
            found[name] = np.unique(np.quantile(np.concatenate(sides), shares))
    return found


def count(
    pile: Pile,
    space: Space,
    edges: Mapping[str, np.ndarray],
    sample: int,
    cells: np.ndarray,
    many: int,
) -> Counted:
    """Count a pile. `cells`: int64 (N,), each one's of so `many`. `sample`: vectors to keep."""
    some = space.project(pile.vectors[:sample])
    return Counted(
        pictures=len(pile),
        cells=np.bincount(cells, minlength=many),
        items={
            one.name: dict(Counter(value for values in one.values for value in set(values)))
            for one in pile.attributes
        },
        known={one.name: sum(map(bool, one.values)) for one in pile.attributes},
        kinds={one.name: one.kind for one in pile.attributes},
        histograms={
            name: _histogram(pile.measures[name], inner)
            for name, inner in edges.items()
            if name in pile.measures
        },
        sample=some,
        folds=pile.folds()[:sample],
    )


def _histogram(values: np.ndarray, inner: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.bincount(np.searchsorted(inner, known, "right"), minlength=len(inner) + 1)
