"""Sets of labels that hold the truth as often as was asked.

Split conformal prediction with the score 1 - p(label), which gives the smallest sets on average of
all that reach the coverage: M. Sadinle, J. Lei, L. Wasserman, "Least ambiguous set-valued
classifiers with bounded error levels", JASA 2019. N pictures, K labels; probabilities are float32,
0 to 1. Of many labels a picture (`multi`, y (N, K) bool) a set is right where it holds all of them.
"""

import math

import numpy as np

from pixelmine.models.card import Conformal

from .calibration import Task

__all__ = ["fit_sets", "prediction_sets"]


def fit_sets(
    probabilities: np.ndarray,
    y: np.ndarray,
    coverage: float,
    *,
    task: Task = "single",
    by_class: bool = False,
    empty: bool = False,
) -> Conformal:
    """The probability from which a label is in the set, from N pictures a model has not seen.

    `by_class`: reach the coverage in each class (V. Vovk, "Conditional validity of inductive
    conformal predictors", 2012), not only over all; of a class with too few pictures for that,
    every set holds the label. `empty`: see `Conformal`.
    """
    if by_class:
        hits = y if task == "multi" else np.arange(probabilities.shape[1]) == y[:, None]
        each = [_least(p[hit], coverage) for p, hit in zip(probabilities.T, hits.T, strict=True)]
        return Conformal(coverage=coverage, at_least=each, empty=empty)
    if task == "multi":
        true = np.where(y, probabilities, 1.0).min(axis=1)
    else:
        true = probabilities[np.arange(len(y)), y]
    return Conformal(coverage=coverage, at_least=[_least(true, coverage)], empty=empty)


def prediction_sets(probabilities: np.ndarray, how: Conformal, task: Task = "single") -> np.ndarray:
    """Which labels are in each set, (N, K) bool; a set of `multi` may be empty."""
    inside = probabilities >= np.array(how.at_least)
    if task == "single" and not how.empty:
        inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
    return np.asarray(inside)


def _least(true: np.ndarray, coverage: float) -> float:
    """The ceil((n + 1) coverage)-th largest of the true labels' n probabilities; 0 without one."""
    rank = math.ceil((len(true) + 1) * coverage - 1e-9)
    return float(np.sort(true)[-rank]) if rank <= len(true) else 0.0
