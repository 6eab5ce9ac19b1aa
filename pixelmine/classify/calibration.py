"""Logits to probabilities that are right as often as they say.

N pictures, K labels. Of one label a picture (`single`) `y` is (N,) int64 and the probabilities are
a softmax; of many (`multi`) `y` is (N, K) bool and each is a sigmoid. Temperature: C. Guo, G.
Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017, which has
`vector` too; `bias`: A. Alexandari, A. Kundaje, A. Shrikumar, "Maximum likelihood with
bias-corrected calibration is hard-to-beat at label shift adaptation", ICML 2020; isotonic, one
label against the rest: B. Zadrozny, C. Elkan, KDD 2002.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from pixelmine.models.card import Calibration, Knots

__all__ = ["METHODS", "Method", "Task", "calibrated", "fit", "losses", "sigmoid", "softmax"]

Task = Literal["single", "multi"]
Method = Literal["none", "temperature", "bias", "vector", "isotonic"]

METHODS: dict[Method, Callable[[int], int]] = {
    "none": lambda _: 0,
    "temperature": lambda _: 1,
    "bias": lambda classes: classes + 1,
    "vector": lambda classes: 2 * classes,
    "isotonic": lambda classes: 10 * classes,
}
"""The simplest first, with how many numbers each fits; an isotonic line has about ten steps."""

_FACTORS = (1e-3, 1e3)


def softmax(logits: np.ndarray) -> np.ndarray:
    """(N, K) to float32 (N, K), computed in float64."""
    return np.asarray(_softmax(logits), np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Of each, to float32, computed in float64."""
    return np.asarray(_sigmoid(logits), np.float32)


def calibrated(logits: np.ndarray, how: Calibration, task: Task = "single") -> np.ndarray:
    """(N, K) logits to (N, K) float32 probabilities, those of `single` adding up to 1."""
    squash = _softmax if task == "single" else _sigmoid
    if how.method != "isotonic":
        scale = np.array(1.0 if how.scale is None else how.scale) / how.temperature
        bias = np.array(0.0 if how.bias is None else how.bias)
        return np.asarray(squash(logits.astype(np.float64) * scale + bias), np.float32)
    found = squash(logits)
    for label, line in enumerate(how.knots or ()):
        found[:, label] = np.interp(found[:, label], line.x, line.y)
    if task == "single":
        found /= found.sum(axis=1, keepdims=True)
    return np.asarray(found, np.float32)


def fit(method: Method, logits: np.ndarray, y: np.ndarray, task: Task = "single") -> Calibration:
    """The parameters of a method that make the labels of N >= 1 pictures most likely.

    One picture with a label drawn blindly is added in thought, so that no answer becomes certain
    where none was wrong; `bias` and `vector` keep near their start by a unit normal prior.
    """
    if method == "none":
        return Calibration()
    if method == "isotonic":
        return Calibration(method="isotonic", knots=_lines(logits, y, task))
    logits = logits.astype(np.float64)
    targets = _smoothed(y, logits.shape[1], task)
    factor = _factor(logits, targets, task)
    if method == "temperature":
        return Calibration(method="temperature", temperature=1 / factor)
    return _affine(method, logits, targets, task, factor)


def losses(probabilities: np.ndarray, y: np.ndarray, task: Task = "single") -> np.ndarray:
    """Each picture's negative log-likelihood in nats, (N,); of `multi` the sum over the labels."""
    p = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    if task == "single":
        return np.asarray(-np.log(p[np.arange(len(y)), y]))
    return np.asarray(-np.where(y, np.log(p), np.log1p(-p)).sum(axis=1))


def _smoothed(y: np.ndarray, classes: int, task: Task) -> np.ndarray:
    count = len(y)
    if task == "single":
        return np.asarray((count * np.eye(classes)[y] + 1 / classes) / (count + 1))
    return np.asarray((count * y + 0.5) / (count + 1))


def _factor(logits: np.ndarray, targets: np.ndarray, task: Task) -> float:
    """1 / temperature: where the slope of the loss, which is convex in it, changes its sign."""
    from scipy.optimize import brentq

    squash = _softmax if task == "single" else _sigmoid

    def slope(log: float) -> float:
        return float(((squash(np.exp(log) * logits) - targets) * logits).sum())

    low, high = np.log(_FACTORS)
    if slope(low) >= 0:
        return _FACTORS[0]
    if slope(high) <= 0:
        return _FACTORS[1]
    return float(np.exp(brentq(slope, low, high)))


def _affine(
    method: Method, logits: np.ndarray, targets: np.ndarray, task: Task, factor: float
) -> Calibration:
    """Minimise the loss of `factors * logits + bias`, convex in both, from `factor` and 0 on."""
    from scipy.optimize import minimize

    squash, classes = (_softmax if task == "single" else _sigmoid), logits.shape[1]
    shared = method == "bias"
    start = np.concatenate([np.full(1 if shared else classes, factor), np.zeros(classes)])
    likelihood = _single_loss if task == "single" else _multi_loss

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        factors, bias = values[:-classes], values[-classes:]
        z = logits * factors + bias
        error = squash(z) - targets
        by_factor = (error * logits).sum(axis=None if shared else 0, keepdims=shared).reshape(-1)
        away = values - start
        if shared:
            away[0] = 0.0
        gradient = np.concatenate([by_factor, error.sum(axis=0)]) + away
        return (likelihood(z, targets) + (away**2).sum() / 2) / len(z), gradient / len(z)

    bounds = [_FACTORS] * (len(start) - classes) + [(None, None)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    factors, bias = found[:-classes], [float(value) for value in found[-classes:]]
    if shared:
        return Calibration(method="bias", temperature=1 / float(factors[0]), bias=bias)
    return Calibration(method="vector", scale=[float(value) for value in factors], bias=bias)


def _single_loss(z: np.ndarray, targets: np.ndarray) -> float:
    from scipy.special import logsumexp

    return float((logsumexp(z, axis=1) - (targets * z).sum(axis=1)).sum())


def _multi_loss(z: np.ndarray, targets: np.ndarray) -> float:
    return float((np.logaddexp(0, z) - targets * z).sum())


def _lines(logits: np.ndarray, y: np.ndarray, task: Task) -> list[Knots]:
    """An isotonic line a label, bent to rise everywhere: one that is flat would tie its labels.

    It stays off 0 and 1 by about half a picture.
    """
    from sklearn.isotonic import IsotonicRegression

    found = (_softmax if task == "single" else _sigmoid)(logits)
    count, classes = found.shape
    low, high = 0.5 / (count + 1) / classes, 1 - 0.5 / (count + 1)
    lines = []
    for label in range(classes):
        hit = (y == label) if task == "single" else y[:, label]
        line = IsotonicRegression().fit(found[:, label], hit.astype(np.float64))
        inner, level = line.X_thresholds_, line.y_thresholds_
        x = np.unique(np.concatenate([[0.0], inner, [1.0]]))
        steps = np.interp(x, inner, level)
        lines.append(Knots(x=x.tolist(), y=(low + (high - 2 * low) * steps + low * x).tolist()))
    return lines


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(logits.astype(np.float64)))
