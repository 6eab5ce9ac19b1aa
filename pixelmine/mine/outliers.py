"""Pictures that are unlike all others, or unlike those of their own label.

How far a picture is away is the mean distance to its `k` nearest neighbours (Ramaswamy, Rastogi and
Shim, "Efficient Algorithms for Mining Outliers from Large Data Sets", SIGMOD 2000, rank by the
k-th; the mean, after Angiulli and Pizzuti, PKDD 2002, does not jump where one more neighbour comes
near). Copies of a picture are no neighbours of it: else an outlier that lies there twice would hide
itself. What is usual, and how much it varies, comes from the collection: the median, and the
distance from it to the upper quartile, of which neither moves while less than a quarter is strange.
"""

from dataclasses import dataclass, field

import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

from .neighbours import untied

__all__ = ["Distances", "OutlierOptions", "far_from_label", "find_outliers"]

LEAST = 20
"""Pictures below which there is no telling what is usual: the upper quartile is then five."""
_QUARTILE = 0.6745
"""Standard deviations from the median to the upper quartile of a normal spread."""
_TINY = 1e-6


@dataclass(frozen=True, kw_only=True)
class OutlierOptions:
    """How many neighbours, and how far is far.

    `k`: neighbours; 10, so that a handful of strange pictures of one kind are strange still.
    `deviations`: from the median, in units of which a normal spread has one standard deviation;
    2.5, which one in 160 of a normal spread exceeds.
    """

    k: int = 10
    deviations: float = 2.5

    def __post_init__(self) -> None:
        check_positive("deviations", self.deviations)
        if self.k < 1:
            raise UsageError(f"k must be at least 1. Got {self.k} instead.")


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Of N pictures. `distance`: float32 (N,), 0 to 2, between vectors of length 1.

    `deviations`: float32 (N,), from the usual, more is stranger. `outlier`: bool (N,). `usual`: the
    median distance. `threshold`: the distance from which on a picture is an outlier. NaN, and
    False, where a picture has too few others to be compared with.
    """

    distance: np.ndarray = field(repr=False)
    deviations: np.ndarray = field(repr=False)
    outlier: np.ndarray = field(repr=False)
    usual: float
    threshold: float


def find_outliers(
    vectors: np.ndarray, units: np.ndarray, options: OutlierOptions, *, seed: int = 0
) -> tuple[Distances, np.ndarray, np.ndarray]:
    """How far each picture is from the others; with its nearest, int64 (N, k), and their cosines.

    `vectors`: float32 (N, D), each of length 1. `units`: int64 (N,), equal for copies. Above 50,000
    the neighbours are found by index cells. Raises UsageError for fewer than 20 units.
    """
    if len(np.unique(units)) < LEAST:
        raise UsageError(
            f"{len(np.unique(units))} different pictures say too little about what is usual: "
            f"{LEAST} are needed to tell what is not."
        )
    near, cosines = untied(vectors, units, options.k, seed=seed)
    return _judged(_mean_distance(near, cosines), options), near, cosines


def far_from_label(
    vectors: np.ndarray, units: np.ndarray, y: np.ndarray, options: OutlierOptions, *, seed: int = 0
) -> Distances:
    """How far each picture is from those of its own label, by what is usual in that label.

    `y`: int64 (N,), -1 where there is none. Labels of fewer than 20 units are left out. `usual` and
    `threshold` are NaN: each label has its own.
    """
    count = len(vectors)
    distance = np.full(count, np.nan, np.float32)
    deviations, outlier = distance.copy(), np.zeros(count, bool)
    for label in np.unique(y[y >= 0]):
        inside = np.flatnonzero(y == label)
        if len(np.unique(units[inside])) < LEAST:
            continue
        near, cosines = untied(vectors[inside], units[inside], options.k, seed=seed)
        found = _judged(_mean_distance(near, cosines), options)
        distance[inside], deviations[inside] = found.distance, found.deviations
        outlier[inside] = found.outlier
    return Distances(
        distance=distance,
        deviations=deviations,
        outlier=outlier,
        usual=float("nan"),
        threshold=float("nan"),
    )


def _mean_distance(near: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Float32 (N,), NaN where there is no neighbour."""
    away = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    there = near >= 0
    count = there.sum(axis=1)
    total = np.where(there, away, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _judged(distance: np.ndarray, options: OutlierOptions) -> Distances:
    known = np.isfinite(distance)
    if not known.any():
        usual = spread = float("nan")
    else:
        usual, quartile = (float(q) for q in np.quantile(distance[known], [0.5, 0.75]))
        spread = max((quartile - usual) / _QUARTILE, _TINY)
    deviations = ((distance - usual) / spread).astype(np.float32)
    return Distances(
        distance=distance,
        deviations=deviations,
        outlier=known & (deviations > options.deviations),
        usual=usual,
        threshold=usual + options.deviations * spread,
    )
