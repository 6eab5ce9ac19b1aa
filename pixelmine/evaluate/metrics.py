"""How good a model's answers are.

N pictures, K classes. An answer is the class with the highest probability (of equal ones the
first). What scikit-learn measures, it measures here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .abstention import accuracy_by_coverage
from .bootstrap import RESAMPLES, class_figures, estimate, resampled_figures
from .calibration import calibration_error, reliability
from .evaluation import ClassResult, Evaluation, Mistake
from .interval import Estimate, Rate, share
from .ranking import rank
from .sets import evaluate_sets
from .slices import slices
from .strangeness import Separation, separate

__all__ = ["WORST", "evaluate"]

WORST = 100
"""How many mistakes an evaluation lists: more than anyone looks at, and small at any N."""

PAIRS = 6
"""How many pairs of classes have mistakes of their own, and how many of them each."""


@dataclass(frozen=True)
class _Answers:
    """`answer`: (N,) int64; `confidence`: (N,) of it."""

    labels: Sequence[str]
    truth: np.ndarray
    answer: np.ndarray
    confidence: np.ndarray
    row_ids: Sequence[str]
    uris: Sequence[str]

    def worst(self, places: np.ndarray, at_most: int) -> tuple[Mistake, ...]:
        """The most confident of those answers, first."""
        order = np.argsort(-self.confidence[places], kind="stable")[:at_most]
        return tuple(
            Mistake(
                index=i,
                row_id=self.row_ids[i],
                uri=self.uris[i],
                truth=self.labels[self.truth[i]],
                answer=self.labels[self.answer[i]],
                probability=float(self.confidence[i]),
            )
            for i in places[order].tolist()
        )


def evaluate(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    row_ids: Sequence[str],
    uris: Sequence[str],
    decided: np.ndarray | None = None,
    *,
    sets: np.ndarray | None = None,
    strangeness: np.ndarray | None = None,
    columns: Mapping[str, Sequence[object]] | None = None,
    top: Sequence[int] = (5,),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Measure the answers to N pictures whose class is known.

    `labels`: K names. `truth`: (N,) int, 0 to K-1. `probabilities`: (N, K) float32, calibrated, 0
    to 1. `row_ids`, `uris`: N each, as they may leave. `decided`: (N,) bool, false where the model
    abstains; None where it never does. `sets`: (N, K) bool, the conformal sets. `strangeness`:
    (N,) float, the out-of-distribution score, higher is stranger. `columns`: what to slice by, N
    values each (`slices`). `top`: each k of top-k below K. `resamples`, `seed`: of the bootstrap.
    Raises UsageError where these do not fit, or N is 0.
    """
    _check(labels, truth, probabilities, (row_ids, uris, decided, sets, strangeness))
    answer = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    right = answer == truth
    confusion = _confusion(truth, answer, len(labels))
    balanced_accuracy, macro_f1 = _means(confusion, resamples, seed)
    bins = reliability(confidence, right)
    answers = _Answers(labels, truth, answer, confidence, row_ids, uris)
    names = tuple(labels)
    positive = truth[:, None] == np.arange(len(labels))
    return Evaluation(
        accuracy=share(right),
        top={k: _top(truth, probabilities, k) for k in sorted(set(top)) if k < len(labels)},
        balanced_accuracy=balanced_accuracy,
        macro_f1=macro_f1,
        ranking=rank(names, positive, probabilities, truth, resamples, seed),
        classes=_classes(labels, truth, answer, confusion),
        confusion=confusion,
        coverage=None if decided is None else share(decided),
        decided_accuracy=None if decided is None or not decided.any() else share(right[decided]),
        by_coverage=accuracy_by_coverage(confidence, right),
        calibration_error=calibration_error(bins),
        reliability=bins,
        sets=None if sets is None else evaluate_sets(names, truth, sets),
        strange=_strange(strangeness, right, resamples, seed),
        slices=slices(columns or {}, right),
        mistakes=answers.worst(np.flatnonzero(~right), WORST),
        pair_mistakes=_pair_mistakes(answers, confusion),
        right=right,
    )


def _confusion(truth: np.ndarray, answer: np.ndarray, classes: int) -> np.ndarray:
    """(K, K) int64. As scikit-learn's, which warns where one class is all there is."""
    cells = np.bincount(truth * classes + answer, minlength=classes**2)
    return cells.reshape(classes, classes)


def _means(confusion: np.ndarray, resamples: int, seed: int) -> tuple[Estimate, Estimate]:
    """Balanced accuracy and macro F1."""
    hits, answers, pictures = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    values = class_figures(hits[None], answers[None], pictures)
    drawn = resampled_figures(confusion, resamples, seed)
    accuracy, f1 = (estimate(v[0], d) for v, d in zip(values, drawn, strict=True))
    return accuracy, f1


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


def _top(truth: np.ndarray, probabilities: np.ndarray, k: int) -> Rate:
    """How often the truth is among the k best; of equal ones the first, as for the answer."""
    if k < 1:
        raise UsageError(f"top must be 1 or more. Got {k} instead.")
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return share((best == truth[:, None]).any(axis=1))


def _strange(
    strangeness: np.ndarray | None, right: np.ndarray, resamples: int, seed: int
) -> Separation | None:
    if strangeness is None:
        return None
    return separate(strangeness[right], strangeness[~right], resamples, seed)


def _pair_mistakes(answers: _Answers, confusion: np.ndarray) -> tuple[tuple[Mistake, ...], ...]:
    off = confusion.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:PAIRS]
    found = []
    for truth, answer in zip(*np.unravel_index(order, off.shape), strict=True):
        if off[truth, answer]:
            both = (answers.truth == truth) & (answers.answer == answer)
            found.append(answers.worst(np.flatnonzero(both), PAIRS))
    return tuple(found)


def _check(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    others: tuple[Sequence[str] | np.ndarray | None, ...],
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
    if any(one is not None and len(one) != pictures for one in others):
        raise UsageError(
            f"row_ids, uris, decided, sets and strangeness must be {pictures} each, as truth is."
        )
    if truth.min() < 0 or truth.max() >= classes:
        raise UsageError(f"truth must be 0 to {classes - 1}, the places of the labels.")
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.0001):
        raise UsageError("probabilities must be 0 to 1. Are these logits?")
