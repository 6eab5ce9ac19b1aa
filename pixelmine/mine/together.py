"""Pictures that must not judge each other: copies, near-duplicates and groups, kept in one fold."""

from collections.abc import Sequence

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.index import components

__all__ = ["fold_of", "units_of"]


def units_of(count: int, *told: Sequence[object]) -> np.ndarray:
    """The unit that each of N pictures belongs to, int64 (N,): 0 for the first picture's.

    `told`: N values each, None where nothing is known; pictures with an equal value are tied, and
    what is tied to one of them is tied to all.
    """
    pairs = []
    for values in told:
        first: dict[object, int] = {}
        pairs += [
            (first.setdefault(value, place), place)
            for place, value in enumerate(values)
            if value is not None
        ]
    return components(count, np.array(pairs, np.int64).reshape(-1, 2))


def fold_of(units: np.ndarray, y: np.ndarray, folds: int = 5, seed: int = 0) -> np.ndarray:
    """A fold for each of N pictures, int64 (N,), 0 to `folds` - 1; a unit is never divided.

    Units are dealt out in the order of the label of their first picture and, within a label, as the
    seed draws them, so that each fold has its share of each label. Raises UsageError for `folds`
    below 2.
    """
    if folds < 2:
        raise UsageError(f"folds must be at least 2. Got {folds} instead.")
    names, first, unit = np.unique(units, return_index=True, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(names))
    order = np.lexsort([drawn, y[first]])
    fold = np.empty(len(names), np.int64)
    fold[order] = np.arange(len(names)) % folds
    return np.asarray(fold[unit])
