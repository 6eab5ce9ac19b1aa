"""Features of any scale to features of one scale."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pixelmine.core.errors import UsageError

from .graph import Graph

__all__ = ["LARGEST", "Scale"]

LARGEST, SMALLEST = 1e37, 1e-37
"""Of a feature and of its standard deviation: float32 then holds differences and quotients."""

_CONSTANT = 1e-6
"""A spread below this share of the largest value is rounding: float32 keeps seven digits."""


@dataclass(frozen=True)
class Scale:
    """Standardises: z = (x - mean) * factor, which is 1 / standard deviation, 0 for a constant.

    `mean`, `factor`: float32 (D,). A feature that never varied has told nothing, so whatever it
    becomes later is left out.
    """

    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray) -> Self:
        """Measure float32 (N, D) in float64, column by column."""
        mean, spread = np.empty(x.shape[1]), np.empty(x.shape[1])
        for at in range(x.shape[1]):
            column = x[:, at].astype(np.float64)
            mean[at], spread[at] = column.mean(), column.std()
            if spread[at] <= _CONSTANT * np.abs(column).max():
                spread[at] = 0.0
        varies = spread > 0
        if (spread[varies] < SMALLEST).any():
            raise UsageError(
                f"A feature's standard deviation must be 0 or at least {SMALLEST:g}, so that "
                "float32 holds one over it. Multiply it by a constant first."
            )
        factor = np.where(varies, 1 / np.where(varies, spread, 1), 0)
        return cls(mean.astype(np.float32), factor.astype(np.float32))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, D)."""
        return np.asarray((x - self.mean) * self.factor)

    def emit(self, graph: Graph, x: str) -> str:
        """The same as nodes of a graph."""
        centred = graph.node("Sub", [x, graph.constant("scale/mean", self.mean)], "scale/centred")
        factor = graph.constant("scale/factor", self.factor)
        return graph.node("Mul", [centred, factor], "scale/standardised")
