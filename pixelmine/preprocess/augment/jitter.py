"""Change the colours of pictures."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from . import tone
from .augmentation import between, check_probability, draw

__all__ = ["ColourJitter"]


@dataclass(frozen=True, kw_only=True)
class ColourJitter:
    """Change brightness, contrast, saturation and hue, in this order.

    The factors of the first three are drawn evenly from 1 - x to 1 + x, x from 0 to 1; 0 leaves
    them. `hue_degrees`: hues are turned by up to so many, 0 to 180, either way. Saturation and hue
    leave grey pictures as they are.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue_degrees: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            check_probability(name, getattr(self, name))
        if not 0 <= self.hue_degrees <= 180:
            raise UsageError(f"hue_degrees must be from 0 to 180. Got {self.hue_degrees!r}.")

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        chance = draw(rng, len(batch), 4)
        reach = (self.brightness, self.contrast, self.saturation, self.hue_degrees)
        change = np.stack(
            [between(chance[:, i], (-x, x)) for i, x in enumerate(reach)], axis=1
        ).tolist()
        out = np.empty(batch.shape, np.uint8)
        for index, (light, contrast, saturation, hue) in enumerate(change):
            picture = tone.brightness(np.ascontiguousarray(batch[index]), 1 + light)
            picture = tone.contrast(picture, 1 + contrast)
            picture = tone.saturation(picture, 1 + saturation)
            out[index] = tone.hue(picture, hue)
        return out
