"""Turn a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["Rotate"]


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Turn counter-clockwise by `degrees` about the middle.

    Multiples of 90 are exact and swap the sides where they must; other angles keep the size,
    sample bilinearly and fill the corners with black.
    """

    degrees: float

    def __post_init__(self) -> None:
        if not -360 <= self.degrees <= 360:
            raise UsageError(f"degrees must be between -360 and 360. Got {self.degrees:g} instead.")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Turn (H, W, C) of uint8 or float32."""
        if self.degrees % 90 == 0:
            return np.rot90(pixels, int(self.degrees // 90) % 4)
        height, width = pixels.shape[:2]
        middle = ((width - 1) / 2, (height - 1) / 2)
        matrix = cv2.getRotationMatrix2D(middle, self.degrees, 1.0)
        turned = cv2.warpAffine(np.ascontiguousarray(pixels), matrix, (width, height))
        return np.asarray(turned).reshape(pixels.shape)
