"""Brightness, contrast, saturation, hue and sharpness of a picture, uint8 (H, W, C), C 1 or 3.

A `factor` of 1 leaves the picture as it is; 0 gives black, its mean grey, its luma, or a blurred
picture; above 1 goes the other way. Each result is rounded and clipped to 0..255.
"""

import cv2
import numpy as np

__all__ = ["brightness", "contrast", "hue", "saturation", "sharpness"]

_LEVELS = np.arange(256, dtype=np.float64)
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13
"""Pillow's filter SMOOTH, which its sharpness leaves by a factor of 0."""


def brightness(picture: np.ndarray, factor: float) -> np.ndarray:
    """Scale every level."""
    return _look_up(picture, _LEVELS * factor)


def contrast(picture: np.ndarray, factor: float) -> np.ndarray:
    """Scale every level's distance from the picture's mean luma."""
    mean = float(_luma(picture).mean())
    return _look_up(picture, mean + (_LEVELS - mean) * factor)


def saturation(picture: np.ndarray, factor: float) -> np.ndarray:
    """Scale every channel's distance from the pixel's luma; grey stays."""
    if picture.shape[2] == 1:
        return picture
    grey = np.repeat(_luma(picture)[..., None], 3, axis=2)
    return np.asarray(cv2.addWeighted(picture, factor, grey, 1 - factor, 0))


def hue(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turn every hue on, in steps of 2 degrees; grey stays."""
    turn = round(degrees / 2)
    if picture.shape[2] == 1 or turn == 0:
        return picture
    parts = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
    parts[..., 0] = ((np.arange(256) + turn) % 180).astype(np.uint8)[parts[..., 0]]
    return np.asarray(cv2.cvtColor(parts, cv2.COLOR_HSV2RGB))


def sharpness(picture: np.ndarray, factor: float) -> np.ndarray:
    """Scale every pixel's distance from the mean around it."""
    smooth = np.asarray(cv2.filter2D(picture, -1, _SMOOTH)).reshape(picture.shape)
    found = cv2.addWeighted(picture, factor, smooth, 1 - factor, 0)
    return np.asarray(found).reshape(picture.shape)


def _luma(picture: np.ndarray) -> np.ndarray:
    if picture.shape[2] == 1:
        return picture[..., 0]
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def _look_up(picture: np.ndarray, levels: np.ndarray) -> np.ndarray:
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table)).reshape(picture.shape)
