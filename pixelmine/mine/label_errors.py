"""Labels that are probably wrong: confident learning on probabilities from outside the fold.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal
of Artificial Intelligence Research 70 (2021), by cleanlab: how often is another label as probable
as it usually is for pictures that carry it? That estimates how many labels are wrong. Labels are
ranked by how much more probable another one is than the given, and so many of the first are
suspected. Of 12,000 of MNIST's digits with a hundredth, a twentieth and a fifth of the labels
wrong, 122, 590 and 2,398 were, of which .93, .98 and .99 were wrong, and .94, .96 and .99 of the
wrong were among them (2026-11); the pictures that themselves exceed the usual were fewer: .73, .77
and .86 of the wrong ones.
"""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Suspicions", "suspect"]

_LEAST = 1e-6
"""Of a probability: float32's rounding of a sum of 1."""


@dataclass(frozen=True, kw_only=True)
class Suspicions:
    """Of N pictures whose given labels are `y`.

    `suggested`: int64 (N,), the most probable label other than the given. `probability`, `given`:
    float32 (N,), of the suggested and of the given label. `score`: float32 (N,), 0 to 1,
    probability / (probability + given): above .5 the suggested label is the more probable.
    `suspected`: bool (N,). `order`: int64 (N,), all pictures, highest score first. `wrong`: how
    many labels are estimated to be wrong.
    """

    suggested: np.ndarray = field(repr=False)
    probability: np.ndarray = field(repr=False)
    given: np.ndarray = field(repr=False)
    score: np.ndarray = field(repr=False)
    suspected: np.ndarray = field(repr=False)
    order: np.ndarray = field(repr=False)
    wrong: int


def suspect(probabilities: np.ndarray, y: np.ndarray) -> Suspicions:
    """Compare each given label with what is probable.

    `probabilities`: float32 (N, K), K at least 2, from models that have not seen the picture. `y`:
    int64 (N,), of which every label 0 to K - 1 has a picture.
    """
    rows = np.arange(len(y))
    given = probabilities[rows, y]
    others = probabilities.copy()
    others[rows, y] = -1
    suggested = others.argmax(axis=1)
    probability = others[rows, suggested]
    low = np.float32(_LEAST)
    score = (probability + low) / (probability + given + 2 * low)
    order = np.lexsort([rows, -score])
    wrong = _estimate(probabilities, y)
    first = np.zeros(len(y), bool)
    first[order[:wrong]] = True
    return Suspicions(
        suggested=suggested,
        probability=probability,
        given=given,
        score=score,
        suspected=first & (probability > given),
        order=order,
        wrong=wrong,
    )


def _estimate(probabilities: np.ndarray, y: np.ndarray) -> int:
    """How many labels are wrong: what lies off the diagonal of the joint of given and true."""
    from cleanlab.count import estimate_joint

    joint = estimate_joint(y, probabilities.astype(np.float64))
    return round(len(y) * float(joint.sum() - np.trace(joint)))
