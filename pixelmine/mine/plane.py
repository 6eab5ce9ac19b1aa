"""N pictures as points of a plane: neighbours stay neighbours, distances far apart mean little.

t-SNE (van der Maaten and Hinton 2008) of at most 5,000 landmarks, begun at their two principal
components (Kobak and Berens 2019); every other picture lies at the weighted mean of the landmarks
nearest to it. 3,000 landmarks take about 10 s on one core, 10^6 pictures around them 20 s more
(2026-11).
"""

from typing import Any

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.index import nearest

__all__ = ["plane"]

LANDMARKS = 3_000
_MOST = 5_000
_AROUND = 3
"""Landmarks that a picture lies between."""
_PERPLEXITY = 30.0


def plane(vectors: np.ndarray, landmarks: int = LANDMARKS, seed: int = 0) -> np.ndarray:
    """float32 (N, 2), each 0 to 1, of float32 (N, D) vectors of length 1.

    The same vectors and seed give the same points: one thread works. Raises UsageError for more
    than 5,000 landmarks.
    """
    if not 10 <= landmarks <= _MOST:
        raise UsageError(f"landmarks must be 10 to {_MOST:,}. Got {landmarks} instead.")
    count = len(vectors)
    if count < 4:
        return np.stack([(np.arange(count) + 0.5) / max(count, 1), np.full(count, 0.5)], 1).astype(
            np.float32
        )
    chosen = np.arange(count)
    if count > landmarks:
        chosen = np.sort(np.random.default_rng(seed).choice(count, landmarks, replace=False))
    found = _tsne(vectors[chosen], seed)
    if count > landmarks:
        found = _placed(vectors, chosen, found)
    low, high = found.min(axis=0), found.max(axis=0)
    return np.asarray((found - low) / np.maximum(high - low, 1e-12), np.float32)


def _tsne(vectors: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, turn = np.linalg.eigh(centred.T @ centred)
    start = centred @ turn[:, ::-1][:, :2]
    if start.shape[1] < 2:
        start = np.concatenate([start, np.zeros((len(start), 1))], axis=1)
    start = start / max(start[:, 0].std(), 1e-12) * 1e-4
    method: Any = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        init=start.astype(np.float32),
        random_state=seed,
        max_iter=500,
        n_jobs=1,
    )
    with threadpool_limits(1):  # several threads add up in another order each time
        return np.asarray(method.fit_transform(vectors))


def _placed(vectors: np.ndarray, chosen: np.ndarray, found: np.ndarray) -> np.ndarray:
    """All vectors among the chosen ones; these stay where they are."""
    places = np.empty((len(vectors), 2), found.dtype)
    others = np.setdiff1d(np.arange(len(vectors)), chosen, assume_unique=True)
    near = nearest(vectors[chosen], _AROUND, queries=vectors[others])
    far = np.sqrt(np.maximum(2 - 2 * near.cosines.astype(np.float64), 0))
    weight = 1 / np.maximum(far, 1e-6)
    weight /= weight.sum(axis=1, keepdims=True)
    places[others] = (found[near.places] * weight[:, :, None]).sum(axis=1)
    places[chosen] = found
    return places
