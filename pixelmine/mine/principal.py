"""Long vectors made short, with most of what tells them apart."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

__all__ = ["Basis", "reduce", "unit"]

_SAMPLE = 20_000
"""Vectors that the directions are taken from: enough for some thousand numbers."""
_TINY = np.float32(1e-12)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Principal components: `middle` float32 (D,), `directions` float32 (D, R).

    Vectors that were reduced by different ones cannot be compared.
    """

    middle: np.ndarray = field(repr=False)
    directions: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, sample: np.ndarray, middle: np.ndarray, most: int) -> Self:
        """The at most `most` directions in which (N, D) numbers differ most from `middle` (D,)."""
        apart = (sample - middle).astype(np.float64)
        _, directions = np.linalg.eigh(apart.T @ apart)
        return cls(
            middle=middle.astype(np.float32),
            directions=np.ascontiguousarray(directions[:, ::-1][:, :most], np.float32),
        )

    @property
    def wide(self) -> int:
        """How many numbers each vector must have."""
        return len(self.middle)

    def reduce(self, vectors: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, R), each of length 1."""
        return unit((vectors - self.middle) @ self.directions)


def reduce(vectors: np.ndarray, most: int) -> np.ndarray:
    """At most `most` numbers of each, float32 (N, min(D, most)), each of length 1.

    `vectors`: float32 (N, D). What is kept are the directions in which they differ most about their
    mean (principal components).
    """
    step = max(1, len(vectors) // _SAMPLE)
    middle = vectors[::step].mean(axis=0)
    if vectors.shape[1] <= most:
        return unit(vectors - middle)
    return Basis.of(vectors[::step], middle, most).reduce(vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Float32 (N, D), each of length 1; a vector of zeros stays."""
    length = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    return np.asarray(vectors / length, np.float32)
