"""Batches, augmented, made in threads while the network trains on those before."""

from collections.abc import Sequence

import keras
import numpy as np

from pixelmine.core.processors import processors
from pixelmine.preprocess.augment import Augmentation, Mixing, augment, mixes

from .data import Examples

__all__ = ["AugmentedBatches", "shares"]


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """One epoch's batches of `examples` in `order`, int64 (N,), of `batch_size` pictures each.

    Batch i is augmented by chances that depend on `seed`, `epoch` and i alone, so that neither the
    threads nor a stop between two epochs change it. There are at least two threads: with one, Keras
    lets TensorFlow tune the pipeline, which may take as long as the epoch. Where `examples.x` is
    mapped from a file, only the batches that wait are in memory. Gives uint8 (B, H, W, C), and
    int64 (B,), or float32 (B, K) where labels are mixed, a picture has several, or `smoothing` is
    given, as `shares` has it. With `weights`, float32 (K,), also what each picture counts by its
    own label, float32 (B,).
    """

    def __init__(
        self,
        examples: Examples,
        order: np.ndarray,
        batch_size: int,
        steps: Sequence[Augmentation | Mixing],
        seed: int,
        epoch: int,
        smoothing: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        super().__init__(workers=max(2, processors()), max_queue_size=2 * processors() + 8)
        self._examples, self._order, self._batch_size = examples, order, batch_size
        self._steps, self._seed, self._epoch = steps, seed, epoch
        self._smoothing, self._weights = smoothing, weights

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        labels = own = self._examples.y[rows]
        if self._examples.multi or self._smoothing is not None or mixes(self._steps):
            labels = shares(labels, len(self._examples.labels), self._smoothing or 0.0)
        # from 1 on: NumPy takes [seed, epoch, 0] for [seed, epoch], which the order is drawn by
        rng = np.random.default_rng([self._seed, self._epoch, 1 + index])
        found = augment(self._steps, self._examples.x[rows], labels, rng)
        return found if self._weights is None else (*found, self._weights[own])


def shares(y: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Labels as float32 (N, K): 1 where a picture has the label, else 0.

    `smoothing`: of int64 (N,) the share of a label that goes evenly to all K classes (Szegedy
    2016); of bool (N, K) the share of each that goes evenly to having and not having it.
    """
    if y.ndim == 2:
        return np.asarray(y * (1 - smoothing) + smoothing / 2, np.float32)
    rows = np.eye(classes) * (1 - smoothing) + smoothing / classes
    return np.asarray(rows.astype(np.float32)[y])
