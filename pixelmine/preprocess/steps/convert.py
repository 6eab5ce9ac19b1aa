"""RGB to another colour space."""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of

__all__ = ["Convert", "rgb_of"]

_CODES = {
    "grey": cv2.COLOR_RGB2GRAY,
    "hsv": cv2.COLOR_RGB2HSV,
    "lab": cv2.COLOR_RGB2LAB,
}


@dataclass(frozen=True, kw_only=True)
class Convert:
    """RGB to the colour space `to`, as uint8; grey counts as RGB of three equal channels.

    `grey`: (H, W, 1), luma .299 R + .587 G + .114 B (ITU-R BT.601). `hsv`: hue in half degrees, 0
    to 179, saturation and value 0 to 255. `lab`: CIE L*a*b* of sRGB under D65; L* * 255 / 100, a* +
    128 and b* + 128, each 0 to 255. Sources: OpenCV's cvtColor for 8 bits.
    """

    to: str

    def __post_init__(self) -> None:
        check_one_of("to", self.to, _CODES)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take uint8 (H, W, 3) RGB or (H, W, 1) grey, give uint8 (H, W, 1) or (H, W, 3)."""
        if pixels.shape[2] == 1 and self.to == "grey":
            return pixels
        found = np.asarray(cv2.cvtColor(rgb_of(pixels), _CODES[self.to]))
        return found[..., None] if self.to == "grey" else found


def rgb_of(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 1) or (H, W, 3) as contiguous (H, W, 3)."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
