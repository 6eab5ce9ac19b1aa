"""Long vectors made short, with most of what tells them apart."""

import numpy as np

__all__ = ["reduce", "unit"]

_SAMPLE = 20_000
"""Vectors that the directions are taken from: enough for some thousand numbers."""
_TINY = np.float32(1e-12)


def reduce(vectors: np.ndarray, most: int) -> np.ndarray:
    """At most `most` numbers of each, float32 (N, min(D, most)), each of length 1.

    `vectors`: float32 (N, D). What is kept are the directions in which they differ most about their
    mean (principal components).
    """
    step = max(1, len(vectors) // _SAMPLE)
    middle = vectors[::step].mean(axis=0)
    sample = (vectors[::step] - middle).astype(np.float64)
    if vectors.shape[1] <= most:
        return unit(vectors - middle)
    _, directions = np.linalg.eigh(sample.T @ sample)
    return unit((vectors - middle) @ directions[:, ::-1][:, :most].astype(np.float32))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Float32 (N, D), each of length 1; a vector of zeros stays."""
    length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    return np.asarray(vectors / length, np.float32)
