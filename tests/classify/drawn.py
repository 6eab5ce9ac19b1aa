"""Pictures whose true probabilities are known: the labels are drawn from them."""

from dataclasses import dataclass

import numpy as np

from pixelmine.classify.calibration import sigmoid, softmax


@dataclass(frozen=True)
class Drawn:
    """`logits` (N, K), `embedding` (N, D) float32; `y` (N,) int64, of many labels (N, K) bool."""

    logits: np.ndarray
    embedding: np.ndarray
    y: np.ndarray


def drawn(
    count: int,
    seed: int,
    *,
    classes: int = 4,
    sure: float = 2.0,
    off: float = 1.0,
    many: bool = False,
) -> Drawn:
    """`sure`: how far apart the true logits lie. `off`: what they are wrongly multiplied by."""
    random = np.random.default_rng(seed)
    z = random.normal(0, sure, (count, classes))
    if many:
        y = random.random(z.shape) < sigmoid(z)
    else:
        y = (random.random((count, 1)) > softmax(z).cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    embedding = np.concatenate([z, random.normal(0, 1, (count, 2))], axis=1)
    return Drawn((off * z).astype(np.float32), embedding.astype(np.float32), y)
