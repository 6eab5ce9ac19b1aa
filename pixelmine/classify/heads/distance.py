"""Distances to stored vectors: of a query to its neighbours, or to the landmarks of a kernel."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .graph import Graph

__all__ = ["METRICS", "Distances"]

METRICS = ("cosine", "euclidean")
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Distances:
    """`cosine`: 1 - cosine, 0 to 2. `euclidean`: d^2 / D.

    `vectors`: float32 (M, D), of length 1 for `cosine`. Both are one product of matrices, whose
    rounding may be as large as 1e-6 of the squared lengths; below 0 they are cut off.
    """

    metric: str
    vectors: np.ndarray

    @classmethod
    def to(cls, vectors: np.ndarray, metric: str) -> Self:
        """To float32 (M, D) of any length."""
        return cls(metric, _unit(vectors) if metric == "cosine" else vectors)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, M)."""
        if self.metric == "cosine":
            return np.asarray(np.maximum(1 - _unit(z) @ self.vectors.T, 0))
        own = (z * z).sum(axis=1, keepdims=True)
        gap = np.maximum(own + self._lengths - 2 * (z @ self.vectors.T), 0)
        return np.asarray(gap / np.float32(z.shape[1]))

    def emit(self, graph: Graph, z: str) -> str:
        """The same as nodes of a graph."""
        axis = graph.constant("distance/axis", [1])
        vectors = graph.constant("distance/vectors", self.vectors.T)
        square = graph.node("Mul", [z, z], "distance/square")
        own = graph.node("ReduceSum", [square, axis], "distance/own")
        if self.metric == "cosine":
            tiny = graph.constant("distance/tiny", _TINY)
            some = graph.node("Max", [own, tiny], "distance/some")
            length = graph.node("Sqrt", [some], "distance/length")
            unit = graph.node("Div", [z, length], "distance/unit")
            product = graph.node("MatMul", [unit, vectors], "distance/product")
            one = graph.constant("distance/one", 1.0)
            gap = graph.node("Sub", [one, product], "distance/gap")
            return graph.node("Relu", [gap], "distance/all")
        product = graph.node("MatMul", [z, vectors], "distance/product")
        twice = graph.node("Mul", [product, graph.constant("distance/two", 2.0)], "distance/twice")
        lengths = graph.constant("distance/lengths", self._lengths)
        both = graph.node("Add", [own, lengths], "distance/both")
        gap = graph.node("Sub", [both, twice], "distance/gap")
        size = graph.constant("distance/size", float(self.vectors.shape[1]))
        return graph.node("Div", [graph.node("Relu", [gap], "distance/some"), size], "distance/all")

    @property
    def _lengths(self) -> np.ndarray:
        return np.asarray((self.vectors * self.vectors).sum(axis=1))


def _unit(z: np.ndarray) -> np.ndarray:
    """Float32 (N, D) at length 1; a vector of zeros stays."""
    length = np.sqrt(np.maximum((z * z).sum(axis=1, keepdims=True), _TINY))
    return np.asarray(z / length)
