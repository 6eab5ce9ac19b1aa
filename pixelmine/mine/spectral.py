"""Few coordinates in which what hangs together lies together: the spectrum of a neighbour graph.

In hundreds of dimensions density says little: of 5,755 photographs of clothes HDBSCAN* left four of
five unassigned, in 16, 32 and 50 principal components as well as in all 1,280, or put most into one
cluster (2026-11). The eigenvectors of the graph of nearest neighbours (Ng, Jordan and Weiss 2001,
with the local scales of Zelnik-Manor and Perona 2004) follow the data where it is dense and bends.
"""

from typing import Any

import numpy as np

__all__ = ["spectral"]

_ROUNDS = 30
"""Of power iteration on the subspace, two products each. Eigenvectors whose values lie close come
out mixed, which turns the coordinates and changes no distance."""
_SPARE = 10
"""Directions more than are kept: the last ones converge last."""


def spectral(places: np.ndarray, cosines: np.ndarray, dimensions: int, seed: int = 0) -> np.ndarray:
    """float32 (N, dimensions + 1), rows of length 1, of a graph of nearest neighbours.

    `places`, `cosines`: (N, k), as `index.nearest` gives them. At most N - 2 dimensions, and the
    first eigenvector, which is the same all over where the graph hangs together.
    """
    from scipy.sparse import coo_array, diags_array

    count, width = places.shape
    dimensions = min(dimensions, max(1, count - 2))
    far = np.maximum(2 - 2 * cosines.astype(np.float64), 0)
    scale = np.sqrt(np.maximum(far[:, -1], 1e-12))
    known = places.ravel() >= 0
    one = np.repeat(np.arange(count), width)[known]
    two = places.ravel()[known]
    alike = np.exp(-far.ravel()[known] / (scale[one] * scale[two]))
    half = coo_array((alike.astype(np.float32), (one, two)), shape=(count, count)).tocsr()
    graph = (half + half.T) / 2
    degree = np.asarray(graph.sum(axis=1), np.float32).ravel()
    by = diags_array(1 / np.sqrt(np.maximum(degree, 1e-12)), dtype=np.float32)
    step = (by @ graph @ by).tocsr()
    basis = _subspace(step, np.sqrt(degree), min(dimensions + 1 + _SPARE, count), seed)
    values, turn = np.linalg.eigh((basis.T @ (step @ basis)).astype(np.float64))
    kept = np.argsort(-values)[: dimensions + 1]
    found = basis @ turn[:, kept].astype(np.float32) / np.sqrt(np.maximum(degree, 1e-12))[:, None]
    size = np.linalg.norm(found, axis=1, keepdims=True)
    found = np.where(size > 0, found / np.maximum(size, 1e-30), np.eye(1, found.shape[1]))
    return np.ascontiguousarray(found, np.float32)


def _subspace(step: Any, first: np.ndarray, width: int, seed: int) -> np.ndarray:
    """float32 (N, width), orthonormal: about the eigenvectors of the largest eigenvalues."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types

    basis = np.random.default_rng(seed).standard_normal((len(first), width)).astype(np.float32)
    basis[:, 0] = first
    with threadpool_limits(1):  # so few numbers at a time: more threads only wait for each other
        for _ in range(_ROUNDS):
            basis = (step @ basis + basis) / 2
            basis, _unused = np.linalg.qr(step @ basis)
    return basis
