"""What a model has to learn to know when it does not know, from pictures it was not trained on.

N held-back pictures, K labels, D dimensions. They are divided into folds, and what is said about a
picture comes from the others: probabilities are calibrated without it, its oddness is measured
without it. On these the coverage of the sets, the thresholds and the share of odder pictures are
settled; what the card carries is then fitted on all N. So no number is judged on the pictures that
it was fitted on. That the folds' fits differ a little from the last one makes the promises of sets
and abstention nearly, not strictly, exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pixelmine.core.checks import check_fraction, check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.models import Bundle
from pixelmine.models.card import KNOWING, Calibration, Conformal, OutOfDistribution, Thresholds

from .abstain import error_threshold, label_thresholds
from .calibration import METHODS, Method, Task, calibrated, fit, losses
from .conformal import fit_sets
from .ood import learn_oddness

__all__ = ["LEAST", "Asked", "Learned", "learn"]

LEAST = 20
"""Pictures: of fewer nothing is learnt. A set of coverage .95 needs 19 to leave out any label."""

_FOLDS = 5
_EACH = 10
_COVERAGE = 0.9


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user wants to be able to rely on.

    `coverage`: the share of the sets that hold the truth; None: .9, or where the best label alone
    is right that often, so much that half of its errors are caught. `by_class`: in each class;
    `empty`: sets may be empty. `error`: the share of wrong decisions among those made, which the
    threshold keeps with `confidence`; None: always decide. `ood`: abstain on pictures odder than
    this share of the known ones; None: only say how odd. `method`: of calibration; `auto` takes the
    one that makes held-back labels most likely.
    """

    coverage: float | None = None
    by_class: bool = False
    empty: bool = False
    error: float | None = 0.05
    confidence: float = 0.95
    ood: float | None = None
    method: Literal["auto"] | Method = "auto"

    def __post_init__(self) -> None:
        for name in ("coverage", "confidence", "error", "ood"):
            if (value := getattr(self, name)) is not None:
                check_fraction(name, value)
        check_one_of("method", self.method, ["auto", *METHODS])


@dataclass(frozen=True, kw_only=True)
class Learned:
    """Parts of a card, and the bundle's file that goes with them.

    `notes`: a sentence for each thing asked for that these pictures do not give.
    """

    task: Task
    calibration: Calibration = field(default_factory=Calibration)
    thresholds: Thresholds = field(default_factory=Thresholds)
    conformal: Conformal | None = None
    ood: OutOfDistribution | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Any]:
        """For `Card(...)` or `card.model_copy(update=...)`."""
        names = ("task", "calibration", "thresholds", "conformal", "ood")
        return {name: getattr(self, name) for name in names}

    def given_to(self, bundle: Bundle) -> Bundle:
        """The same model, which now knows this. Raises ModelError."""
        files = {n: d for n, d in bundle.files.items() if not n.startswith("golden/")}
        card = bundle.card.model_copy(update={**self.parts(), "files": {}, "seal": ""})
        files.pop(KNOWING, None)
        return Bundle.make(card, {**files, **self.files}, bundle.golden)


def learn(
    logits: np.ndarray,
    embedding: np.ndarray,
    y: np.ndarray,
    *,
    task: Task = "single",
    asked: Asked | None = None,
    seed: int = 1,
    groups: Sequence[str | None] | None = None,
) -> Learned:
    """Learn from (N, K) logits and (N, D) embeddings, float32, of N held-back pictures.

    `y`: (N,) int64, or for `multi` (N, K) bool. `groups`: pictures of one name stay in one fold.
    Raises UsageError where the shapes do not fit each other.
    """
    asked = asked or Asked()
    _check(logits, embedding, y, task)
    if len(logits) < LEAST:
        note = f"{len(logits)} pictures were held back: too few to learn from, {LEAST} are needed."
        return Learned(task=task, notes=(note,))
    fold = _folds(y, seed, groups)
    probabilities, calibration = _calibrate(logits, y, fold, task, asked.method)
    notes: list[str] = []
    coverage = asked.coverage
    if coverage is None:
        alone = task == "single" and not asked.empty
        coverage = _more_than_alone(probabilities, y) if alone else _COVERAGE
    conformal = fit_sets(
        probabilities, y, coverage, task=task, by_class=asked.by_class, empty=asked.empty
    )
    thresholds = _thresholds(probabilities, y, task, asked, notes)
    _note_sets(probabilities, y, task, conformal, notes)
    oddness = learn_oddness(logits, embedding, y, fold, task)
    return Learned(
        task=task,
        calibration=calibration,
        thresholds=thresholds,
        conformal=conformal,
        ood=OutOfDistribution(),
        files={KNOWING: oddness.to_bytes()},
        notes=tuple(notes),
    )


def _calibrate(
    logits: np.ndarray, y: np.ndarray, fold: np.ndarray, task: Task, asked: str
) -> tuple[np.ndarray, Calibration]:
    """Out-of-fold probabilities (N, K) float32, and the calibration fitted on all.

    `auto` takes, of the methods that fit at most a number for every ten pictures, the one with the
    least loss on the folds that it was not fitted on.
    """
    methods = [method for method in METHODS if method == asked]
    if asked == "auto":
        most = len(y) / _EACH
        methods = [m for m, numbers in METHODS.items() if 1 <= numbers(logits.shape[1]) <= most]
    found = {method: _out_of_fold(method, logits, y, fold, task) for method in methods}
    best = min(methods, key=lambda method: float(losses(found[method], y, task).mean()))
    return found[best], fit(best, logits, y, task)


def _out_of_fold(
    method: Method, logits: np.ndarray, y: np.ndarray, fold: np.ndarray, task: Task
) -> np.ndarray:
    found = np.empty(logits.shape, np.float32)
    for number in np.unique(fold):
        at = fold == number
        found[at] = calibrated(logits[at], fit(method, logits[~at], y[~at], task), task)
    return found


def _thresholds(
    probabilities: np.ndarray, y: np.ndarray, task: Task, asked: Asked, notes: list[str]
) -> Thresholds:
    if task == "multi":
        return Thresholds(labels=label_thresholds(probabilities, y), ood=asked.ood)
    if asked.error is None:
        return Thresholds(ood=asked.ood)
    right = probabilities.argmax(axis=1) == y
    found = error_threshold(probabilities.max(axis=1), right, asked.error, asked.confidence)
    if found is None:
        notes.append(
            f"No threshold keeps the error rate below {asked.error:g} with confidence "
            f"{asked.confidence:g} on these {len(y)} pictures, {right.mean():.1%} of them right: "
            "the model always decides."
        )
        return Thresholds(ood=asked.ood)
    return Thresholds(decision=found, error=asked.error, confidence=asked.confidence, ood=asked.ood)


def _more_than_alone(probabilities: np.ndarray, y: np.ndarray) -> float:
    """The coverage of sets that hold the best label in any case: more than that reaches alone.

    At most what N pictures can tell apart, N / (N + 1).
    """
    right = float((probabilities.argmax(axis=1) == y).mean())
    if right < _COVERAGE:
        return _COVERAGE
    return math.floor(1e4 * min((1 + right) / 2, len(y) / (len(y) + 1))) / 1e4


def _note_sets(
    probabilities: np.ndarray, y: np.ndarray, task: Task, sets: Conformal, notes: list[str]
) -> None:
    if all(value == 0 for value in sets.at_least):
        notes.append(
            f"{len(y)} pictures are too few for sets of coverage {sets.coverage:g}: "
            "every set holds every label."
        )
    if task == "single" and not sets.empty:
        right = float((probabilities.argmax(axis=1) == y).mean())
        if right > sets.coverage:
            notes.append(
                f"The best label alone is right more often ({right:.1%}) than the sets were asked "
                f"to be ({sets.coverage:.1%}): they hold one label each. Ask for more coverage."
            )


def _folds(y: np.ndarray, seed: int, groups: Sequence[str | None] | None) -> np.ndarray:
    """A fold for each picture, drawn by the seed; of one label a picture, of each label alike."""
    random = np.random.default_rng(seed)
    names = [name or f"\0{row}" for row, name in enumerate(groups or [None] * len(y))]
    _, unit = np.unique(names, return_inverse=True)
    order = random.permutation(unit.max() + 1)
    rank = order[unit]
    key = (rank, y) if y.ndim == 1 else (rank,)
    first = np.unique(unit, return_index=True)[1]
    sequence = first[np.lexsort([k[first] for k in key])]
    fold_of = np.empty(len(order), np.int64)
    fold_of[unit[sequence]] = np.arange(len(sequence)) % _FOLDS
    return np.asarray(fold_of[unit])


def _check(logits: np.ndarray, embedding: np.ndarray, y: np.ndarray, task: Task) -> None:
    count = len(logits)
    wanted = (count,) if task == "single" else logits.shape
    if logits.ndim != 2 or embedding.ndim != 2 or len(embedding) != count or y.shape != wanted:
        raise UsageError(
            "Logits, embeddings and labels must be of the same pictures: (N, K), (N, D) and "
            f"{'(N,)' if task == 'single' else '(N, K)'}. "
            f"Got {logits.shape}, {embedding.shape} and {y.shape} instead."
        )
