"""Whether one of two models is better on the same pictures, or whether it is chance.

Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
Psychometrika 12 (1947), 153-157, in its exact (binomial) form; and the paired bootstrap.
"""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .bootstrap import RESAMPLES, estimate
from .corrected import LEVEL
from .interval import Estimate, Rate

__all__ = ["Paired", "compare_answers", "compare_right"]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Models `a` and `b` on the same pictures.

    `only_a`, `only_b`: pictures that one alone names right. `difference`: accuracy of b less that
    of a, with the 95 % interval of the paired bootstrap. `p`: McNemar's exact test, two-sided.
    """

    a: str
    b: str
    accuracy_a: Rate
    accuracy_b: Rate
    only_a: int
    only_b: int
    difference: Estimate
    p: float

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "a": self.a,
            "b": self.b,
            "accuracy_a": self.accuracy_a.to_dict(),
            "accuracy_b": self.accuracy_b.to_dict(),
            "only_a": self.only_a,
            "only_b": self.only_b,
            "difference": self.difference.to_dict(),
            "p": self.p,
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """What it means, in English."""
        if not self.only_a + self.only_b:
            return f"{self.a} and {self.b} are right on the same pictures."
        points = 100 * self.difference.value
        low, high = 100 * (self.difference.low or 0.0), 100 * (self.difference.high or 0.0)
        better, worse = (self.b, self.a) if points >= 0 else (self.a, self.b)
        if points < 0:
            points, low, high = -points, -high, -low
        interval = f"95 % interval {low:.1f} to {high:.1f}"
        if self.p < LEVEL:
            return (
                f"{better} is better than {worse} by {points:.1f} points of accuracy ({interval}); "
                f"chance would bring that {_times(self.p)}."
            )
        return (
            f"These {self.accuracy_a.pictures:,} pictures do not show that {better} and {worse} "
            f"differ: {better} is ahead by {points:.1f} points ({interval}), and chance would "
            f"bring that {_times(self.p)}."
        )


def compare_answers(
    truth: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    *,
    names: tuple[str, str] = ("A", "B"),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Paired:
    """Compare the answers of two models. `truth`, `a`, `b`: (N,) int classes, of one list.

    Raises UsageError where they are not as many, or none.
    """
    if not len(truth) == len(a) == len(b):
        raise UsageError(
            "truth, a and b must be about the same pictures. "
            f"Got {len(truth)}, {len(a)} and {len(b)} instead."
        )
    return compare_right(a == truth, b == truth, names=names, resamples=resamples, seed=seed)


def compare_right(
    a: np.ndarray,
    b: np.ndarray,
    *,
    names: tuple[str, str] = ("A", "B"),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Paired:
    """As `compare_answers`, of (N,) bool: whether each model was right.

    A resample of pictures changes how many of them fall to one model alone: a multinomial draw.
    """
    from scipy.stats import binomtest

    pictures = len(a)
    if pictures == 0:
        raise UsageError("two models must be compared on at least one picture. Got none instead.")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    counts = np.array([only_a, only_b, pictures - only_a - only_b])
    drawn = np.random.default_rng(seed).multinomial(pictures, counts / pictures, resamples)
    apart = only_a + only_b
    return Paired(
        a=names[0],
        b=names[1],
        accuracy_a=Rate(hits=int(a.sum()), pictures=pictures),
        accuracy_b=Rate(hits=int(b.sum()), pictures=pictures),
        only_a=only_a,
        only_b=only_b,
        difference=estimate((only_b - only_a) / pictures, (drawn[:, 1] - drawn[:, 0]) / pictures),
        p=float(binomtest(only_a, apart).pvalue) if apart else 1.0,
    )


def _times(p: float) -> str:
    if p >= 0.1:
        return f"{100 * p:.0f} times in 100"
    if p >= 0.001:
        return f"{1000 * p:.0f} times in 1,000"
    return "less than once in 1,000"
