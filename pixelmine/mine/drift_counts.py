"""One side of a comparison, counted: what is left of its pictures when they are not read again."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from zlib import crc32

import numpy as np

from .design_effect import Effects, effect_of_numbers, effects_of_counts
from .drift_space import Space
from .items import Attribute

__all__ = ["Counted", "Pile", "count", "edges_of"]

_BINS = 64
"""Of a number, by the quantiles of what it is compared with."""


@dataclass(frozen=True, kw_only=True)
class Pile:
    """N pictures of one side, in an order that has nothing to do with what they show.

    `vectors`: float32 (N, D), of length 1. `attributes`: labels, predictions, metadata. `measures`:
    float (N,) by name, NaN where unknown. `groups`: equal for pictures that are not independent, as
    those of one burst, one sender or one original; None where a picture is.
    """

    pictures: Sequence[str]
    vectors: np.ndarray = field(repr=False)
    attributes: Sequence[Attribute] = field(repr=False)
    measures: Mapping[str, np.ndarray] = field(repr=False)
    groups: Sequence[str | None] = field(repr=False)

    def ungrouped(self, groups: Collection[str | None]) -> "Pile":
        """The same pictures, those of these groups each for itself."""
        kept = [None if group in groups else group for group in self.groups]
        return replace(self, groups=kept)

    def __len__(self) -> int:
        return len(self.pictures)

    def named_by(self) -> list[Sequence[Sequence[str]]]:
        """The kinds of labels that name a cell."""
        return [a.values for a in self.attributes if a.kind in ("label", "predicted")]

    def units(self) -> np.ndarray:
        """int64 (N,): equal for pictures of one group."""
        _, codes = np.unique(np.array(self._keys(), object), return_inverse=True)
        return np.asarray(codes, np.int64)

    def folds(self) -> np.ndarray:
        """Halves, bool (N,), that keep copies and groups together, also those of two piles."""
        return np.array([crc32(key.encode()) % 2 == 1 for key in self._keys()], bool)

    def first_half(self) -> np.ndarray:
        """Bool (N,): about half of the pictures, the first ones but for whole groups."""
        _, first, unit = np.unique(self.units(), return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        until = np.cumsum(np.bincount(unit)[order])
        taken = max(1, int((until <= len(self) // 2).sum()))
        return np.isin(unit, order[:taken])

    def take(self, places: np.ndarray) -> Self:
        """Those at int64 (M,) places."""
        return type(self)(
            pictures=[self.pictures[at] for at in places],
            vectors=self.vectors[places],
            attributes=[
                Attribute(name=one.name, kind=one.kind, values=[one.values[at] for at in places])
                for one in self.attributes
            ],
            measures={name: values[places] for name, values in self.measures.items()},
            groups=[self.groups[at] for at in places],
        )

    def _keys(self) -> list[str]:
        both = zip(self.pictures, self.groups, strict=True)
        return [picture if group is None else group for picture, group in both]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Counts of one side.

    `cells`: int64 (K,). `items`: by attribute and value, how many pictures have it; `known`: by
    attribute, how many have a value at all; `kinds`: what each is. `histograms`: int64 (B,) by
    measure. `sample`, `folds`, `units`: some pictures' projected vectors, float32 (S, R), bool (S,)
    and int64 (S,). `independent`: how many groups and pictures without one. `effects`: how much
    less each count says since pictures are of groups.
    """

    pictures: int
    cells: np.ndarray = field(repr=False)
    items: Mapping[str, Mapping[str, int]] = field(repr=False)
    known: Mapping[str, int]
    kinds: Mapping[str, str]
    histograms: Mapping[str, np.ndarray] = field(repr=False)
    sample: np.ndarray = field(repr=False)
    folds: np.ndarray = field(repr=False)
    units: np.ndarray = field(repr=False)
    independent: int
    effects: Effects


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
    clusters: Sequence[tuple[int, ...]],
) -> Counted:
    """Count a pile. `cells`: int64 (N,), each one's. `clusters`: the cells and families of them.

    `sample`: vectors to keep.
    """
    some = space.project(pile.vectors[:sample])
    units = pile.units()
    many = max(max(cluster) for cluster in clusters) + 1
    independent = int(units.max()) + 1
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
        units=units[:sample],
        independent=independent,
        effects=Effects()
        if independent == len(pile)
        else Effects(
            cells=_of_cells(cells, units, clusters, many),
            items={one.name: _of_items(one, units) for one in pile.attributes},
            measures=_of_measures(pile, units, edges),
        ),
    )


def _of_cells(
    cells: np.ndarray, units: np.ndarray, clusters: Sequence[tuple[int, ...]], many: int
) -> dict[tuple[int, ...], float]:
    from scipy.sparse import csr_array

    inside = [(cell, at) for at, cluster in enumerate(clusters) for cell in cluster]
    rows, columns = np.array(inside, np.int64).T
    which = csr_array((np.ones(len(rows)), (rows, columns)), shape=(many, len(clusters)))
    counts = csr_array((np.ones(len(cells)), (units, cells)), shape=(units.max() + 1, many))
    found = effects_of_counts(csr_array(counts @ which), np.bincount(units))
    return {one: float(e) for one, e in zip(clusters, found, strict=True) if np.isfinite(e)}


def _of_items(attribute: Attribute, units: np.ndarray) -> dict[str, float]:
    from scipy.sparse import csr_array

    names: dict[str, int] = {}
    rows, columns = [], []
    for unit, values in zip(units.tolist(), attribute.values, strict=True):
        for value in set(values):
            rows.append(unit)
            columns.append(names.setdefault(value, len(names)))
    if not names:
        return {}
    shape = (int(units.max()) + 1, len(names))
    counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    known = np.array([bool(values) for values in attribute.values], bool)
    found = effects_of_counts(counts, np.bincount(units, known, minlength=shape[0]))
    return {name: float(found[at]) for name, at in names.items() if np.isfinite(found[at])}


def _of_measures(
    pile: Pile, units: np.ndarray, edges: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Of the ranks of the numbers, which is what the bins are."""
    from scipy.stats import rankdata

    found = {}
    for name, inner in edges.items():
        if name in pile.measures:
            known = np.isfinite(pile.measures[name])
            bins = np.searchsorted(inner, pile.measures[name][known], "right")
            effect = effect_of_numbers(rankdata(bins), units[known])
            if effect is not None:
                found[name] = effect
    return found


def _histogram(values: np.ndarray, inner: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.bincount(np.searchsorted(inner, known, "right"), minlength=len(inner) + 1)
