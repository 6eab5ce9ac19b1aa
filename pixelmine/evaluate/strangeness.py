"""How well a score of strangeness (out-of-distribution) tells two kinds of picture apart."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from .bootstrap import RESAMPLES
from .interval import Estimate, Rate
from .ranking import rank

__all__ = ["Separation", "separate"]


@dataclass(frozen=True, kw_only=True)
class Separation:
    """`auroc`: the chance that a strange picture scores above a usual one (.5: it tells nothing).

    `false_alarms`: usual pictures that score as high as all but the lowest 5 % of the strange ones
    ("FPR at 95 % TPR"; D. Hendrycks, K. Gimpel, ICLR 2017, and later work on the subject).
    """

    auroc: Estimate
    false_alarms: Rate

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {"auroc": self.auroc.to_dict(), "false_alarms": self.false_alarms.to_dict()}


def separate(
    usual: np.ndarray, strange: np.ndarray, resamples: int = RESAMPLES, seed: int = 0
) -> Separation | None:
    """Measure a score, higher being stranger, (N,) and (M,) float; None where either is empty."""
    score = np.concatenate([usual, strange]).astype(np.float64)
    is_strange = np.arange(len(score)) >= len(usual)
    found = rank(
        ("strange",), is_strange[:, None], score[:, None], is_strange.astype(int), resamples, seed
    )
    if found is None:
        return None
    threshold = np.sort(strange)[-ceil(0.95 * len(strange))]
    alarms = int((usual >= threshold).sum())
    return Separation(auroc=found.auc, false_alarms=Rate(hits=alarms, pictures=len(usual)))
