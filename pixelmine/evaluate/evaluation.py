"""What an evaluation holds. `metrics.evaluate` makes it. N pictures, K classes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pixelmine.models.card import Metric

from .abstention import Decided
from .calibration import Bin
from .interval import Estimate, Rate
from .ranking import Ranking
from .sets import SetResult
from .slices import Slice
from .strangeness import Separation

__all__ = ["ClassResult", "Confused", "Evaluation", "Mistake", "PerClass", "card_metrics"]

DENSE = 100
"""Up to so many classes `to_dict` writes the whole confusion matrix: 10,000 numbers."""


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """One class. Without a test picture `recall` and `f1` are None; never answered, `precision`."""

    label: str
    pictures: int
    recall: Rate | None
    precision: Rate | None
    f1: float | None

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "label": self.label,
            "pictures": self.pictures,
            "recall": self.recall.to_dict() if self.recall else None,
            "precision": self.precision.to_dict() if self.precision else None,
            "f1": self.f1,
        }


@dataclass(frozen=True, kw_only=True)
class Confused:
    """`wrong.hits` of the `wrong.pictures` pictures of `truth` were called `answer`."""

    truth: str
    answer: str
    wrong: Rate


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer. `index`: its row in what was evaluated.

    `probability`: of the answer; of several labels that of the surest wrong decision on one.
    """

    index: int
    row_id: str
    uri: str
    truth: str
    answer: str
    probability: float


class PerClass:
    """What has a result for each class."""

    classes: tuple[ClassResult, ...]

    @property
    def labels(self) -> list[str]:
        """The K names, in order."""
        return [result.label for result in self.classes]

    @property
    def untested(self) -> list[str]:
        """Classes without a test picture: nothing is known about their recall."""
        return [result.label for result in self.classes if not result.pictures]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation(PerClass):
    """Everything measured on one set of pictures; every share is 0 to 1.

    `top`: how often the truth is among the k best, by k. `balanced_accuracy`, `macro_f1`: means
    over the classes that have a test picture. `ranking`: ROC and precision-recall; None where no
    class can be put before others. `confusion`: (K, K) int64, truth by answer.
    `calibration_error`: 15 bins, not in percent. `coverage`: the share that the model decides, and
    `decided_accuracy` how often it is then right; None where it always decides or, the latter,
    never. `sets`: of the conformal sets, `strange`: how well the out-of-distribution score tells
    wrong answers from right ones; None where there are none. `mistakes`: the most confident first,
    at most 100. `right`: (N,) bool, in the order evaluated. `pair_mistakes`: up to 6 for each of
    the 6 pairs mixed up most.
    """

    accuracy: Rate
    top: Mapping[int, Rate]
    balanced_accuracy: Estimate
    macro_f1: Estimate
    ranking: Ranking | None
    classes: tuple[ClassResult, ...]
    confusion: np.ndarray
    coverage: Rate | None
    decided_accuracy: Rate | None
    by_coverage: tuple[Decided, ...]
    calibration_error: float
    reliability: tuple[Bin, ...]
    sets: SetResult | None
    strange: Separation | None
    slices: tuple[Slice, ...]
    mistakes: tuple[Mistake, ...]
    pair_mistakes: tuple[tuple[Mistake, ...], ...]
    right: np.ndarray

    def figures(self) -> Iterator[tuple[str, Rate | Estimate]]:
        """The figures that have an interval, by name, in the order to show them."""
        yield "accuracy", self.accuracy
        yield from ((f"top{k}", rate) for k, rate in self.top.items())
        yield "balanced_accuracy", self.balanced_accuracy
        yield "macro_f1", self.macro_f1
        if self.ranking:
            yield "auc", self.ranking.auc
            yield "average_precision", self.ranking.average_precision
        if self.coverage:
            yield "coverage", self.coverage
        if self.decided_accuracy:
            yield "decided_accuracy", self.decided_accuracy
        if self.sets:
            yield "set_coverage", self.sets.coverage
        if self.strange:
            yield "strange_auroc", self.strange.auroc

    def most_confused(self, at_most: int = 20) -> list[Confused]:
        """Pairs of classes by how many pictures were mixed up, the most first."""
        off = self.confusion * (1 - np.eye(len(self.confusion), dtype=np.int64))
        order = np.argsort(-off, axis=None, kind="stable")[:at_most]
        pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, off.shape), strict=True)]
        return [
            Confused(
                truth=self.classes[i].label,
                answer=self.classes[j].label,
                wrong=Rate(hits=int(off[i, j]), pictures=self.classes[i].pictures),
            )
            for i, j in pairs
            if off[i, j]
        ]

    def card_metrics(self, data: str) -> dict[str, Metric]:
        """What has an interval, as a card holds it. `data`: names what was evaluated."""
        return card_metrics(self.figures(), self.accuracy.pictures, data)

    def to_dict(self) -> dict[str, object]:
        """JSON-able. `confusion` is null above 100 classes; `confused` has the 20 worst pairs."""
        dense = len(self.classes) <= DENSE
        return {
            "pictures": self.accuracy.pictures,
            **{name: one.to_dict() for name, one in self.figures()},
            "ranking": self.ranking.to_dict() if self.ranking else None,
            "by_coverage": [one.to_dict() for one in self.by_coverage],
            "calibration_error": self.calibration_error,
            "reliability": [one.to_dict() for one in self.reliability],
            "sets": self.sets.to_dict() if self.sets else None,
            "strange": self.strange.to_dict() if self.strange else None,
            "slices": [one.to_dict() for one in self.slices],
            "labels": self.labels,
            "untested": self.untested,
            "classes": [result.to_dict() for result in self.classes],
            "confusion": self.confusion.tolist() if dense else None,
            "confused": [
                {"truth": c.truth, "answer": c.answer, **c.wrong.to_dict()}
                for c in self.most_confused()
            ],
            "mistakes": [vars(mistake).copy() for mistake in self.mistakes],
        }

    def to_markdown(self) -> str:
        """The figures as Markdown tables, English; a picture by its file name alone."""
        from .markdown import to_markdown

        return to_markdown(self)


def card_metrics(
    figures: Iterable[tuple[str, Rate | Estimate]], pictures: int, data: str
) -> dict[str, Metric]:
    """Those of the figures that have an interval. `pictures`: of what is no rate."""
    return {
        name: Metric(
            value=one.value,
            low=one.low,
            high=one.high,
            pictures=one.pictures if isinstance(one, Rate) else pictures,
            data=data,
        )
        for name, one in figures
        if one.low is not None and one.high is not None
    }
