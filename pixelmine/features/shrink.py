"""Shrink a picture to a longer side, which bounds what a feature costs."""

import cv2
import numpy as np

__all__ = ["shrink"]

_SHORTEST = 8
"""Pixels: long and narrow pictures are not shrunk below it, and so lose some of their length."""


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """uint8 (H, W) or (H, W, C) to a longer side of at most `side`; smaller ones as they are.

    By a whole factor exactly, and the rest by interpolation: cv2.INTER_AREA for all of it takes
    seven times as long. At the right and lower border up to a factor less one pixels are left out.
    """
    height, width = pixels.shape[:2]
    factor = min(max(height, width) // side, min(height, width) // _SHORTEST)
    if factor > 1:
        down, across = height // factor, width // factor
        whole = np.ascontiguousarray(pixels[: down * factor, : across * factor])
        pixels = _resized(whole, across, down, cv2.INTER_AREA)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    down, across = (
        max(min(length, _SHORTEST), round(length * scale)) for length in (height, width)
    )
    return _resized(pixels, across, down, cv2.INTER_LINEAR)


def _resized(pixels: np.ndarray, width: int, height: int, how: int) -> np.ndarray:
    """OpenCV drops the axis of a single channel."""
    found = np.asarray(cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=how))
    return found.reshape(height, width, *pixels.shape[2:])
