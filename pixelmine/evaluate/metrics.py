"""How good a model's answers are.

N pictures, K classes. An answer is the class with the highest probability (of equal ones the
first). What scikit-learn measures, it measures here too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.models.card import Metric

from .calibration import Bin, calibration_error, reliability
from .interval import Rate

__all__ = ["WORST", "ClassResult", "Confused", "Evaluation", "Mistake", "evaluate"]

WORST = 100
"""How many mistakes an evaluation lists: more than anyone looks at, and small at any N."""

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
    """A wrong answer. `index`: its row in what was evaluated. `probability`: of the answer."""

    index: int
    row_id: str
    uri: str
    truth: str
    answer: str
    probability: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Everything measured on one set of pictures; every share is 0 to 1.

    `top5`: the truth is among the five best; None up to 5 classes. `balanced_accuracy`,
    `macro_f1`: means over the classes that have a test picture. `confusion`: (K, K) int64, truth by
    answer. `calibration_error`: 15 bins, not in percent. `coverage`: the share that the model
    decides, and `decided_accuracy` how often it is then right; None where it always decides or,
    the latter, never. `mistakes`: the most confident first, at most 100.
    """

    accuracy: Rate
    top5: Rate | None
    balanced_accuracy: float
    macro_f1: float
    classes: tuple[ClassResult, ...]
    confusion: np.ndarray
    coverage: Rate | None
    decided_accuracy: Rate | None
    calibration_error: float
    reliability: tuple[Bin, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def labels(self) -> list[str]:
        """The K names, in order."""
        return [result.label for result in self.classes]

    @property
    def untested(self) -> list[str]:
        """Classes without a test picture: nothing is known about their recall."""
        return [result.label for result in self.classes if not result.pictures]

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
        rates = {
            "accuracy": self.accuracy,
            "top5": self.top5,
            "coverage": self.coverage,
            "decided_accuracy": self.decided_accuracy,
        }
        return {
            name: Metric(
                value=rate.value, low=rate.low, high=rate.high, pictures=rate.pictures, data=data
            )
            for name, rate in rates.items()
            if rate
        }

    def to_dict(self) -> dict[str, object]:
        """JSON-able. `confusion` is null above 100 classes; `confused` has the 20 worst pairs."""
        dense = len(self.classes) <= DENSE
        return {
            "pictures": self.accuracy.pictures,
            "accuracy": self.accuracy.to_dict(),
            "top5": self.top5.to_dict() if self.top5 else None,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            "coverage": self.coverage.to_dict() if self.coverage else None,
            "decided_accuracy": self.decided_accuracy.to_dict() if self.decided_accuracy else None,
            "calibration_error": self.calibration_error,
            "reliability": [one.to_dict() for one in self.reliability],
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


def evaluate(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    row_ids: Sequence[str],
    uris: Sequence[str],
    decided: np.ndarray | None = None,
) -> Evaluation:
    """Measure the answers to N pictures whose class is known.

    `labels`: K names. `truth`: (N,) int, 0 to K-1. `probabilities`: (N, K) float32, calibrated, 0
    to 1. `row_ids`, `uris`: N each, as they may leave. `decided`: (N,) bool, false where the model
    abstains; None where it never does. Raises UsageError where these do not fit, or N is 0.
    """
    _check(labels, truth, probabilities, row_ids, uris, decided)
    answer = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = answer == truth
    confusion = _confusion(truth, answer, len(labels))
    classes = _classes(labels, truth, answer, confusion)
    bins = reliability(confidence, right)
    wrong = np.flatnonzero(~right)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    return Evaluation(
        accuracy=_rate(right),
        top5=_top5(truth, probabilities),
        balanced_accuracy=_mean([one.recall.value for one in classes if one.recall]),
        macro_f1=_mean([one.f1 for one in classes if one.f1 is not None]),
        classes=classes,
        confusion=confusion,
        coverage=None if decided is None else _rate(decided),
        decided_accuracy=None if decided is None or not decided.any() else _rate(right[decided]),
        calibration_error=calibration_error(bins),
        reliability=bins,
        mistakes=tuple(
            Mistake(
                index=i,
                row_id=row_ids[i],
                uri=uris[i],
                truth=labels[truth[i]],
                answer=labels[answer[i]],
                probability=float(confidence[i]),
            )
            for i in worst.tolist()
        ),
    )


def _confusion(truth: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """(K, K) int64. As scikit-learn's, which warns where one class is all there is."""
    cells = np.bincount(truth * classes + answer, minlength=classes**2)
    return cells.reshape(classes, classes)


def _classes(
    labels: Sequence[str], truth: np.ndarray, answer: np.ndarray, confusion: np.ndarray
) -> tuple[ClassResult, ...]:
    from sklearn.metrics import f1_score

    f1 = f1_score(truth, answer, labels=np.arange(len(labels)), average=None, zero_division=0.0)
    hits, pictures, answers = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return tuple(
        ClassResult(
            label=labels[i],
            pictures=int(pictures[i]),
            recall=Rate(hits=int(hits[i]), pictures=int(pictures[i])) if pictures[i] else None,
            precision=Rate(hits=int(hits[i]), pictures=int(answers[i])) if answers[i] else None,
            f1=float(f1[i]) if pictures[i] else None,
        )
        for i in range(len(labels))
    )


def _top5(truth: np.ndarray, probabilities: np.ndarray) -> Rate | None:
    from sklearn.metrics import top_k_accuracy_score

    pictures, classes = probabilities.shape
    if classes <= 5:
        return None
    hits = top_k_accuracy_score(
        truth, probabilities, k=5, labels=np.arange(classes), normalize=False
    )
    return Rate(hits=int(hits), pictures=pictures)


def _rate(true: np.ndarray) -> Rate:
    return Rate(hits=int(true.sum()), pictures=len(true))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _check(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    row_ids: Sequence[str],
    uris: Sequence[str],
    decided: np.ndarray | None,
) -> None:
    pictures, classes = len(truth), len(labels)
    if pictures == 0:
        raise UsageError(
            "There are no test pictures, so nothing can be measured. Evaluate on a part that has "
            "labelled pictures, of labels that the model knows."
        )
    if probabilities.shape != (pictures, classes):
        raise UsageError(
            f"probabilities must be ({pictures}, {classes}), pictures by classes. "
            f"Got {probabilities.shape} instead."
        )
    sizes = {len(row_ids), len(uris), pictures if decided is None else len(decided)}
    if sizes != {pictures}:
        raise UsageError(f"row_ids, uris and decided must be {pictures} each, as truth is.")
    if truth.min() < 0 or truth.max() >= classes:
        raise UsageError(f"truth must be 0 to {classes - 1}, the places of the labels.")
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.0001):
        raise UsageError("probabilities must be 0 to 1. Are these logits?")
