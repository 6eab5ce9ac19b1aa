"""Cut a part out of each picture, and keep the size."""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Resize
from pixelmine.preprocess.steps.pad import BORDERS, check_level
from pixelmine.preprocess.steps.resize import INTERPOLATIONS

from .augmentation import between, check_range, draw

__all__ = ["RandomCrop", "RandomResizedCrop"]

_MAX_PADDING = 512


@dataclass(frozen=True, kw_only=True)
class RandomCrop:
    """Shift by whole pixels: pad each side by `padding` pixels, cut the old size anywhere.

    `border` and `value`: of the padding, as `Pad` has them. 4 pixels of 32 are usual (He 2016).
    """

    padding: int = 4
    border: str = "value"
    value: int = 0

    def __post_init__(self) -> None:
        whole = isinstance(self.padding, int) and not isinstance(self.padding, bool)
        if not whole or not 1 <= self.padding <= _MAX_PADDING:
            raise UsageError(
                f"padding must be a whole number, 1 to {_MAX_PADDING}. Got {self.padding!r}."
            )
        check_one_of("border", self.border, BORDERS)
        check_level("value", self.value)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        height, width = batch.shape[1:3]
        places = (draw(rng, len(batch), 2) * (2 * self.padding + 1)).astype(int)
        out = np.empty(batch.shape, np.uint8)
        for index, (top, left) in enumerate(places.tolist()):
            padded = cv2.copyMakeBorder(
                np.ascontiguousarray(batch[index]),
                *(self.padding,) * 4,
                BORDERS[self.border],
                value=(self.value,) * 4,
            )
            box = np.asarray(padded)[top : top + height, left : left + width]
            out[index] = box.reshape(batch.shape[1:])
        return out


@dataclass(frozen=True, kw_only=True)
class RandomResizedCrop:
    """Cut a box anywhere and scale it to the old size (Szegedy 2015).

    `area`: the box's share of the picture, drawn evenly from (lowest, highest). `ratio`: its width
    by its height in pixels, drawn evenly in the logarithm; a box that is too long for the picture
    is cut off there. `interpolation`: as `Resize` has it.
    """

    area: tuple[float, float] = (0.25, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: str = "area"

    def __post_init__(self) -> None:
        check_range(self, "area", 0.001, 1)
        check_range(self, "ratio", 0.05, 20)
        check_one_of("interpolation", self.interpolation, INTERPOLATIONS)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        height, width = batch.shape[1:3]
        chance = draw(rng, len(batch), 4)
        area = between(chance[:, 0], self.area) * height * width
        logs = (float(np.log(self.ratio[0])), float(np.log(self.ratio[1])))
        ratio = np.exp(between(chance[:, 1], logs))
        rows = np.clip(np.rint(np.sqrt(area / ratio)), 1, height).astype(int)
        columns = np.clip(np.rint(np.sqrt(area * ratio)), 1, width).astype(int)
        top = (chance[:, 2] * (height - rows + 1)).astype(int)
        left = (chance[:, 3] * (width - columns + 1)).astype(int)
        resize = Resize(height=height, width=width, interpolation=self.interpolation)
        out = np.empty(batch.shape, np.uint8)
        for i in range(len(batch)):
            box = batch[i, top[i] : top[i] + rows[i], left[i] : left[i] + columns[i]]
            out[i] = resize(np.ascontiguousarray(box))
        return out
