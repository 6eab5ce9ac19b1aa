"""How odd a picture is for a model: out-of-distribution detection.

N pictures, K labels, D dimensions of the embedding, R directions, M means. Two signs are added up.
The energy of the logits is high where no label is likely: W. Liu, X. Wang, J. Owens, Y. Li,
"Energy-based out-of-distribution detection", NeurIPS 2020; of many labels a picture, H. Wang, W.
Liu, A. Bocchieri, Y. Li, "Can multi-label classification networks know what they don't know?",
NeurIPS 2021. And the embedding, made of length 1, lies far from the mean of every label, under one
covariance for all: K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting
out-of-distribution samples and adversarial attacks", NeurIPS 2018.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pixelmine.core.errors import ModelError

from .calibration import Task

__all__ = ["Neighbourhood", "Oddness", "energy", "learn_oddness"]

_DIRECTIONS = 256
_KNOWN = 10_000
_PULL = 2.0


@dataclass(frozen=True)
class Neighbourhood:
    """Where the embeddings of known pictures lie.

    `means`: (M, D) float32, one a label or one for all. `axes`: (D, R) float32, orthonormal;
    `precision`: (R,) float32, along each of them; `rest`: (1,) float32, along all others.
    """

    means: np.ndarray
    axes: np.ndarray
    precision: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, embedding: np.ndarray, y: np.ndarray, classes: int, task: Task) -> Self:
        """From N pictures. The covariance is drawn to a sphere (O. Ledoit, M. Wolf, 2004).

        The mean of a label is drawn to that of all as by two pictures more; of `multi` there is
        but one.
        """
        x = _unit(embedding)
        means = x.mean(axis=0, keepdims=True)
        if task == "single":
            hits = np.eye(classes)[y]
            means = (hits.T @ x + _PULL * means) / (hits.sum(axis=0)[:, None] + _PULL)
        own = x - (means[y] if task == "single" else means)
        values, axes, rest = _spread(own)
        parts = (means, axes, 1 / values, np.array([1 / rest]))
        return cls(*(np.ascontiguousarray(part, np.float32) for part in parts))

    def distances(self, embedding: np.ndarray) -> np.ndarray:
        """Of (N, D) the squared Mahalanobis distance to the nearest mean, (N,) float64, > 0."""
        x, means = _unit(embedding), self.means.astype(np.float64)
        along = _squares(x @ self.axes, means @ self.axes, self.precision - self.rest)
        whole = _squares(x, means, np.broadcast_to(self.rest, x.shape[1:]))
        return np.asarray(np.maximum((along + whole).min(axis=1), 1e-12))


@dataclass(frozen=True)
class Oddness:
    """What `knowing.safetensors` holds.

    `middle`, `spread`: (2,) float64, of energy and log distance. `known`: float64, the scores of
    held-back pictures, rising; of more than 10,000, evenly chosen ones.
    """

    near: Neighbourhood
    middle: np.ndarray
    spread: np.ndarray
    known: np.ndarray

    def __call__(self, logits: np.ndarray, embedding: np.ndarray, task: Task) -> np.ndarray:
        """The share of the held-back pictures that are less odd than each of N, (N,) float32."""
        signs = _signs(self.near, logits, embedding, task)
        scores = ((signs - self.middle) / self.spread).sum(axis=1)
        return np.asarray(np.searchsorted(self.known, scores) / len(self.known), np.float32)

    def to_bytes(self) -> bytes:
        """As a file."""
        near = {f"near.{name}": value for name, value in vars(self.near).items()}
        own = {name: getattr(self, name) for name in ("middle", "spread", "known")}
        data: bytes = save(near | own)
        return data

    @classmethod
    def from_bytes(cls, data: bytes, dimensions: int) -> Self:
        """Of a model with D dimensions. Raises ModelError where it is no such file."""
        try:
            found = load(data)
            near = Neighbourhood(*(found[f"near.{name}"] for name in _NEAR))
            oddness = cls(near, found["middle"], found["spread"], found["known"])
            oddness._check(dimensions)
            return oddness
        except (SafetensorError, KeyError, ValueError) as error:
            raise ModelError(f"knowing.safetensors does not fit its card: {error}.") from error

    def _check(self, dimensions: int) -> None:
        means, axes = self.near.means, self.near.axes
        shapes = (self.near.precision.shape, self.near.rest.shape, self.middle.shape)
        fits = means.shape[1:] == (dimensions,) == axes.shape[:1] and len(means) > 0
        if not fits or shapes != (axes.shape[1:], (1,), (2,)) or self.spread.shape != (2,):
            raise ValueError(f"its tensors are not those of {dimensions} dimensions")
        values = (*vars(self.near).values(), self.middle, self.spread, self.known)
        if not all(np.isfinite(value).all() for value in values) or not len(self.known):
            raise ValueError("its tensors are not finite numbers")


_NEAR = tuple(Neighbourhood.__dataclass_fields__)


def learn_oddness(
    logits: np.ndarray, embedding: np.ndarray, y: np.ndarray, fold: np.ndarray, task: Task
) -> Oddness:
    """From N pictures that the model has not seen; `fold`: (N,) int.

    Each is measured against what the other folds say: a picture is never near to itself.
    """
    classes = logits.shape[1]
    signs = np.empty((len(logits), 2))
    for at in _each(fold):
        near = Neighbourhood.of(embedding[~at], y[~at], classes, task)
        signs[at] = _signs(near, logits[at], embedding[at], task)
    middle = np.median(signs, axis=0)
    spread = np.maximum(np.quantile(signs, 0.9, axis=0) - middle, 1e-6)
    known = np.sort(((signs - middle) / spread).sum(axis=1))
    if len(known) > _KNOWN:
        known = known[np.linspace(0, len(known) - 1, _KNOWN).round().astype(int)]
    return Oddness(Neighbourhood.of(embedding, y, classes, task), middle, spread, known)


def energy(logits: np.ndarray, task: Task) -> np.ndarray:
    """Of (N, K) logits, (N,) float64: minus log sum exp; of `multi` minus the sum of softplus."""
    from scipy.special import logsumexp

    z = logits.astype(np.float64)
    if task == "single":
        return np.asarray(-logsumexp(z, axis=1))
    return np.asarray(-np.logaddexp(0, z).sum(axis=1))


def _signs(
    near: Neighbourhood, logits: np.ndarray, embedding: np.ndarray, task: Task
) -> np.ndarray:
    distance = np.log(near.distances(embedding))
    return np.stack([energy(logits, task), distance], axis=1)


def _spread(own: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The covariance of centred (N, D), drawn to a sphere: its largest variances and their axes.

    (R,), falling; (D, R), orthonormal; and the mean variance along all others. Of N < D the N x N
    products have the same variances as the D x D covariance; scikit-learn's `ledoit_wolf` takes the
    latter in any case, a minute of 3,211 dimensions.
    """
    from scipy.linalg import eigh

    count, dimensions = own.shape
    wide = count < dimensions
    products = (own @ own.T if wide else own.T @ own) / count
    shrinkage = _shrinkage(own, products)
    size, most = len(products), min(_DIRECTIONS, len(products))
    values, vectors = eigh(products, subset_by_index=(size - most, size - 1))
    there = values > 1e-12 * max(values[-1], 1e-12)
    values, vectors = values[there][::-1], vectors[:, there][:, ::-1]
    if wide:
        vectors = own.T @ vectors / np.sqrt(values * count)
    whole, left = float(np.trace(products)), dimensions - len(values)
    sphere = shrinkage * whole / dimensions
    drawn = np.maximum((1 - shrinkage) * values + sphere, 1e-12)
    if not left:
        return drawn, vectors, float(drawn[-1])
    rest = (1 - shrinkage) * (whole - values.sum()) / left + sphere
    return drawn, vectors, max(float(rest), 1e-12)


def _shrinkage(own: np.ndarray, products: np.ndarray) -> float:
    """How far to draw the covariance to a sphere, 0 to 1: Ledoit and Wolf 2004, lemma 3.2 to 3.4.

    `products`: of the columns or of the rows, by N; their squares have the same sum.
    """
    count, dimensions = own.shape
    squares = float((products**2).sum())
    away = squares / dimensions - (float(np.trace(products)) / dimensions) ** 2
    noise = float((((own**2).sum(axis=1)) ** 2).sum()) / count - squares
    return min(noise / (dimensions * count), away) / away if away > 0 else 0.0


def _squares(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted squared distances of (N, R) and (M, R), (N, M) float64."""
    w = weights.astype(np.float64)
    return np.asarray((a * a) @ w[:, None] - 2 * (a * w) @ b.T + ((b * b) @ w)[None])


def _unit(embedding: np.ndarray) -> np.ndarray:
    x = embedding.astype(np.float64)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def _each(fold: np.ndarray) -> Iterable[np.ndarray]:
    return (fold == number for number in np.unique(fold))
