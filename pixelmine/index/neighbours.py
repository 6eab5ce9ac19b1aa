"""The nearest vectors of each vector: exact for few, by index cells for many.

Cells are those of an inverted file (Jegou, Douze and Schmid 2011): k-means divides the vectors, and
each is compared with those of the cells nearest to it, its own among them.
"""

from typing import Any, NamedTuple

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.core.processors import processors

__all__ = ["EXACT", "Nearest", "nearest"]

EXACT = 50_000
"""Vectors up to which each is compared with each: 50,000 of 1,280 numbers take about 40 s."""
_PROBES = 32
"""Cells that are looked into. Of 100,000 noisy embeddings in 1,264 cells .99 of the ten nearest."""
_LEARNT = 64
"""Vectors for each cell that the cells are learnt from."""


class Nearest(NamedTuple):
    """`places`: int64 (Q, k), -1 where there are fewer. `cosines`: float32 (Q, k), falling."""

    places: np.ndarray
    cosines: np.ndarray


def nearest(
    vectors: np.ndarray,
    k: int,
    *,
    queries: np.ndarray | None = None,
    exact: bool | None = None,
    seed: int = 0,
) -> Nearest:
    """The `k` of `vectors`, float32 (N, D) of length 1, that are nearest to each.

    Without `queries` each of the vectors is asked for, and is not its own neighbour. `queries`:
    int64 (Q,), places of those that are asked for, or float32 (Q, D), vectors that may be others.
    `exact`: None is up to 50,000. Ties are in no promised order.
    """
    if vectors.ndim != 2 or vectors.dtype != np.float32 or k < 1:
        raise UsageError(
            f"nearest takes float32 (N, D) and k from 1. Got {vectors.dtype} {vectors.shape}, {k}."
        )
    asked, own = vectors, np.arange(len(vectors))
    if queries is not None and queries.ndim == 1:
        asked, own = vectors[queries], queries
    elif queries is not None:
        asked, own = queries, np.empty(0, np.int64)
    if len(vectors) == 0 or len(asked) == 0:
        return Nearest(np.full((len(asked), k), -1), np.full((len(asked), k), -1, np.float32))
    if exact is None:
        exact = len(vectors) <= EXACT
    index = _index(np.ascontiguousarray(vectors), exact, seed)
    cosines, places = index.search(np.ascontiguousarray(asked), k + (len(own) > 0))
    if len(own):
        places, cosines = _without(own, places, cosines)
    return Nearest(places, cosines)


def _index(vectors: np.ndarray, exact: bool, seed: int) -> Any:
    import faiss

    index: Any
    faiss.omp_set_num_threads(processors())
    if exact:
        index = faiss.IndexFlatIP(vectors.shape[1])
    else:
        cells = max(1, round(4 * np.sqrt(len(vectors))))
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.seed = seed + 1
        index.cp.min_points_per_centroid = 1
        some = min(len(vectors), _LEARNT * cells)
        sample = np.random.default_rng(seed).choice(len(vectors), some, replace=False)
        index.train(vectors[np.sort(sample)])
        index.nprobe = min(cells, _PROBES)
    index.add(vectors)
    return index


def _without(
    own: np.ndarray, places: np.ndarray, cosines: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each row without the place that asks; where equal vectors hide it, the last goes."""
    at = places == own[:, None]
    at[~at.any(axis=1), -1] = True
    shape = len(places), places.shape[1] - 1
    return places[~at].reshape(shape).astype(np.int64), cosines[~at].reshape(shape)
