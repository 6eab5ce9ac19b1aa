"""Scores that are a matrix times the standardised features: `linear` and `svm`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pixelmine.core.errors import UsageError

from .fitted import FittedHead
from .graph import Graph
from .start import Start

__all__ = ["Affine", "start_of"]


@dataclass(frozen=True)
class Affine:
    """`weight`: float32 (S, E). `bias`: float32 (S,)."""

    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, theta: np.ndarray) -> Self:
        """From float64 (S, E + 1), the bias last."""
        return cls(theta[:, :-1].astype(np.float32), theta[:, -1].astype(np.float32))

    def scores(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:  # noqa: ARG002  one of two is used
        """Float32 (N, E) to float32 (N, S)."""
        return np.asarray(z @ self.weight.T + self.bias)

    def emit(self, graph: Graph, x: str, z: str) -> str:  # noqa: ARG002  one of two is used
        """The same as a node of a graph."""
        weight = graph.constant("affine/weight", self.weight)
        bias = graph.constant("affine/bias", self.bias)
        return graph.node("Gemm", [z, weight, bias], "affine/scores", transB=1)


def start_of(fitted: FittedHead, labels: Sequence[str], counts: np.ndarray) -> Start:
    """What a later fit can go on from.

    `labels`: the names of its K classes. `counts`: of the examples of each, (K,).

    Raises UsageError for a head that is not linear, and for another number of names.
    """
    if fitted.kind != "linear" or not isinstance(fitted.scorer, Affine):
        raise UsageError(f"Only a linear head can be gone on from. Got {fitted.kind} instead.")
    if len(labels) != fitted.classes:
        raise UsageError(f"labels must be {fitted.classes} names. Got {len(labels)} instead.")
    weight = np.zeros((fitted.classes, fitted.dimensions))
    bias = np.zeros(fitted.classes)
    weight[fitted.seen], bias[fitted.seen] = fitted.scorer.weight, fitted.scorer.bias
    return Start(tuple(labels), weight, bias, fitted.scale, counts.astype(np.float64))
