"""How good a model is whose pictures have any number of labels. N pictures, K labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .bootstrap import RESAMPLES, estimate, weights
from .evaluation import ClassResult
from .interval import Estimate, Rate
from .ranking import Ranking, rank

__all__ = ["MultiLabelEvaluation", "evaluate_multilabel"]


@dataclass(frozen=True, kw_only=True)
class MultiLabelEvaluation:
    """Every share is 0 to 1.

    `subset_accuracy`: pictures whose whole set of labels is right. `micro_f1`: of all decisions on
    a label together; `macro_f1`: the mean of the labels that a test picture has. `ranking`: its
    `average_precision` is the mAP. `classes`: `recall` of the pictures that have the label.
    """

    subset_accuracy: Rate
    micro_f1: Estimate
    macro_f1: Estimate
    ranking: Ranking | None
    classes: tuple[ClassResult, ...]

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "pictures": self.subset_accuracy.pictures,
            "subset_accuracy": self.subset_accuracy.to_dict(),
            "micro_f1": self.micro_f1.to_dict(),
            "macro_f1": self.macro_f1.to_dict(),
            "ranking": self.ranking.to_dict() if self.ranking else None,
            "classes": [one.to_dict() for one in self.classes],
        }

    def to_markdown(self) -> str:
        """The figures as Markdown tables, English."""
        from .markdown import multilabel_markdown

        return multilabel_markdown(self)


def evaluate_multilabel(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    decided: np.ndarray | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> MultiLabelEvaluation:
    """Measure decisions on N pictures whose labels are known.

    `truth`: (N, K) bool. `probabilities`: (N, K) float, 0 to 1, of each label. `decided`: (N, K)
    bool, the labels given; by default those with a probability of at least .5. Raises UsageError
    where these do not fit, or N is 0.
    """
    _check(labels, truth, probabilities, decided)
    given = probabilities >= 0.5 if decided is None else decided
    _, strata = np.unique(truth, axis=0, return_inverse=True)
    whole = np.ones((1, len(truth)), np.uint16)
    drawn = np.concatenate(
        [_f1s(truth, given, w) for w in weights(strata.ravel(), resamples, seed)], axis=1
    )
    micro, macro = (
        estimate(v[0], d) for v, d in zip(_f1s(truth, given, whole), drawn, strict=True)
    )
    right = (truth == given).all(axis=1)
    return MultiLabelEvaluation(
        subset_accuracy=Rate(hits=int(right.sum()), pictures=len(right)),
        micro_f1=micro,
        macro_f1=macro,
        ranking=rank(tuple(labels), truth, probabilities, strata.ravel(), resamples, seed),
        classes=_classes(labels, truth, given),
    )


def _f1s(truth: np.ndarray, given: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(2, b): micro and macro F1 of pictures that count (b, N) times; 0 where nothing is found."""
    w = weight.astype(np.float64)
    hits, positives, answers = (
        w @ part.astype(np.float64) for part in (truth & given, truth, given)
    )
    tested = truth.any(axis=0)
    macro = (2 * hits / np.maximum(positives + answers, 1))[:, tested].mean(axis=1)
    both = positives.sum(axis=1) + answers.sum(axis=1)
    return np.stack([2 * hits.sum(axis=1) / np.maximum(both, 1), macro])


def _classes(
    labels: Sequence[str], truth: np.ndarray, given: np.ndarray
) -> tuple[ClassResult, ...]:
    found = []
    for k, label in enumerate(labels):
        hits = int((truth[:, k] & given[:, k]).sum())
        pictures, answers = int(truth[:, k].sum()), int(given[:, k].sum())
        found.append(
            ClassResult(
                label=label,
                pictures=pictures,
                recall=Rate(hits=hits, pictures=pictures) if pictures else None,
                precision=Rate(hits=hits, pictures=answers) if answers else None,
                f1=2 * hits / (pictures + answers) if pictures else None,
            )
        )
    return tuple(found)


def _check(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    decided: np.ndarray | None,
) -> None:
    if truth.dtype != bool or truth.ndim != 2 or truth.shape[1] != len(labels) or not len(truth):
        raise UsageError(
            f"truth must be bool (N, {len(labels)}), at least one picture by the labels. "
            f"Got {truth.dtype} {truth.shape} instead."
        )
    if not truth.any():
        raise UsageError("At least one picture must have a label; otherwise nothing is measured.")
    for name, other in (("probabilities", probabilities), ("decided", decided)):
        if other is not None and other.shape != truth.shape:
            raise UsageError(
                f"{name} must be {truth.shape}, as truth is. Got {other.shape} instead."
            )
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.0001):
        raise UsageError("probabilities must be 0 to 1. Are these logits?")
