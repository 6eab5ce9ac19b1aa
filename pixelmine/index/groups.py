"""What pairs tie together: connected components, and the shortest pairs that give the same."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.errors import UsageError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["components", "spanning_forest"]

_HELD = 1 << 20
"""Pairs that are gathered before they are thinned."""


def components(n: int, pairs: np.ndarray) -> np.ndarray:
    """The component of each of `n` places, int64 (n,), of a graph with `pairs` (P, 2) as its edges.

    Whatever is connected, however remotely, has one number. Components are numbered by their
    smallest place: the first is that of place 0.
    """
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(_graph(n, pairs, np.ones(len(pairs))), directed=False)
    _, first, place = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[place]


def spanning_forest(
    n: int, blocks: Iterable[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """The fewest and shortest of the pairs that tie together what all of them do.

    `blocks`: (P, 2) pairs of `n` places with their distances (P,), 0 or more. Gives fewer than n
    pairs and their distances, whatever came in. At each radius, those of them that are at most so
    far have the same components as all that came in and are at most so far (single linkage): to
    try a smaller radius takes no second join.
    """
    pairs, distances = np.empty((0, 2), np.int64), np.empty(0, np.int64)
    held, held_distances, count = [pairs], [distances], 0
    for some, far in blocks:
        held.append(some)
        held_distances.append(far)
        count += len(some)
        if count > _HELD:
            pairs, distances = _thin(n, np.concatenate(held), np.concatenate(held_distances))
            held, held_distances, count = [pairs], [distances], 0
    return _thin(n, np.concatenate(held), np.concatenate(held_distances))


def _thin(n: int, pairs: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.sparse.csgraph import minimum_spanning_tree

    low = np.minimum(pairs[:, 0], pairs[:, 1])
    high = np.maximum(pairs[:, 0], pairs[:, 1])
    order = np.lexsort((distances, high, low))
    low, high, distances = low[order], high[order], distances[order]
    first = np.ones(len(low), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    shortest = np.stack([low[first], high[first]], axis=1)
    # A stored 0 would be taken for no edge at all.
    tree = minimum_spanning_tree(_graph(n, shortest, distances[first] + 1.0)).tocoo()
    found = np.stack([tree.row, tree.col], axis=1).astype(np.int64)
    return found, np.asarray(tree.data - 1).astype(np.int64)


def _graph(n: int, pairs: np.ndarray, weights: np.ndarray) -> "csr_array":
    from scipy.sparse import coo_array

    if len(pairs) and not (pairs.min() >= 0 and pairs.max() < n):
        wrong = pairs.min() if pairs.min() < 0 else pairs.max()
        raise UsageError(f"Each place of a pair must be 0 to {n - 1}. Got {wrong} instead.")
    return coo_array((weights, (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
