"""How much pictures that belong together count: the design effect.

Pictures of one burst or of one sender resemble each other, and so N of them say only as much as
N / effect independent ones (L. Kish, Survey Sampling, 1965). Counts are divided by it before they
are tested: J. N. K. Rao, A. J. Scott, "A simple method for the analysis of clustered binary data",
Biometrics 48 (1992), 577-585. Of M units the variance is that of Student's t with M - 1 degrees of
freedom, so that few units are not trusted with more than they can say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Effects", "common_effect", "effect_of_numbers", "effects_of_counts"]

_FEWEST = 4
"""Units below which the variance between them is not known: they count as one picture."""
_TINY = 1e-9
"""Variance that is nothing but rounding."""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The design effects of what one side was counted by, 1 or more.

    `cells`: by cells or families of them. `items`: by attribute and value. `measures`: by name. One
    that is not there is not known. None instead: its pictures are independent, and all are 1.
    """

    cells: Mapping[tuple[int, ...], float] | None = field(default=None, repr=False)
    items: Mapping[str, Mapping[str, float]] | None = field(default=None, repr=False)
    measures: Mapping[str, float] | None = field(default=None, repr=False)


def effects_of_counts(counts: "scipy.sparse.csr_array", sizes: np.ndarray) -> np.ndarray:
    """float64 (K,) of shares. `counts`: (U, K), of U units how many pictures have each of K things.

    `sizes`: (U,), how many pictures each unit has. NaN where none or all of the pictures have it.
    """
    sizes = sizes.astype(np.float64)
    pictures, counts = sizes.sum(), counts.astype(np.float64)
    share = np.asarray(counts.sum(axis=0)).ravel() / max(pictures, 1.0)
    squares = np.asarray(counts.multiply(counts).sum(axis=0)).ravel()
    between = squares - 2 * share * (counts.T @ sizes) + share**2 * (sizes**2).sum()
    return _effect(between, pictures * share * (1 - share), int((sizes > 0).sum()), pictures)


def effect_of_numbers(values: np.ndarray, units: np.ndarray) -> float | None:
    """Of the mean of float (N,) numbers, of `units`, int64 (N,); None where all are equal."""
    if not len(values):
        return None
    apart = values - values.mean()
    codes, unit = np.unique(units, return_inverse=True)
    between = np.square(np.bincount(unit, apart)).sum()
    found = _effect(
        np.array([between]), np.square(apart).sum(keepdims=True), len(codes), len(values)
    )
    return float(found[0]) if np.isfinite(found[0]) else None


def common_effect(
    first: float | None, of_first: int, second: float | None, of_second: int
) -> float:
    """One for both of two samples, by which the variance of their difference is right.

    What is not known of one is taken to be as of the other.
    """
    if first is None or second is None:
        return first or second or 1.0
    each = 1 / of_first + 1 / of_second
    return (first / of_first + second / of_second) / each


def _effect(between: np.ndarray, alone: np.ndarray, units: int, pictures: float) -> np.ndarray:
    """Variance between units over what it would be of independent pictures."""
    known = alone > _TINY
    if units < _FEWEST:
        return np.where(known, pictures, np.nan)
    found = between / np.where(known, alone, np.nan) * units / (units - 3)
    return np.asarray(np.clip(found, 1.0, max(pictures, 1.0)))  # NaN stays
