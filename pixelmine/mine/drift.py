"""What has changed between two piles of pictures, and whether anything has.

Parts: clusters (cells of the embeddings), labels, predictions, metadata, measures of quality, a
classifier that tries to tell the piles apart, and the discrepancy of their means under a kernel.
Within a part the p-values are corrected by Holm's method, and then by the number of parts; so the
chance that anything at all is called changed where nothing has is at most the level.

Clusters are cells, and families of cells that are neighbours. Cells and bins are made without
knowing which picture is of which pile: where nothing has changed, the piles are exchangeable, and
the exact tests stay exact. Pictures of one group are not independent: permutations take whole
groups, and counts are divided by their design effect, a stated approximation (`design_effect`),
since an exact test of few groups could not tell anything in a hundred comparisons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from pixelmine.core.checks import check_fraction
from pixelmine.core.errors import UsageError
from pixelmine.evaluate.corrected import holm

from .design_effect import common_effect
from .drift_counts import Counted, Pile, count, edges_of
from .drift_space import Space, cell_names, families, family_names, make_space
from .two_samples import Separated, compare_histograms, compare_shares, kernel_test, separate

__all__ = ["Cells", "Change", "Drift", "DriftOptions", "Part", "compare", "compare_counted"]

_PART_OF = {
    "label": "labels",
    "predicted": "predictions",
    "quality": "quality",
    "circumstance": "metadata",
}
_LEAST = 10
"""Pictures of both sides together that an item must have to be tested."""
_FEWEST = 5
"""Pictures of each side without which nothing can be said."""
_KERNEL = 4000
"""Pictures of each side for the kernel: 500 permutations of 8,000 take about two seconds."""
Name = TypeVar("Name")


@dataclass(frozen=True, kw_only=True)
class DriftOptions:
    """How drift is looked for.

    `level`: chance that drift is said where there is none. `cells`: None for 20 to 100, by the
    number of pictures. `permutations`: 499, so that the kernel's smallest p-value, .002, passes the
    correction for seven parts. `sample`: pictures of each side for the classifier; the AUC of
    20,000 is known to half a point. `seed`: of cells and permutations.
    """

    level: float = 0.05
    cells: int | None = None
    permutations: int = 499
    sample: int = 20_000
    seed: int = 1

    def __post_init__(self) -> None:
        check_fraction("level", self.level)
        if self.cells is not None and not 2 <= self.cells <= 10_000:
            raise UsageError(f"cells must be 2 to 10,000. Got {self.cells} instead.")
        if self.permutations < 19 or self.sample < 100:
            raise UsageError(
                "permutations must be at least 19 and sample at least 100. "
                f"Got {self.permutations} and {self.sample} instead."
            )


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Clusters that are known: int64 (N,) of each pile, 0 to K - 1, and K names."""

    before: np.ndarray = field(repr=False)
    after: np.ndarray = field(repr=False)
    names: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that was tested. `part`: where it belongs; `name`: which it is.

    `before`, `after`: shares, 0 to 1; of measures medians. `effect` with its 95 % interval: the
    difference of the shares; of measures Cliff's delta, -1 to 1. `corrected`: for everything that
    was tested. `cells`: of a cluster the numbers of its cells: one, or of a family several.
    """

    part: str
    name: str
    before: float
    after: float
    effect: float
    low: float
    high: float
    p_value: float
    corrected: float
    cells: tuple[int, ...] = ()

    @property
    def grew(self) -> bool:
        """Whether there is more of it."""
        return self.effect > 0


@dataclass(frozen=True, kw_only=True)
class Part:
    """`p_value`: the smallest of the part, corrected within it. `tests`: how many it has."""

    name: str
    p_value: float
    tests: int


@dataclass(frozen=True, kw_only=True)
class Drift:
    """`drifted`: the one decision: a part's p-value times the number of parts is below the level.

    `p_value`: the smallest of those. `changes`: everything tested, the surest first. `classifier`:
    how well the piles can be told apart. `discrepancy`: the kernel's, squared. `cells`: int64 (N,),
    of the pictures after. `untested`: attributes that one side lacks. `independent_before`,
    `independent_after`: how many groups, and pictures without one, a side's pictures are.
    """

    before: int
    after: int
    independent_before: int
    independent_after: int
    level: float
    p_value: float
    parts: tuple[Part, ...]
    changes: tuple[Change, ...]
    classifier: Separated
    discrepancy: float
    cells: np.ndarray = field(repr=False)
    distances: np.ndarray = field(repr=False)
    untested: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Whether anything has changed, at the level."""
        return self.p_value < self.level

    @property
    def changed(self) -> list[Change]:
        """What has changed, at the level, for everything that was tested."""
        return [change for change in self.changes if change.corrected < self.level]


def compare(
    before: Pile,
    after: Pile,
    options: DriftOptions | None = None,
    *,
    space: Space | None = None,
    clusters: Cells | None = None,
) -> Drift:
    """Compare two piles. Raises UsageError where a side has fewer than 5 pictures.

    `space`: one made of both already. `clusters`: instead of cells.
    """
    options = options or DriftOptions()
    _check(before, after)
    # A group on both sides makes them more alike, not less: its pictures may count one by one.
    shared = frozenset(before.groups) & frozenset(after.groups)
    before, after = before.ungrouped(shared), after.ungrouped(shared)
    if space is None:
        both = np.concatenate([before.vectors, after.vectors])
        # In the order of the pictures, so that the cells do not depend on which side they are of.
        order = np.argsort([*before.pictures, *after.pictures], kind="stable")
        space = make_space(both[order], options.cells, options.seed)
    edges = edges_of([before.measures, after.measures])
    of_after, distances = space.cells(space.project(after.vectors))
    of_before = space.cells(space.project(before.vectors))[0]
    if clusters is not None:
        of_before, of_after, names = clusters.before, clusters.after, list(clusters.names)
        together: dict[str, tuple[int, ...]] = {}
    else:
        pairs = zip(before.named_by(), after.named_by(), strict=False)
        kinds = [[*first, *second] for first, second in pairs]
        cells = np.concatenate([of_before, of_after])
        names = cell_names(cells, len(space.centres), kinds)
        together = family_names(families(space.centres), cells, kinds)
    named: dict[tuple[int, ...], str] = {(at,): name for at, name in enumerate(names)}
    named |= {cells: name for name, cells in together.items()}
    counted = (
        count(before, space, edges, options.sample, of_before, list(named)),
        count(after, space, edges, options.sample, of_after, list(named)),
    )
    return compare_counted(*counted, named, edges, of_after, distances, options)


def compare_counted(
    before: Counted,
    after: Counted,
    names: Mapping[tuple[int, ...], str],
    edges: dict[str, np.ndarray],
    cells: np.ndarray,
    distances: np.ndarray,
    options: DriftOptions,
) -> Drift:
    """Compare what was counted in the same cells and bins.

    `names`: of cells and families of them. `cells`, `distances`: of the pictures after.
    """
    tested: dict[str, list[Change]] = {"clusters": _cells(before, after, names)}
    lacking = sorted(set(before.known) ^ set(after.known))
    for attribute in sorted(set(before.known) & set(after.known)):
        if not (before.known[attribute] and after.known[attribute]):
            lacking.append(attribute)
            continue
        part = _PART_OF[before.kinds[attribute]]
        tested.setdefault(part, []).extend(_items(before, after, attribute, part))
    tested["measures"] = _measures(before, after, edges)
    both = np.concatenate([before.sample, after.sample])
    is_after = np.arange(len(both)) >= len(before.sample)
    folds, units = (
        np.concatenate([getattr(side, name) for side in (before, after)])
        for name in ("folds", "units")
    )
    by = {"permutations": options.permutations, "seed": options.seed}
    classifier = separate(both, is_after, folds, units, **by)
    few = np.r_[: len(before.sample)][:_KERNEL], np.r_[len(before.sample) : len(both)][:_KERNEL]
    some = np.concatenate(few)
    discrepancy, kernel = kernel_test(both[some], is_after[some], units=units[some], **by)
    within = {part: holm([one.p_value for one in tests]) for part, tests in tested.items() if tests}
    parts = [
        *(Part(name=part, p_value=min(p), tests=len(p)) for part, p in within.items()),
        Part(name="classifier", p_value=classifier.p_value, tests=1),
        Part(name="kernel", p_value=kernel, tests=1),
    ]
    changes = [
        Change(**{**vars(one), "corrected": min(1.0, len(parts) * p)})
        for part, p_values in within.items()
        for one, p in zip(tested[part], p_values, strict=True)
    ]
    changes.sort(key=lambda one: (one.corrected, one.p_value, -abs(one.effect), one.part, one.name))
    return Drift(
        before=before.pictures,
        after=after.pictures,
        independent_before=before.independent,
        independent_after=after.independent,
        level=options.level,
        p_value=min(1.0, len(parts) * min(part.p_value for part in parts)),
        parts=tuple(parts),
        changes=tuple(changes),
        classifier=classifier,
        discrepancy=discrepancy,
        cells=cells,
        distances=distances,
        untested=tuple(lacking),
    )


def _check(before: Pile, after: Pile) -> None:
    if min(len(before), len(after)) < _FEWEST:
        raise UsageError(
            f"Drift needs at least {_FEWEST} different pictures on each side. Got {len(before):,} "
            f"before and {len(after):,} after."
        )


def _cells(before: Counted, after: Counted, names: Mapping[tuple[int, ...], str]) -> list[Change]:
    found = []
    for cells, name in names.items():
        old, new = int(before.cells[list(cells)].sum()), int(after.cells[list(cells)].sum())
        if old + new:
            sides = (old, int(before.cells.sum())), (new, int(after.cells.sum()))
            design = _design(before.effects.cells, after.effects.cells, cells, *sides)
            found.append(_share("clusters", name, *sides, design, cells))
    return found


def _items(before: Counted, after: Counted, attribute: str, part: str) -> list[Change]:
    old, new = before.items[attribute], after.items[attribute]
    effect, later = (
        None if side.effects.items is None else side.effects.items.get(attribute, {})
        for side in (before, after)
    )
    found = []
    for value in sorted(set(old) | set(new)):
        if old.get(value, 0) + new.get(value, 0) >= _LEAST:
            sides = (
                (old.get(value, 0), before.known[attribute]),
                (new.get(value, 0), after.known[attribute]),
            )
            name = value if part in ("labels", "predictions") else f"{attribute} = {value}"
            found.append(_share(part, name, *sides, _design(effect, later, value, *sides)))
    return found


def _design(
    before: Mapping[Name, float] | None,
    after: Mapping[Name, float] | None,
    name: Name,
    old: tuple[int, int],
    new: tuple[int, int],
) -> float:
    """The design effect of a share that was counted on both sides."""
    effects = [1.0 if side is None else side.get(name) for side in (before, after)]
    return common_effect(effects[0], old[1], effects[1], new[1])


def _share(
    part: str,
    name: str,
    old: tuple[int, int],
    new: tuple[int, int],
    design: float,
    cells: tuple[int, ...] = (),
) -> Change:
    found = compare_shares(*old, *new, design)
    return Change(part=part, name=name, corrected=1.0, cells=cells, **vars(found))


def _measures(before: Counted, after: Counted, edges: dict[str, np.ndarray]) -> list[Change]:
    found = []
    for name in sorted(set(before.histograms) & set(after.histograms)):
        old, new = before.histograms[name], after.histograms[name]
        if not (old.sum() and new.sum() and len(edges[name])):
            continue
        sizes = (0, int(old.sum())), (0, int(new.sum()))
        design = _design(before.effects.measures, after.effects.measures, name, *sizes)
        p_value, effect, low, high = compare_histograms(old, new, design)
        found.append(
            Change(
                part="measures",
                name=name,
                before=_median(old, edges[name]),
                after=_median(new, edges[name]),
                effect=effect,
                low=low,
                high=high,
                p_value=p_value,
                corrected=1.0,
            )
        )
    return found


def _median(counts: np.ndarray, inner: np.ndarray) -> float:
    """The edge that half of the numbers lie below, to a bin."""
    place = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float(inner[min(place, len(inner) - 1)])
