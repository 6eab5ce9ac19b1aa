"""Logits to answers: calibrated probabilities, the best labels, and the decision."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pixelmine.models import Card

__all__ = ["Head", "softmax"]


@dataclass(frozen=True)
class Head:
    """What turns a model's logits into answers; its card carries all of it.

    `labels`: K names. `temperature`: logits are divided by it. `threshold`: abstain below this
    probability (None: always decide).
    """

    labels: tuple[str, ...]
    temperature: float = 1.0
    threshold: float | None = None

    @classmethod
    def from_card(cls, card: Card) -> Self:
        """What a model's card says."""
        return cls(tuple(card.labels), card.calibration.temperature, card.thresholds.decision)

    def answers(self, logits: np.ndarray, top: int) -> list[dict[str, Any]]:
        """`top` and `decision` for each row of (N, K) logits."""
        return [
            {"top": self.top(row, top), "decision": self.decide(row)}
            for row in self.probabilities(logits)
        ]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(N, K) logits to (N, K) float32 probabilities; each row adds up to 1."""
        return softmax(logits / self.temperature)

    def decided(self, probabilities: np.ndarray) -> np.ndarray:
        """(N,) bool: whether the best of (N, K) probabilities reaches the threshold."""
        best = probabilities.max(axis=1)
        return np.asarray(best >= (0.0 if self.threshold is None else self.threshold))

    def decide(self, probabilities: np.ndarray) -> list[str] | None:
        """The decision for one picture's (K,) probabilities: its label, or None to abstain."""
        sure = self.decided(probabilities[None])[0]
        return [self.labels[int(probabilities.argmax())]] if sure else None

    def top(self, probabilities: np.ndarray, count: int) -> list[dict[str, Any]]:
        """The best `count` labels of (K,) probabilities, best first; ties by index."""
        order = np.argsort(-probabilities, kind="stable")[:count]
        return [
            {"index": int(i), "label": self.labels[i], "probability": float(probabilities[i])}
            for i in order
        ]


def softmax(logits: np.ndarray) -> np.ndarray:
    """(N, K) to float32 (N, K), computed in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
