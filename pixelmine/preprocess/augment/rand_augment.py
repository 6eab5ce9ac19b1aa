"""A few operations, drawn from many, all of one strength."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Equalise
from pixelmine.preprocess.steps.pad import check_level

from . import tone
from .augmentation import draw
from .warp import matrix, warp

__all__ = ["OPERATIONS", "RandAugment"]

_MAX_MAGNITUDE, _MAX_COUNT = 10, 14

Operation = Callable[[np.ndarray, float, int], np.ndarray]
"""Takes uint8 (H, W, C), a strength from -1 to 1, and the level that comes in from outside."""


@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """`count` of 14 operations after one another, drawn for each picture (Cubuk 2019).

    `magnitude`: of all of them, 0 to 10; at 10 turns are 30 degrees, shifts .45 of a side, shears a
    slope of .3, and factors of brightness, contrast, saturation and sharpness .1 or 1.9; each goes
    either way by chance. `value`: the level that comes in from outside, 0 to 255.
    """

    count: int = 2
    magnitude: float = 5.0
    value: int = 128

    def __post_init__(self) -> None:
        whole = isinstance(self.count, int) and not isinstance(self.count, bool)
        if not whole or not 1 <= self.count <= _MAX_COUNT:
            raise UsageError(f"count must be a whole number, 1 to {_MAX_COUNT}. Got {self.count}.")
        if not 0 <= self.magnitude <= _MAX_MAGNITUDE:
            raise UsageError(f"magnitude must be from 0 to {_MAX_MAGNITUDE}. Got {self.magnitude}.")
        check_level("value", self.value)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        chance = draw(rng, len(batch), 2 * self.count).reshape(len(batch), self.count, 2)
        operations = list(OPERATIONS.values())
        out = np.empty(batch.shape, np.uint8)
        for index, drawn in enumerate(chance.tolist()):
            picture = np.ascontiguousarray(batch[index])
            for which, sign in drawn:
                strength = self.magnitude / _MAX_MAGNITUDE * (1 if sign < 0.5 else -1)
                operation = operations[int(which * len(operations))]
                picture = operation(picture, strength, self.value)
            out[index] = picture
        return out


def _auto_contrast(picture: np.ndarray, _: float, __: int) -> np.ndarray:
    """Spread each channel over 0 to 255; one of a single level stays."""
    low, high = picture.min(axis=(0, 1)), picture.max(axis=(0, 1))
    spread = np.where(high > low, high.astype(np.float32) - low, 255)
    low = np.where(high > low, low, 0)
    return np.rint((picture.astype(np.float32) - low) * (255 / spread)).astype(np.uint8)


def _posterise(picture: np.ndarray, strength: float, _: int) -> np.ndarray:
    """Keep the upper 8 to 4 bits of each level."""
    bits = 8 - round(4 * abs(strength))
    return picture & np.uint8(256 - 2 ** (8 - bits))


def _solarise(picture: np.ndarray, strength: float, _: int) -> np.ndarray:
    """Invert the levels from 256 (none) down to 0 (all) on."""
    return np.where(picture >= 256 * (1 - abs(strength)), 255 - picture, picture)


def _translate(picture: np.ndarray, right: float, down: float, value: int) -> np.ndarray:
    shift = (0.45 * right * picture.shape[1], 0.45 * down * picture.shape[0])
    return warp(picture, matrix(), shift, value=value)


def _shear(picture: np.ndarray, right: float, down: float, value: int) -> np.ndarray:
    return warp(picture, np.array([[1.0, 0.3 * right], [0.3 * down, 1.0]]), value=value)


OPERATIONS: dict[str, Operation] = {
    "identity": lambda p, _, __: p,
    "auto_contrast": _auto_contrast,
    "equalise": lambda p, _, __: Equalise()(p),
    "rotate": lambda p, s, value: warp(p, matrix(30 * s), value=value),
    "solarise": _solarise,
    "posterise": _posterise,
    "saturation": lambda p, s, _: tone.saturation(p, 1 + 0.9 * s),
    "contrast": lambda p, s, _: tone.contrast(p, 1 + 0.9 * s),
    "brightness": lambda p, s, _: tone.brightness(p, 1 + 0.9 * s),
    "sharpness": lambda p, s, _: tone.sharpness(p, 1 + 0.9 * s),
    "shear_x": lambda p, s, value: _shear(p, s, 0.0, value),
    "shear_y": lambda p, s, value: _shear(p, 0.0, s, value),
    "translate_x": lambda p, s, value: _translate(p, s, 0.0, value),
    "translate_y": lambda p, s, value: _translate(p, 0.0, s, value),
}
