"""Linear scores that cost the least: a convex loss with an L2 penalty, by L-BFGS.

The losses are those of scikit-learn's LogisticRegression and LinearSVC, which tests/classify/heads
compares. They cannot hold a class still that the data lack, and fit several labels one by one;
LinearSVC penalises the intercept, copies the features to float64 twice, and took twelve times as
long on 6,000 rows of 1,170 dimensions.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from pixelmine.core.errors import TrainError

from .examples import Examples

__all__ = ["Loss", "constant_rows", "fit_affine", "hinge", "sigmoid", "softmax"]

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Float32 (N, S) scores and bool (N, S) targets to losses, (N, 1) or (N, S), and their gradient."""

_ROWS = 2048
"""In one product: 8 MB of 1,000 dimensions, which a processor's cache holds for both products."""
_GRADIENT = 1e-4
"""Largest slope of the mean loss at which to stop: scikit-learn's own `tol`."""
_ITERATIONS = 1000
"""A bound against a data set that never settles; 44 to 126 were seen."""


def softmax(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial cross-entropy."""
    best = scores.max(axis=1, keepdims=True)
    powers = np.exp(scores - best)
    total = powers.sum(axis=1, keepdims=True)
    chosen = np.where(targets, scores, 0).sum(axis=1, keepdims=True)
    return np.log(total) + best - chosen, powers / total - targets


def sigmoid(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Binary cross-entropy of each label on its own."""
    small = np.exp(-np.abs(scores))
    probability = np.where(scores >= 0, 1, small) / (1 + small)
    return np.log1p(small) + np.maximum(scores, 0) - scores * targets, probability - targets


def hinge(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared hinge of each class against the rest."""
    sign = np.where(targets, np.float32(1), np.float32(-1))
    missing = np.maximum(1 - sign * scores, 0)
    return missing * missing, -2 * sign * missing


def fit_affine(
    z: np.ndarray, examples: Examples, costs: np.ndarray, loss: Loss, c: float, start: np.ndarray
) -> np.ndarray:
    """Minimise sum(costs * loss) + |weight - start's|^2 / (2 c); the intercept is free.

    With a start of zeros that is the usual penalty. Else the examples move what was known before as
    far as they weigh against it: the maximum a posteriori with the earlier weights as the prior's
    mean (Chelba and Acero, "Adaptation of Maximum Entropy Capitalizer", EMNLP 2004).

    `z`: float32 (N, E). `costs`: float32 (N, 1) or (N, S). `start`: float64 (S, E + 1), the
    intercept last; rows of classes that `examples` lack stay as they are, and take part. Gives
    float64 (S, E + 1). Sums are taken in float64, products in float32. Raises TrainError where it
    does not settle.
    """
    total = float(costs.sum(dtype=np.float64)) / costs.shape[1]
    free = examples.present

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        theta = start.copy()
        theta[free] = flat.reshape(-1, start.shape[1])
        value, slope = _loss(z, examples.targets, costs, loss, theta)
        moved = theta[:, :-1] - start[:, :-1]
        value += float((moved**2).sum()) / (2 * c)
        slope[:, :-1] += moved / c
        return value / total, (slope[free] / total).ravel()

    if not free.any():
        return start
    options = {"maxiter": _ITERATIONS, "maxfun": 2 * _ITERATIONS, "gtol": _GRADIENT, "ftol": 1e-9}
    found = minimize(objective, start[free].ravel(), jac=True, method="L-BFGS-B", options=options)
    if found.status == 1 or not np.isfinite(found.x).all():
        raise TrainError(
            f"The head did not settle in {found.nit} iterations: C = {c:g} is too large for these "
            "features. Use a smaller C."
        )
    theta = start.copy()
    theta[free] = found.x.reshape(-1, start.shape[1])
    return theta


def constant_rows(examples: Examples, dimensions: int) -> np.ndarray:
    """Float64 (S, E + 1) of zeros, but log-odds of N + 1 to 1 where a label never differs."""
    theta = np.zeros((examples.targets.shape[1], dimensions + 1))
    if examples.multi:
        odds = np.log(len(examples.z) + 1) * np.where(examples.targets[0], 1, -1)
        theta[:, -1] = np.where(examples.present, 0, odds)
    return theta


def _loss(
    z: np.ndarray, targets: np.ndarray, costs: np.ndarray, loss: Loss, theta: np.ndarray
) -> tuple[float, np.ndarray]:
    """Sum of the losses and its gradient, float64 (S, E + 1), `_ROWS` rows at a time."""
    weight, bias = theta[:, :-1].astype(np.float32), theta[:, -1].astype(np.float32)
    value, slope = 0.0, np.zeros_like(theta)
    for at in range(0, len(z), _ROWS):
        part = slice(at, at + _ROWS)
        losses, gradient = loss(z[part] @ weight.T + bias, targets[part])
        gradient = (gradient * costs[part]).astype(np.float32)
        value += float((losses * costs[part]).sum(dtype=np.float64))
        slope[:, :-1] += gradient.T @ z[part]
        slope[:, -1] += gradient.sum(axis=0, dtype=np.float64)
    return value, slope
