"""A fitted head of any kind: the scale, the kind's own scores, and the classes never seen."""

from dataclasses import dataclass

import numpy as np

from .examples import check_features
from .graph import Graph
from .head import Scorer
from .scale import Scale

__all__ = ["FittedHead"]


@dataclass(frozen=True)
class FittedHead:
    """Implements `Fitted`. `seen`: int64 (S,), the index of each scored class, ascending.

    `fall`: how far the logit of a class that was never seen lies below the largest of the row.
    """

    kind: str
    classes: int
    scale: Scale
    scorer: Scorer
    seen: np.ndarray
    fall: float

    @property
    def dimensions(self) -> int:
        """D."""
        return len(self.scale.mean)

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, K). Raises UsageError for another shape or NaN."""
        x = check_features(np.asarray(x), self.dimensions)
        if not len(x):
            return np.empty((0, self.classes), np.float32)
        scores = self.scorer.scores(x, self.scale(x))
        if len(self.seen) == self.classes:
            return scores
        unseen = scores.max(axis=1, keepdims=True) - np.float32(self.fall)
        return np.concatenate([scores, unseen], axis=1)[:, self._places()]

    def to_onnx(self) -> bytes:
        """As `Fitted.to_onnx` says."""
        graph = Graph(self.dimensions)
        z = self.scale.emit(graph, "features")
        scores = self.scorer.emit(graph, "features", z)
        if len(self.seen) < self.classes:
            best = graph.largest(scores, 1, "unseen/best")
            fall = graph.constant("unseen/fall", np.float32(self.fall))
            unseen = graph.node("Sub", [best, fall], "unseen/logit")
            every = graph.node("Concat", [scores, unseen], "unseen/every", axis=1)
            places = graph.constant("unseen/places", self._places())
            scores = graph.node("Gather", [every, places], "unseen/spread", axis=1)
        return graph.serialize(scores, self.classes, z)

    def _places(self) -> np.ndarray:
        """Where each class lies in the scores with one for all unseen behind them: int64 (K,)."""
        places = np.full(self.classes, len(self.seen))
        places[self.seen] = np.arange(len(self.seen))
        return places
