"""Where a model is weak: accuracy on slices of the test pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .corrected import LEVEL, holm
from .interval import Rate

__all__ = ["Slice", "slices"]

LEAST = 10
"""Pictures; a smaller slice has an interval of half the scale, and tells nothing."""

MOST = 50
"""Values of one column, the most frequent; beyond them a column is a name and no property."""

BINS = 4
"""Of numbers: quarters with as many pictures each, as far as equal numbers let them."""

_FEW = 8
"""Up to so many different numbers each is a slice of its own."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The pictures whose `by` is `value`; of numbers, from one value to another.

    `below`: how far its accuracy lies below that of all pictures, -1 to 1. `p`: of Fisher's exact
    test against the other pictures, corrected by Holm for the number of slices.
    """

    by: str
    value: str
    right: Rate
    below: float
    p: float

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance would bring (5 %)."""
        return self.p < LEVEL

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        accuracy = self.right.to_dict()
        return {
            "by": self.by,
            "value": self.value,
            "accuracy": accuracy,
            "below": self.below,
            "p": self.p,
        }


def slices(values: Mapping[str, Sequence[object]], right: np.ndarray) -> tuple[Slice, ...]:
    """Accuracy by each value of each column, the weakest first.

    `values`: by column, N values: strings, numbers (in quarters where there are more than 8), or
    None. `right`: (N,) bool. Slices of fewer than 10 pictures, and columns with one slice, are left
    out. Raises UsageError where a column has not N values.
    """
    found = []
    for by, column in values.items():
        if len(column) != len(right):
            raise UsageError(f"{by} must have {len(right)} values. Got {len(column)} instead.")
        parts = [(name, inside) for name, inside in _parts(column) if inside.sum() >= LEAST]
        found += [(by, *part) for part in parts if len(parts) > 1]
    corrected = holm([_p_value(right, inside) for _, _, inside in found])
    whole = float(right.mean()) if len(right) else 0.0
    rows = []
    for (by, name, inside), p in zip(found, corrected, strict=True):
        rate = Rate(hits=int(right[inside].sum()), pictures=int(inside.sum()))
        rows.append(Slice(by=by, value=name, right=rate, below=whole - rate.value, p=p))
    return tuple(sorted(rows, key=lambda one: (-one.below, one.by, one.value)))


def _parts(column: Sequence[object]) -> list[tuple[str, np.ndarray]]:
    numbers = [v for v in column if isinstance(v, int | float) and not isinstance(v, bool)]
    known = sum(v is not None for v in column)
    if numbers and len(numbers) == known and len(set(numbers)) > _FEW:
        return _quarters(np.array([np.nan if v is None else v for v in column], np.float64))
    names = np.array(["" if v is None else str(v) for v in column])
    found, counts = np.unique(names, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST]
    return [(str(found[i]), names == found[i]) for i in order]


def _quarters(numbers: np.ndarray) -> list[tuple[str, np.ndarray]]:
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, BINS + 1)))
    place = np.searchsorted(edges[1:-1], numbers, side="right").astype(np.int64)
    place[np.isnan(numbers)] = -1
    parts = []
    for i in range(len(edges) - 1):
        inside = place == i
        if inside.any():
            low, high = numbers[inside].min(), numbers[inside].max()
            parts.append((f"{low:.4g} to {high:.4g}", inside))
    return [*parts, ("", place == -1)] if (place == -1).any() else parts


def _p_value(right: np.ndarray, inside: np.ndarray) -> float:
    from scipy.stats import fisher_exact

    table = [[int((right & part).sum()), int((~right & part).sum())] for part in (inside, ~inside)]
    return float(fisher_exact(table).pvalue)
