"""Put a border around a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of, check_side
from pixelmine.core.errors import UsageError

__all__ = ["BORDERS", "Pad", "check_level"]

BORDERS = {
    "value": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
}


@dataclass(frozen=True, kw_only=True)
class Pad:
    """Pad to at least `height` x `width` pixels, or to a `square` of the long side.

    Both sides get the same; an odd rest leaves one pixel more on the right and at the bottom. A
    side that is long enough stays. `border`: `value` (of every channel, 0 to 255, 0 is black),
    `edge` (the outermost pixel goes on) or `reflect` (as in a mirror on the outermost pixel).
    """

    height: int | None = None
    width: int | None = None
    square: bool = False
    border: str = "value"
    value: int = 0

    def __post_init__(self) -> None:
        check_one_of("border", self.border, BORDERS)
        check_level("value", self.value)
        sides = (self.height is not None) + (self.width is not None)
        if sides != (0 if self.square else 2):
            raise UsageError("pad takes either height and width, or square alone.")
        for name in ("height", "width"):
            if (side := getattr(self, name)) is not None:
                check_side(name, side)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Pad (H, W, C) of uint8 or float32."""
        height, width = self.size(pixels)
        rows, columns = height - pixels.shape[0], width - pixels.shape[1]
        if not rows and not columns:
            return pixels
        padded = cv2.copyMakeBorder(
            np.ascontiguousarray(pixels),
            *(rows // 2, rows - rows // 2, columns // 2, columns - columns // 2),
            BORDERS[self.border],
            value=(self.value,) * 4,
        )
        return np.asarray(padded).reshape(height, width, pixels.shape[2])

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Height and width that (H, W, C) will have."""
        height, width = pixels.shape[:2]
        long = max(height, width)
        if self.square:
            return long, long
        return max(height, self.height or 0), max(width, self.width or 0)


def check_level(name: str, value: object) -> None:
    """Raise UsageError unless value is a whole number from 0 to 255."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 255:
        raise UsageError(f"{name} must be a whole number, 0 to 255. Got {value!r} instead.")
