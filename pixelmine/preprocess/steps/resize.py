"""Scale a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of, check_side
from pixelmine.core.errors import UsageError

__all__ = ["INTERPOLATIONS", "Resize"]

INTERPOLATIONS = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "nearest": cv2.INTER_NEAREST,
}


@dataclass(frozen=True, kw_only=True)
class Resize:
    """Scale to `height` x `width`, or so that the short side is `short_side`, in pixels.

    `area` averages when shrinking, which does not alias, and is `bicubic` when enlarging; the
    others sample without a low-pass filter. The long side is rounded to the nearest pixel.
    """

    height: int | None = None
    width: int | None = None
    short_side: int | None = None
    interpolation: str = "area"

    def __post_init__(self) -> None:
        check_one_of("interpolation", self.interpolation, INTERPOLATIONS)
        both = self.height is not None and self.width is not None
        either = self.height is not None or self.width is not None
        if either == (self.short_side is not None) or (either and not both):
            raise UsageError("resize takes either height and width, or short_side alone.")
        for name in ("height", "width", "short_side"):
            if (value := getattr(self, name)) is not None:
                check_side(name, value)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Scale (H, W, C) of uint8 or float32."""
        height, width = pixels.shape[:2]
        wanted = self.size(pixels)
        if wanted == (height, width):
            return pixels
        method = INTERPOLATIONS[self.interpolation]
        if self.interpolation == "area" and (wanted[0] > height or wanted[1] > width):
            method = cv2.INTER_CUBIC
        scaled = cv2.resize(pixels, wanted[::-1], interpolation=method)
        return np.asarray(scaled).reshape(*wanted, pixels.shape[2])

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Height and width that (H, W, C) will have."""
        height, width = pixels.shape[:2]
        if self.short_side is None:
            return int(self.height or height), int(self.width or width)
        scale = self.short_side / min(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))
