"""Mix each picture with another of its batch, and their labels with them."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.checks import check_positive

from .augmentation import Mixing, check_probability, draw

__all__ = ["CutMix", "Mixup"]


@dataclass(frozen=True, kw_only=True)
class Mixup(Mixing):
    """Lay another picture of the batch over each, half transparent (Zhang 2017).

    A share s of Beta(`alpha`, `alpha`) is the picture's own, drawn for each picture with
    `probability`; else all of it is. Small alphas give shares near 0 and 1. Levels are rounded.
    """

    alpha: float = 0.2
    probability: float = 1.0

    def __post_init__(self) -> None:
        check_positive("alpha", self.alpha, at_most=100)
        check_probability("probability", self.probability)

    def __call__(
        self, batch: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take and give uint8 (N, H, W, C) and float32 (N, K)."""
        others, own = _partners(len(batch), self.alpha, self.probability, rng)
        share = own.astype(np.float32)[:, None, None, None]
        mixed = batch * share
        mixed += batch[others] * (1 - share)
        return np.rint(mixed, out=mixed).astype(np.uint8), _mix_labels(labels, others, own)


@dataclass(frozen=True, kw_only=True)
class CutMix(Mixing):
    """Paint a box of another picture of the batch over each (Yun 2019).

    With `probability`, the box has the picture's proportions and covers a share of Beta(`alpha`,
    `alpha`) of it; its middle lies anywhere, and what sticks out is cut off. Labels are mixed by
    the pixels that are really covered.
    """

    alpha: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        check_positive("alpha", self.alpha, at_most=100)
        check_probability("probability", self.probability)

    def __call__(
        self, batch: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take and give uint8 (N, H, W, C) and float32 (N, K)."""
        height, width = batch.shape[1:3]
        others, own = _partners(len(batch), self.alpha, self.probability, rng)
        middles = draw(rng, len(batch), 2) * (height, width)
        out = batch.copy()
        for index, ((y, x), side) in enumerate(zip(middles, np.sqrt(1 - own), strict=True)):
            rows, columns = _around(y, side * height, height), _around(x, side * width, width)
            out[index, rows, columns] = batch[others[index], rows, columns]
            covered = (rows.stop - rows.start) * (columns.stop - columns.start)
            own[index] = 1 - covered / (height * width)
        return out, _mix_labels(labels, others, own)


def _partners(
    pictures: int, alpha: float, probability: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """For each picture another one, int64 (N,), and the share that stays its own, float64 (N,)."""
    own = rng.beta(alpha, alpha, pictures)
    mixed = draw(rng, pictures, 1)[:, 0] < probability
    return rng.permutation(pictures), np.where(mixed, own, 1.0)


def _around(middle: float, length: float, side: int) -> slice:
    start = min(max(round(middle - length / 2), 0), side)
    return slice(start, max(start, min(round(middle + length / 2), side)))


def _mix_labels(labels: np.ndarray, others: np.ndarray, own: np.ndarray) -> np.ndarray:
    share = own[:, None]
    mixed: np.ndarray = (labels * share + labels[others] * (1 - share)).astype(np.float32)
    return mixed
