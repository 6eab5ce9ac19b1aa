"""How well probabilities put the pictures of a class before all others: ROC and precision-recall.

Each class against the rest. A class is measured where the test has pictures of it and of others.
The values are scikit-learn's. N pictures, K classes.
"""

from dataclasses import dataclass

import numpy as np

from .bootstrap import RESAMPLES, estimate, weights
from .interval import Estimate

__all__ = ["ClassRanking", "Curve", "Ranking", "rank"]

DRAWN = 20
"""Up to so many classes each has curves of its own; more cannot be told apart in a plot."""

MOST_WORK = 10**9
"""Resamples x pictures x classes; about 25 s on one core. Above, there are no intervals."""

_GRID = np.linspace(0.0, 1.0, 201)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """201 points, `y` over `x`, 0 to 1: found over false alarms (ROC), or precision over recall."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ClassRanking:
    """One class against the rest. `roc`, `pr`: None above 20 classes.

    `auc`: the chance that a picture of the class has a higher probability of it than another one.
    `average_precision`: the mean precision over the steps of recall.
    """

    label: str
    auc: Estimate
    average_precision: Estimate
    roc: Curve | None
    pr: Curve | None

    def to_dict(self) -> dict[str, object]:
        """JSON-able, without the curves."""
        return {
            "label": self.label,
            "auc": self.auc.to_dict(),
            "average_precision": self.average_precision.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Means over the classes that can be measured (macro), and those classes; means of curves."""

    auc: Estimate
    average_precision: Estimate
    classes: tuple[ClassRanking, ...]
    roc: Curve
    pr: Curve

    def to_dict(self) -> dict[str, object]:
        """JSON-able. The curves are those of the means."""
        return {
            "auc": self.auc.to_dict(),
            "average_precision": self.average_precision.to_dict(),
            "classes": [one.to_dict() for one in self.classes],
            "roc": vars(self.roc).copy(),
            "pr": vars(self.pr).copy(),
        }


def rank(
    labels: tuple[str, ...],
    positive: np.ndarray,
    scores: np.ndarray,
    strata: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ranking | None:
    """Measure K rankings of N pictures; None where no class can be measured.

    `positive`: (N, K) bool, whose class it is. `scores`: (N, K) float, higher is surer. `strata`:
    (N,) int, within which resamples are drawn: the true class, or 0 where a picture has several; a
    class that misses from a resample is in no mean of it.
    """
    pictures = positive.sum(axis=0)
    places = np.flatnonzero((pictures > 0) & (pictures < len(positive)))
    if not places.size:
        return None
    classes = [_Class(positive[:, k], scores[:, k]) for k in places]
    drawn = None
    if resamples * scores.size <= MOST_WORK:
        parts = [[one.areas(w) for one in classes] for w in weights(strata, resamples, seed)]
        drawn = np.concatenate(parts, axis=2)  # (classes, 2, B)
    whole = np.ones((1, len(positive)), np.uint16)
    values = np.concatenate([one.areas(whole) for one in classes], axis=1)  # (2, classes)
    show = len(places) <= DRAWN
    return Ranking(
        auc=_estimate(values[0], drawn, 0),
        average_precision=_estimate(values[1], drawn, 1),
        classes=tuple(
            ClassRanking(
                label=labels[k],
                auc=_estimate(values[:1, i], drawn, 0, i),
                average_precision=_estimate(values[1:, i], drawn, 1, i),
                roc=_curve(one.roc()) if show else None,
                pr=_curve(one.pr()) if show else None,
            )
            for i, (k, one) in enumerate(zip(places, classes, strict=True))
        ),
        roc=_curve(np.mean([one.roc() for one in classes], axis=0)),
        pr=_curve(np.mean([one.pr() for one in classes], axis=0)),
    )


class _Class:
    """One class's pictures among the others, the surest first.

    Pictures of equal score make one step. Only steps with a picture of the class (positive) matter
    to both areas, which is what makes a thousand resamples quick.
    """

    def __init__(self, positive: np.ndarray, score: np.ndarray) -> None:
        self.order = np.argsort(-score, kind="stable")
        ordered = score[self.order]
        self.positive = positive[self.order]
        self.ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        starts = np.append(0, self.ends[:-1] + 1)
        self.places = np.flatnonzero(self.positive)
        steps, self.first = np.unique(np.searchsorted(self.ends, self.places), return_index=True)
        self.start, self.end = starts[steps], self.ends[steps]

    def areas(self, weight: np.ndarray) -> np.ndarray:
        """(2, b): area under ROC and average precision of pictures that count (b, N) times.

        NaN where none of the class, or none of the others, does.
        """
        sorted_ = weight[:, self.order]
        found = np.zeros((len(weight), sorted_.shape[1] + 1), np.int32)
        np.cumsum(sorted_, axis=1, out=found[:, 1:])
        new = np.add.reduceat(sorted_[:, self.places], self.first, axis=1, dtype=np.int64)
        hits, above, through = new.cumsum(axis=1), found[:, self.start], found[:, self.end + 1]
        total = hits[:, -1]
        rest = found[:, -1] - total
        alarms_above, alarms_through = above - (hits - new), through - hits
        beaten = rest[:, None] - (alarms_above + alarms_through) / 2  # a tie is half a win
        there = np.where(total * rest > 0, total, np.nan)
        auc = (new * beaten).sum(axis=1) / (there * rest)
        precision = hits / np.maximum(through, 1)
        return np.stack([auc, (new * precision).sum(axis=1) / there])

    def roc(self) -> np.ndarray:
        """(201,): share of the class found, over the share of others taken for it."""
        hits, alarms = (np.append(0, found) for found in self._counts())
        return np.asarray(np.interp(_GRID, alarms / alarms[-1], hits / hits[-1]))

    def pr(self) -> np.ndarray:
        """(201,): precision where that share of the class is found."""
        hits, alarms = self._counts()
        first = np.searchsorted(hits / hits[-1], np.maximum(_GRID, 1 / hits[-1]) - 1e-12)
        return np.asarray(hits[first] / (hits + alarms)[first])

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of the class, and others, up to the end of each step."""
        hits = self.positive.cumsum()[self.ends]
        return hits, self.ends + 1 - hits


def _estimate(
    values: np.ndarray, drawn: np.ndarray | None, what: int, place: int | None = None
) -> Estimate:
    if drawn is None:
        return Estimate(value=float(values.mean()))
    found = _mean(drawn[:, what]) if place is None else drawn[place, what]
    return estimate(float(values.mean()), found)


def _mean(drawn: np.ndarray) -> np.ndarray:
    """(classes, B) to (B,): of the classes that are in the resample; NaN where none is."""
    known = ~np.isnan(drawn)
    count = known.sum(axis=0)
    total = np.where(known, drawn, 0).sum(axis=0)
    return np.asarray(total / np.where(count > 0, count, np.nan))


def _curve(y: np.ndarray) -> Curve:
    return Curve(x=tuple(_GRID.tolist()), y=tuple(y.tolist()))
