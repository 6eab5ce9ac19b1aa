"""Templates from labelled pictures: for each class the means that k-means finds.

N pictures of (H, W, C), K classes, T templates.
"""

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

from pixelmine.core.errors import UsageError

__all__ = ["learn_templates", "normalised", "sample_rows"]

_ROUNDS = 30


def sample_rows(y: np.ndarray, classes: int, count: int, seed: int) -> np.ndarray:
    """Positions of at most `count` of N pictures, as evenly of each class as there are, sorted.

    `y`: int64 (N,). Each class keeps one picture at least. Raises UsageError where one has none.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    mine = [order[y[order] == k] for k in range(classes)]
    if missing := [str(k) for k, rows in enumerate(mine) if not len(rows)]:
        raise UsageError(
            f"Each class needs a picture to make a template of. None has class "
            f"{', '.join(missing[:5])}."
        )
    kept = max(1, _even([len(rows) for rows in mine], count))
    return np.sort(np.concatenate([rows[:kept] for rows in mine]))


def learn_templates(
    x: np.ndarray, y: np.ndarray, rows: np.ndarray, classes: int, each: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(T, H, W, C) float32 templates and the class of each, int64 (T,), rising.

    Of every class's pictures among `rows`, each without its mean and of length 1, `each` means by
    k-means (Lloyd, started by k-means++), or as many as there are pictures. One thread does it:
    several add up in an order of their own, and the same pictures would not give the same bytes.
    """
    parts, owner = [], []
    with threadpool_limits(1):
        for k in range(classes):
            mine = rows[y[rows] == k]
            flat = normalised(x[mine]).reshape(len(mine), -1)
            found = KMeans(min(each, len(mine)), n_init=1, max_iter=_ROUNDS, random_state=seed)
            parts.append(_means(found, flat))
            owner += [k] * len(parts[-1])
    base = np.concatenate(parts).reshape(-1, *x.shape[1:])
    return np.asarray(base, np.float32), np.array(owner, np.int64)


def normalised(values: np.ndarray) -> np.ndarray:
    """(M, h, w, C) without the mean of each channel, at length 1; what has none stays 0."""
    centred = values - values.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    length = np.sqrt((centred**2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(centred / np.maximum(length, 1e-6), np.float32)


def _means(kmeans: KMeans, flat: np.ndarray) -> np.ndarray:
    """Its cluster centres; of pictures that are fewer when copies count once, those."""
    different = np.unique(flat, axis=0)
    if len(different) <= kmeans.n_clusters:
        return different
    return np.asarray(kmeans.fit(flat).cluster_centers_)


def _even(sizes: list[int], count: int) -> int:
    """The most that can be taken of each class so that all together are not above `count`."""
    low, high = 0, max(sizes)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(size, middle) for size in sizes) <= count:
            low = middle
        else:
            high = middle - 1
    return low
