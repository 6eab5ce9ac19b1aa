"""The votes of the nearest examples, which lie in the graph as constants."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.checks import check_one_of, check_positive

from .choose import choose_examples
from .distance import METRICS, Distances
from .examples import Examples
from .graph import Graph
from .head import HeadKind, HeadOptions, check_count

__all__ = ["NEAREST", "NearestOptions"]

_ROWS = 1024
_NEAR = np.float32(1e-4)
"""Distances below this are rounding, so equal pictures count alike."""


@dataclass(frozen=True, kw_only=True)
class NearestOptions(HeadOptions):
    """How the neighbours vote.

    `k`: how many do: 10, between noise (1) and blur. `metric`: `cosine`, by which embeddings are
    mostly compared, or `euclidean`. `most`: how many examples are kept: 10,000 of 1,280 dimensions
    are 51 MB; `choose_examples` says which. `smoothing`: votes that the classes' frequencies have:
    one, so that a picture without near neighbours gets the prior. `balanced`: classes have the same
    votes in sum however rare they are; off, since it takes the frequencies out of the
    probabilities.
    """

    k: int = 10
    metric: str = "cosine"
    most: int = 10_000
    smoothing: float = 1.0
    balanced: bool = False

    def __post_init__(self) -> None:
        check_one_of("metric", self.metric, METRICS)
        check_positive("smoothing", self.smoothing)
        check_count("k", self.k)
        check_count("most", self.most)


@dataclass(frozen=True)
class Votes:
    """Log share of each class in the votes of the neighbours; of several labels, the log-odds.

    An example at distance d votes 1 - d / h, where h is the distance of neighbour k + 1, and
    beyond h none does. As d is a squared distance, that is the Epanechnikov kernel with
    nearest-neighbour bandwidth (Hastie, Tibshirani and Friedman, "The Elements of Statistical
    Learning", 2nd ed., 6.2). Votes fall to 0 at the edge: which of two as far counts is all one.

    `support`: float32 (M, S), an example's votes for; `against`: the same against, or None where a
    picture has one label. `prior`, `prior_against`: float32 (S,), votes from the start. `rank`: the
    place of h in the order of distances, from 0.
    """

    distances: Distances
    rank: int
    support: np.ndarray
    prior: np.ndarray
    against: np.ndarray | None
    prior_against: np.ndarray

    def scores(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:  # noqa: ARG002  one of two is used
        """Float32 (N, D) to float32 (N, S), `_ROWS` rows at a time: M distances each."""
        return np.concatenate([self._part(z[at : at + _ROWS]) for at in range(0, len(z), _ROWS)])

    def _part(self, z: np.ndarray) -> np.ndarray:
        distance = self.distances(z)
        edge = np.partition(distance, self.rank, axis=1)[:, self.rank, None]
        vote = np.maximum(1 - distance / (edge + _NEAR), 0)
        votes = vote @ self.support + self.prior
        if self.against is None:
            return np.asarray(np.log(votes) - np.log(votes.sum(axis=1, keepdims=True)))
        return np.asarray(np.log(votes) - np.log(vote @ self.against + self.prior_against))

    def emit(self, graph: Graph, x: str, z: str) -> str:  # noqa: ARG002  one of two is used
        """The same as nodes of a graph."""
        distance = self.distances.emit(graph, z)
        closeness = graph.node("Neg", [distance], "nearest/closeness")
        closest = graph.largest(closeness, self.rank + 1, "nearest/closest")
        rank = graph.constant("nearest/rank", [self.rank])
        edge = graph.node("Gather", [closest, rank], "nearest/edge", axis=1)
        width = graph.node("Sub", [graph.constant("nearest/near", _NEAR), edge], "nearest/width")
        ratio = graph.node("Div", [closeness, width], "nearest/ratio")
        inside = graph.node("Add", [ratio, graph.constant("nearest/one", 1.0)], "nearest/inside")
        vote = graph.node("Relu", [inside], "nearest/vote")
        votes = _emit_sum(graph, vote, "nearest/for", self.support, self.prior)
        if self.against is None:
            axis = graph.constant("nearest/classes", [1])
            other = graph.node("ReduceSum", [votes, axis], "nearest/all")
        else:
            other = _emit_sum(graph, vote, "nearest/against", self.against, self.prior_against)
        logs = [graph.node("Log", [name], f"{name}/log") for name in (votes, other)]
        return graph.node("Sub", logs, "nearest/scores")


def _emit_sum(graph: Graph, vote: str, name: str, weight: np.ndarray, prior: np.ndarray) -> str:
    weights = graph.constant(f"{name}/weights", weight)
    votes = graph.node("MatMul", [vote, weights], f"{name}/votes")
    return graph.node("Add", [votes, graph.constant(f"{name}/prior", prior)], name)


def fit_nearest(examples: Examples, options: NearestOptions) -> Votes:
    """Keep examples and their votes; the rest is done when asked."""
    kept = choose_examples(examples.targets, options.most, examples.seed)
    targets, costs = examples.targets[kept], examples.costs(options.balanced)
    support = costs * examples.targets
    share = (support.sum(axis=0) + 1) / (costs.sum(axis=0) + 2)
    if not examples.multi:
        share = support.sum(axis=0) / support.sum()
    return Votes(
        distances=Distances.to(examples.z[kept], options.metric),
        rank=min(options.k, len(kept) - 1),
        support=support[kept],
        prior=np.asarray(options.smoothing * share, np.float32),
        against=costs[kept] * ~targets if examples.multi else None,
        prior_against=np.asarray(options.smoothing * (1 - share), np.float32),
    )


NEAREST = HeadKind(NearestOptions, fit_nearest)
