"""How often a model is right where it is sure: accuracy against the share of pictures decided."""

from dataclasses import dataclass

import numpy as np

from .interval import Rate

__all__ = ["Decided", "accuracy_by_coverage"]

POINTS = 50
"""More cannot be told apart in a plot."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What would happen if answers below `threshold` (a probability) were not given."""

    threshold: float
    coverage: Rate
    right: Rate

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "threshold": self.threshold,
            "coverage": self.coverage.to_dict(),
            "accuracy": self.right.to_dict(),
        }


def accuracy_by_coverage(confidence: np.ndarray, right: np.ndarray) -> tuple[Decided, ...]:
    """At most 50 thresholds, the fewest pictures decided first, all of them last.

    `confidence`: (N,) float, 0 to 1, of each answer. `right`: (N,) bool. Answers of one confidence
    are decided together.
    """
    order = np.argsort(-confidence, kind="stable")
    surest, hits = confidence[order], right[order].cumsum()
    ends = np.flatnonzero(np.append(surest[1:] != surest[:-1], True))
    wanted = np.linspace(len(order) / POINTS, len(order), POINTS)
    chosen = np.unique(np.searchsorted(ends + 1, wanted - 1e-9).clip(max=len(ends) - 1))
    return tuple(
        Decided(
            threshold=float(surest[end]),
            coverage=Rate(hits=int(end) + 1, pictures=len(order)),
            right=Rate(hits=int(hits[end]), pictures=int(end) + 1),
        )
        for end in ends[chosen]
    )
