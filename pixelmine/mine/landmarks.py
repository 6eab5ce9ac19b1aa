"""Which of N pictures a division is made of, and where the others lie among them.

Pictures that are nearly the same (copies, the frames of a film) are each other's nearest neighbours
and no one else's: the graph falls into pieces, and its spectrum tells of them and of nothing else.
So where there are many, one of each set stands for it; of many pictures a sample is divided; more
neighbours join the pieces; and what is then left in pieces too small to be a cluster takes no part.
All these follow their nearest.
"""

from typing import NamedTuple

import numpy as np

from pixelmine.index import components, nearest

__all__ = ["MOST", "Graph", "among", "graph", "sampled"]

MOST = 20_000
"""Pictures that are divided themselves. Of 100,000 noisy copies of 5,755 photographs, 20,000 gave
an adjusted mutual information with the labels of .46 for all in 13 s, 50,000 one of .41 in 55 s:
copies then outnumber neighbours (2026-11)."""
_SAME = 0.98
"""Cosine of near copies. Of 5,755 photographs of clothes, 95 in 100 have no other above .91."""
_MANY = 0.1
"""Share of the pictures with a near copy from which on one of each set stands for it."""
_ROUNDS = 8
_WIDEST = 120
"""Neighbours at most."""
_JOINED = 0.9
"""Share of the pictures that should lie in pieces large enough to be clusters."""
_AROUND = 3
"""Nearest ones between which a picture is placed, and that are looked at for near copies."""


class Graph(NamedTuple):
    """`inside`: int64 (M,), places that take part. `pieces`: how many they hang together in.

    `places`, `cosines`: (M, k), their nearest, numbered as in `inside`.
    """

    inside: np.ndarray
    places: np.ndarray
    cosines: np.ndarray
    pieces: int


def sampled(vectors: np.ndarray, least: int, seed: int) -> np.ndarray:
    """Places of all of N pictures, or of a sample of them, int64, rising; few are near copies.

    `vectors`: float32 (N, D) of length 1. `least`: of a cluster; four times as many stay at least.
    """
    kept = np.arange(len(vectors))
    if len(vectors) > MOST:
        kept = np.sort(np.random.default_rng(seed).choice(len(vectors), MOST, replace=False))
    for _ in range(_ROUNDS):
        found = nearest(vectors[kept], min(_AROUND, len(kept) - 1))
        near = found.cosines >= _SAME
        if near[:, 0].mean() < _MANY:
            break
        stays = _first_of_each(found.places, near)
        if stays.sum() < 4 * least or stays.all():
            break
        kept = kept[stays]
    return kept


def _first_of_each(places: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Which stay, bool (M,): none that is near to an earlier one that stays."""
    stays = [True] * len(places)
    for place, (others, close) in enumerate(zip(places.tolist(), near.tolist(), strict=True)):
        if stays[place]:
            for other, same in zip(others, close, strict=True):
                if same and other > place:
                    stays[other] = False
    return np.array(stays)


def graph(vectors: np.ndarray, width: int, least: int) -> Graph:
    """The nearest neighbours of each, at least `width`, without pieces of fewer than `least`.

    `vectors`: float32 (N, D) of length 1.
    """
    count = len(vectors)
    while True:
        width = min(width, count - 1)
        places, cosines = nearest(vectors, width)
        pairs = np.stack([np.repeat(np.arange(count), width), places.ravel()], axis=1)
        piece = components(count, pairs[places.ravel() >= 0])
        large = np.bincount(piece) >= least
        inside = np.flatnonzero(large[piece])
        if len(inside) >= _JOINED * count or width >= min(_WIDEST, count - 1):
            break
        width *= 2
    number = np.full(count + 1, -1)  # the last place: of no neighbour
    number[inside] = np.arange(len(inside))
    return Graph(inside, number[places[inside]], cosines[inside], int(large.sum()))


def among(
    vectors: np.ndarray, inside: np.ndarray, others: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of each of `others` the `width` nearest of those `inside`, numbered as there, and weights.

    `vectors`: float32 (N, D) of length 1. The weights, float32 (O, width), add up to 1; only the
    three nearest have any.
    """
    width = min(width, len(inside))
    exact = len(others) * len(inside) < MOST * MOST
    found = nearest(vectors[inside], width, queries=vectors[others], exact=exact)
    far = np.sqrt(np.maximum(2 - 2 * found.cosines.astype(np.float64), 0))
    weight = np.where(found.places >= 0, 1 / np.maximum(far, 1e-6), 0)
    weight[:, _AROUND:] = 0
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1e-30)
    return found.places, weight.astype(np.float32)
