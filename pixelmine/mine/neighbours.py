"""The nearest pictures that are not tied to the one that asks."""

import numpy as np

from pixelmine.index import nearest

__all__ = ["untied"]

_MORE = 15
"""Neighbours that are asked for beyond those wanted, in place of tied ones."""
_MANY = 20
"""Times as many are asked for, once, by pictures whose neighbourhood is tied to them."""


def untied(
    vectors: np.ndarray, units: np.ndarray, k: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` nearest that are not of a picture's own unit: places, int64 (N, k), and cosines.

    `vectors`: float32 (N, D), each of length 1. `units`: int64 (N,), equal for what is tied.
    Nearest first; -1, with cosine -1, where there are fewer, or fewer among 20 times as many. Above
    50,000 vectors neighbours are found by index cells.
    """
    most = max(1, len(vectors) - 1)
    places, cosines = _found(vectors, units, k, min(k + _MORE, most), None, seed)
    few = np.flatnonzero(places[:, -1] < 0)
    if len(few) and k + _MORE < most:
        again = _found(vectors, units, k, min(_MANY * k, most), few, seed)
        places[few], cosines[few] = again
    return places, cosines


def _found(
    vectors: np.ndarray,
    units: np.ndarray,
    k: int,
    asked: int,
    queries: np.ndarray | None,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    found = nearest(vectors, asked, queries=queries, seed=seed)
    own = units if queries is None else units[queries]
    tied = (found.places < 0) | (units[found.places] == own[:, None])
    order = np.argsort(tied, axis=1, kind="stable")[:, :k]
    places = np.where(
        np.take_along_axis(tied, order, 1), -1, np.take_along_axis(found.places, order, 1)
    )
    cosines = np.where(places < 0, -1, np.take_along_axis(found.cosines, order, 1))
    missing = k - places.shape[1]  # of fewer pictures than are asked for
    pad = ((0, 0), (0, max(0, missing)))
    return (
        np.pad(places, pad, constant_values=-1),
        np.pad(cosines, pad, constant_values=-1).astype(np.float32),
    )
