"""How good a model is whose pictures have any number of labels. N pictures, K labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.models.card import Metric

from .bootstrap import RESAMPLES, estimate, weights
from .evaluation import ClassResult, Mistake, PerClass, card_metrics
from .interval import Estimate, Rate, share
from .metrics import WORST
from .ranking import Ranking, rank

__all__ = ["MultiLabelEvaluation", "evaluate_multilabel"]


@dataclass(frozen=True, kw_only=True)
class MultiLabelEvaluation(PerClass):
    """Every share is 0 to 1.

    `subset_accuracy`: pictures whose whole set of labels is right. `micro_f1`: of all decisions on
    a label together; `macro_f1`: the mean of the labels that a test picture has. `wrong_labels`:
    the share of all decisions that are wrong (Hamming loss). `ranking`: its `average_precision` is
    the mAP. `set_coverage`: the share of the conformal sets that hold all labels of their picture;
    None where there are none. `coverage`: the share of pictures that the model decides,
    and `decided_accuracy` how often all labels are then right; None where it always decides or, the
    latter, never. `classes`: `recall` of the pictures that have the label.
    `mistakes`: pictures with a wrong decision, at most 100, those first whose worst one the model
    was surest of: that is their `probability`.
    """

    subset_accuracy: Rate
    micro_f1: Estimate
    macro_f1: Estimate
    wrong_labels: float
    ranking: Ranking | None
    set_coverage: Rate | None
    coverage: Rate | None
    decided_accuracy: Rate | None
    classes: tuple[ClassResult, ...]
    mistakes: tuple[Mistake, ...] = ()

    def figures(self) -> Iterator[tuple[str, Rate | Estimate]]:
        """The figures by name, in the order to show them."""
        yield "subset_accuracy", self.subset_accuracy
        yield "micro_f1", self.micro_f1
        yield "macro_f1", self.macro_f1
        if self.ranking:
            yield "average_precision", self.ranking.average_precision
            yield "auc", self.ranking.auc
        if self.coverage:
            yield "coverage", self.coverage
        if self.decided_accuracy:
            yield "decided_accuracy", self.decided_accuracy
        if self.set_coverage:
            yield "set_coverage", self.set_coverage

    def card_metrics(self, data: str) -> dict[str, Metric]:
        """What has an interval, as a card holds it. `data`: names what was evaluated."""
        return card_metrics(self.figures(), self.subset_accuracy.pictures, data)

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "pictures": self.subset_accuracy.pictures,
            **{name: one.to_dict() for name, one in self.figures()},
            "wrong_labels": self.wrong_labels,
            "labels": self.labels,
            "untested": self.untested,
            "ranking": self.ranking.to_dict() if self.ranking else None,
            "classes": [one.to_dict() for one in self.classes],
            "mistakes": [vars(mistake).copy() for mistake in self.mistakes],
        }

    def to_markdown(self) -> str:
        """The figures as Markdown tables, English."""
        from .markdown import multilabel_markdown

        return multilabel_markdown(self)


def evaluate_multilabel(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    chosen: np.ndarray | None = None,
    *,
    decided: np.ndarray | None = None,
    sets: np.ndarray | None = None,
    row_ids: Sequence[str] = (),
    uris: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> MultiLabelEvaluation:
    """Measure decisions on N pictures whose labels are known.

    `truth`: (N, K) bool. `probabilities`: (N, K) float, 0 to 1, of each label. `chosen`: (N, K)
    bool, the labels given; by default those with a probability of at least .5. `decided`: (N,)
    bool, whether the model decides at all; None: always. `sets`: (N, K) bool,
    the conformal sets. `row_ids`, `uris`: N each, for `mistakes`. Raises UsageError where these do
    not fit, or N is 0.
    """
    _check(labels, truth, probabilities, chosen, sets)
    given = probabilities >= 0.5 if chosen is None else chosen
    strata = np.zeros(len(truth), np.int64)  # sets of labels may each be of one picture
    whole = np.ones((1, len(truth)), np.uint16)
    drawn = np.concatenate(
        [_f1s(truth, given, w) for w in weights(strata, resamples, seed)], axis=1
    )
    micro, macro = (
        estimate(v[0], d) for v, d in zip(_f1s(truth, given, whole), drawn, strict=True)
    )
    right = (truth == given).all(axis=1)
    return MultiLabelEvaluation(
        subset_accuracy=share(right),
        micro_f1=micro,
        macro_f1=macro,
        wrong_labels=float((truth != given).mean()),
        set_coverage=None if sets is None else share((sets | ~truth).all(axis=1)),
        coverage=None if decided is None else share(decided),
        decided_accuracy=None if decided is None or not decided.any() else share(right[decided]),
        ranking=rank(tuple(labels), truth, probabilities, strata, resamples, seed),
        classes=_classes(labels, truth, given),
        mistakes=_mistakes(labels, truth, probabilities, given, row_ids, uris),
    )


def _mistakes(
    labels: Sequence[str],
    truth: np.ndarray,
    probabilities: np.ndarray,
    given: np.ndarray,
    row_ids: Sequence[str],
    uris: Sequence[str],
) -> tuple[Mistake, ...]:
    if not uris:
        return ()
    sure = np.where(truth != given, np.where(given, probabilities, 1 - probabilities), -1)
    worst = sure.max(axis=1)
    order = np.argsort(-worst, kind="stable")[:WORST]

    def names(inside: np.ndarray) -> str:
        return ", ".join(labels[k] for k in np.flatnonzero(inside).tolist()) or "-"

    return tuple(
        Mistake(
            index=n,
            row_id=row_ids[n],
            uri=uris[n],
            truth=names(truth[n]),
            answer=names(given[n]),
            probability=float(worst[n]),
        )
        for n in order.tolist()
        if worst[n] >= 0
    )


def _f1s(truth: np.ndarray, given: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(2, b): micro and macro F1 of pictures that count (b, N) times; 0 where nothing is found."""
    w = weight.astype(np.float64)
    hits, positives, answers = (
        w @ part.astype(np.float64) for part in (truth & given, truth, given)
    )
    tested = positives > 0
    f1 = np.where(tested, 2 * hits / np.maximum(positives + answers, 1), 0)
    macro = f1.sum(axis=1) / np.maximum(tested.sum(axis=1), 1)
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
    chosen: np.ndarray | None,
    sets: np.ndarray | None,
) -> None:
    if truth.dtype != bool or truth.ndim != 2 or truth.shape[1] != len(labels) or not len(truth):
        raise UsageError(
            f"truth must be bool (N, {len(labels)}), at least one picture by the labels. "
            f"Got {truth.dtype} {truth.shape} instead."
        )
    if not truth.any():
        raise UsageError("At least one picture must have a label; otherwise nothing is measured.")
    for name, other in (("probabilities", probabilities), ("chosen", chosen), ("sets", sets)):
        if other is not None and other.shape != truth.shape:
            raise UsageError(
                f"{name} must be {truth.shape}, as truth is. Got {other.shape} instead."
            )
    if not (probabilities.min() >= 0 and probabilities.max() <= 1.0001):
        raise UsageError("probabilities must be 0 to 1. Are these logits?")
