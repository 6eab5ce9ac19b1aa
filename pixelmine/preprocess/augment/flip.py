"""Mirror pictures."""

from dataclasses import dataclass

import numpy as np

from .augmentation import check_probability, draw

__all__ = ["RandomFlip"]


@dataclass(frozen=True, kw_only=True)
class RandomFlip:
    """Mirror left to right with probability `horizontal`, top to bottom with `vertical`.

    By default half of the pictures are mirrored left to right: right for photographs, wrong for
    letters, digits and organs.
    """

    horizontal: float = 0.5
    vertical: float = 0.0

    def __post_init__(self) -> None:
        check_probability("horizontal", self.horizontal)
        check_probability("vertical", self.vertical)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        chance = draw(rng, len(batch), 2)
        across, down = chance[:, 0] < self.horizontal, chance[:, 1] < self.vertical
        out = batch.copy()
        out[across] = out[across, :, ::-1]
        out[down] = out[down, ::-1]
        return out
