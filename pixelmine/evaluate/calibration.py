"""Whether a model is right as often as it says it is.

N pictures. The error is that of C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of
modern neural networks", ICML 2017, section 2, with its 15 bins of equal width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .interval import Rate

__all__ = ["BINS", "Bin", "calibration_error", "reliability"]

BINS = 15


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Pictures whose answer had a probability above `low` and up to `high`; at least one.

    `confidence`: the mean probability of their answers. `right`: how many of them were right.
    """

    low: float
    high: float
    confidence: float
    right: Rate

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "accuracy": self.right.to_dict(),
        }


def reliability(confidence: np.ndarray, right: np.ndarray) -> tuple[Bin, ...]:
    """The bins that hold a picture, in order.

    `confidence`: (N,) float, 0 to 1, of each answer. `right`: (N,) bool.
    """
    edges = np.linspace(0.0, 1.0, BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    return tuple(
        Bin(
            low=float(edges[i]),
            high=float(edges[i + 1]),
            confidence=float(confidence[place == i].mean(dtype=np.float64)),
            right=Rate(hits=int(right[place == i].sum()), pictures=int((place == i).sum())),
        )
        for i in np.unique(place)
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy, by pictures, 0 to 1."""
    pictures = sum(b.right.pictures for b in bins)
    gaps = (abs(b.right.value - b.confidence) * b.right.pictures for b in bins)
    return sum(gaps) / pictures
