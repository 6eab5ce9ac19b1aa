"""Turn, shift, scale and shear pictures."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.checks import check_one_of
from pixelmine.preprocess.steps.pad import BORDERS, check_level

from .augmentation import between, check_range, draw
from .warp import matrix, warp

__all__ = ["RandomAffine"]


@dataclass(frozen=True, kw_only=True)
class RandomAffine:
    """Turn, shift, scale and shear about the middle, each drawn evenly from (lowest, highest).

    `degrees`: counter-clockwise. `translate_x`, `translate_y`: to the right and down, in fractions
    of the width and the height. `scale`: above 1 enlarges. `shear_degrees`: along x. `border` and
    `value`: of what comes in from outside, as `Pad` has them. Samples bilinearly.
    """

    degrees: tuple[float, float] = (0.0, 0.0)
    translate_x: tuple[float, float] = (0.0, 0.0)
    translate_y: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    shear_degrees: tuple[float, float] = (0.0, 0.0)
    border: str = "value"
    value: int = 0

    def __post_init__(self) -> None:
        check_range(self, "degrees", -360, 360)
        check_range(self, "translate_x", -1, 1)
        check_range(self, "translate_y", -1, 1)
        check_range(self, "scale", 0.1, 10)
        check_range(self, "shear_degrees", -80, 80)
        check_one_of("border", self.border, BORDERS)
        check_level("value", self.value)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        height, width = batch.shape[1:3]
        chance = draw(rng, len(batch), 5)
        limits = (self.degrees, self.translate_x, self.translate_y, self.scale, self.shear_degrees)
        values = np.stack([between(chance[:, i], pair) for i, pair in enumerate(limits)], axis=1)
        out = np.empty(batch.shape, np.uint8)
        for index, (degrees, right, down, scale, shear) in enumerate(values.tolist()):
            linear = matrix(degrees, scale, shear)
            shift = (right * width, down * height)
            picture = np.ascontiguousarray(batch[index])
            out[index] = warp(picture, linear, shift, self.border, self.value)
        return out
