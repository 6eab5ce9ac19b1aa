"""Logits to answers: probabilities, the best labels, the decision, the set, how odd it is."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from pixelmine.models import Bundle, Card
from pixelmine.models.card import KNOWING, Calibration, Conformal, Thresholds

from .calibration import Task, calibrated
from .conformal import prediction_sets
from .ood import Oddness

__all__ = ["Head"]


@dataclass(frozen=True)
class Head:
    """What turns a model's logits and embeddings into answers; its bundle carries all of it.

    `labels`: K names. `task`: one label a picture, or any number. The rest see `models.card`;
    without `conformal` there are no sets, without `oddness` no picture is called odd.
    """

    labels: tuple[str, ...]
    calibration: Calibration = field(default_factory=Calibration)
    thresholds: Thresholds = field(default_factory=Thresholds)
    task: Task = "single"
    conformal: Conformal | None = None
    oddness: Oddness | None = None

    @classmethod
    def from_card(cls, card: Card, knowing: bytes | None = None) -> Self:
        """What a model's card says; `knowing`: its bundle's `knowing.safetensors`."""
        oddness = None
        if card.ood is not None and knowing is not None:
            oddness = Oddness.from_bytes(knowing, card.embedding_dimensions)
        labels, parts = tuple(card.labels), (card.calibration, card.thresholds, card.task)
        return cls(labels, *parts, card.conformal, oddness)

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """What a bundle says. Raises ModelError where its parts do not fit."""
        return cls.from_card(bundle.card, bundle.files.get(KNOWING))

    @property
    def abstains(self) -> bool:
        """Whether there are pictures on which it does not decide."""
        odd = self.oddness is not None and self.thresholds.ood is not None
        return odd or (self.task == "single" and self.thresholds.decision is not None)

    def answers(
        self, logits: np.ndarray, embedding: np.ndarray | None, top: int
    ) -> list[dict[str, Any]]:
        """`top`, `decision`, `set` and `ood` for each row of (N, K) logits and (N, D) embedding.

        The embedding may be None where `oddness` is.
        """
        probabilities = self.probabilities(logits)
        odd = self.odd(logits, embedding)
        sure, chosen = self.decided(probabilities, odd), self.chosen(probabilities)
        sets = self.sets(probabilities)
        return [
            {
                "top": self.top(row, top),
                "decision": self._named(chosen[n]) if sure[n] else None,
                "set": None if sets is None else self._named(sets[n], row),
                "ood": None if odd is None else float(odd[n]),
            }
            for n, row in enumerate(probabilities)
        ]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(N, K) logits to (N, K) float32 probabilities; of one label each row adds up to 1."""
        return calibrated(logits, self.calibration, self.task)

    def odd(self, logits: np.ndarray, embedding: np.ndarray | None) -> np.ndarray | None:
        """The share of held-back pictures that are less odd, (N,) float32, 0 to 1; or None."""
        if self.oddness is None:
            return None
        if embedding is None:
            raise ValueError("This model's answers need the embedding too. Got None instead.")
        return self.oddness(logits, embedding, self.task)

    def sets(self, probabilities: np.ndarray) -> np.ndarray | None:
        """(N, K) bool: the labels of each prediction set; or None."""
        if self.conformal is None:
            return None
        return prediction_sets(probabilities, self.conformal, self.task)

    def decided(self, probabilities: np.ndarray, odd: np.ndarray | None = None) -> np.ndarray:
        """(N,) bool: whether each picture is decided, by its probabilities and its oddness."""
        limits = self.thresholds
        sure = np.ones(len(probabilities), bool)
        if self.task == "single" and limits.decision is not None:
            sure &= probabilities.max(axis=1) >= limits.decision
        if limits.ood is not None and odd is not None:
            sure &= odd <= limits.ood
        return sure

    def chosen(self, probabilities: np.ndarray) -> np.ndarray:
        """(N, K) bool: the best label, of equal ones the first; of `multi` those above theirs."""
        if self.task == "multi":
            least = 0.5 if self.thresholds.labels is None else np.array(self.thresholds.labels)
            return np.asarray(probabilities >= least)
        best = probabilities.argmax(axis=1)
        return np.asarray(np.arange(probabilities.shape[1]) == best[:, None])

    def top(self, probabilities: np.ndarray, count: int) -> list[dict[str, Any]]:
        """The best `count` labels of (K,) probabilities, best first; ties by index."""
        order = np.argsort(-probabilities, kind="stable")[:count]
        return [
            {"index": int(i), "label": self.labels[i], "probability": float(probabilities[i])}
            for i in order
        ]

    def _named(self, inside: np.ndarray, probabilities: np.ndarray | None = None) -> list[str]:
        """The labels that are inside, by index or, with probabilities, best first."""
        order = np.flatnonzero(inside)
        if probabilities is not None:
            order = order[np.argsort(-probabilities[order], kind="stable")]
        return [self.labels[i] for i in order]
