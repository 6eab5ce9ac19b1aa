"""The vectors and labels a head is fitted on, checked."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .scale import LARGEST, Scale
from .start import Start

__all__ = ["Examples", "check_features", "check_labels", "check_weights"]


@dataclass(frozen=True)
class Examples:
    """N examples of S classes; `x` are the features, `z` the same on one scale, float32 (N, D).

    `targets`: bool (N, S), one True a row, or, where a picture has `multi`ple labels, any number.
    `weights`: float64 (N,), above 0. `start`: weights to go on from, of the same S classes.
    """

    x: np.ndarray
    z: np.ndarray
    scale: Scale
    targets: np.ndarray
    multi: bool
    weights: np.ndarray
    seed: int
    start: Start | None = None

    @property
    def present(self) -> np.ndarray:
        """Bool (S,): the classes there is an example of, and, with `multi`, one against too."""
        found = self.targets.any(axis=0)
        return np.asarray(found & ~self.targets.all(axis=0) if self.multi else found)

    def costs(self, balanced: bool) -> np.ndarray:
        """What a mistake on each example costs: float32 (N, 1), or (N, S) with `multi`.

        `balanced`: every class costs the same in sum, however rare it is (King and Zeng, "Logistic
        Regression in Rare Events Data", 2001); with `multi`, those that have a label cost as much
        as those that do not. All together cost what the weights add up to, balanced or not.
        """
        weights = self._as_before()[:, None]
        if self.multi:
            weights = np.broadcast_to(weights, self.targets.shape)
        if balanced:
            even = weights * self._rarity(weights)
            weights = even * (weights.mean(axis=0) / even.mean(axis=0))
        return np.asarray(weights, np.float32)

    def _as_before(self) -> np.ndarray:
        """The weights, so that what is new does not drown what was known before.

        A class that has fewer examples than the start had of it counts as much as it did then.
        """
        if self.start is None or self.multi:
            return self.weights
        now = self.weights @ self.targets
        short = np.maximum(self.start.counts, now) / np.where(now > 0, now, 1)
        return np.asarray(self.weights * short[self.targets.argmax(axis=1)])

    def _rarity(self, weights: np.ndarray) -> np.ndarray:
        with_it = (weights * self.targets).sum(axis=0)
        if not self.multi:
            return np.asarray(1 / with_it[self.targets.argmax(axis=1)])[:, None]
        without = weights.sum(axis=0) - with_it
        tiny = np.finfo(np.float64).tiny
        sums = np.where(self.targets, with_it, without)
        return np.asarray(1 / np.maximum(sums, tiny))


def check_features(x: np.ndarray, dimensions: int | None = None) -> np.ndarray:
    """Give float32 (N, D) back, at most 1e37 in size. Raises UsageError for anything else."""
    if x.ndim != 2 or not x.shape[1] or x.dtype.kind not in "fiu":
        raise UsageError(f"Features must be numbers (N, D). Got {x.dtype} {x.shape} instead.")
    if dimensions is not None and x.shape[1] != dimensions:
        raise UsageError(
            f"The head takes features of {dimensions} dimensions. Got {x.shape[1]} instead."
        )
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(x, np.float32)
    fits = (np.abs(x) <= LARGEST).all(axis=1)
    if not fits.all():
        raise UsageError(
            f"Features must be finite and at most {LARGEST:g}. "
            f"Got something else in row {int(fits.argmin())}."
        )
    return x


def check_labels(y: np.ndarray, rows: int, classes: int, multi: bool) -> np.ndarray:
    """Bool (N, K) of whole numbers (N,), or, with `multi`, of bool (N, K). Raises UsageError."""
    if classes < 1 or (classes < 2 and not multi):
        raise UsageError(f"classes must be at least {1 if multi else 2}. Got {classes} instead.")
    if rows < 1:
        raise UsageError("A head must be fitted on at least one row. Got none instead.")
    if multi:
        if y.dtype != bool or y.shape != (rows, classes):
            raise UsageError(
                f"Labels must be bool {(rows, classes)}. Got {y.dtype} {y.shape} instead."
            )
        return y
    if y.dtype.kind not in "iu" or y.shape != (rows,):
        raise UsageError(
            f"Labels must be whole numbers {(rows,)}. Got {y.dtype} {y.shape} instead."
        )
    if y.min() < 0 or y.max() >= classes:
        raise UsageError(f"Labels must be 0 to {classes - 1}. Got {y.min()} to {y.max()} instead.")
    return np.asarray(y[:, None] == np.arange(classes))


def check_weights(weights: np.ndarray | None, rows: int) -> np.ndarray:
    """Float64 (N,), 1 for all where none are given. Raises UsageError unless all are above 0."""
    if weights is None:
        return np.ones(rows)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (rows,) or not (np.isfinite(weights) & (weights > 0)).all():
        raise UsageError(f"sample_weight must be {rows} finite numbers above 0.")
    return weights
