"""Grey values, as every designed feature sees them."""

import cv2
import numpy as np

__all__ = ["luma"]


def luma(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) to contiguous uint8 (H, W): .299 R + .587 G + .114 B (ITU-R BT.601).

    C = 1 is taken as it is, C = 3 is RGB.
    """
    pixels = np.ascontiguousarray(pixels)  # turned pictures have strides that OpenCV refuses
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
