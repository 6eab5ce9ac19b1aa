"""Paint over a part of each picture."""

from dataclasses import dataclass

import numpy as np

from pixelmine.preprocess.steps.pad import check_level

from .augmentation import between, check_probability, check_range, draw

__all__ = ["RandomErasing"]


@dataclass(frozen=True, kw_only=True)
class RandomErasing:
    """With `probability`, paint a box over with the level `value` (Zhong 2017).

    `area`: the box's share of the picture, drawn evenly from (lowest, highest). `ratio`: its width
    by its height in pixels, drawn evenly in the logarithm. What would stick out is cut off.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    value: int = 0

    def __post_init__(self) -> None:
        check_probability("probability", self.probability)
        check_range(self, "area", 0, 1)
        check_range(self, "ratio", 0.05, 20)
        check_level("value", self.value)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        height, width = batch.shape[1:3]
        chance = draw(rng, len(batch), 5)
        area = between(chance[:, 1], self.area) * height * width
        logs = (float(np.log(self.ratio[0])), float(np.log(self.ratio[1])))
        ratio = np.exp(between(chance[:, 2], logs))
        rows = np.clip(np.rint(np.sqrt(area / ratio)), 0, height).astype(int)
        columns = np.clip(np.rint(np.sqrt(area * ratio)), 0, width).astype(int)
        top = (chance[:, 3] * (height - rows + 1)).astype(int)
        left = (chance[:, 4] * (width - columns + 1)).astype(int)
        out = batch.copy()
        for i in np.flatnonzero(chance[:, 0] < self.probability):
            out[i, top[i] : top[i] + rows[i], left[i] : left[i] + columns[i]] = self.value
        return out
