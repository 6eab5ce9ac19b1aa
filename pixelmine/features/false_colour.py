"""Numbers as colours, for the pictures of what a feature sees."""

import cv2
import numpy as np

__all__ = ["heat", "wheel"]


def heat(values: np.ndarray) -> np.ndarray:
    """(H, W), 0 up, to uint8 RGB (H, W, 3): the highest yellow, 0 nearly black (inferno)."""
    levels = np.rint(255 * values / max(float(values.max()), 1e-9)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO))[..., ::-1]


def wheel(turns: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(H, W) turns of a circle, for hue, and (H, W), 0 up, for light, to uint8 RGB (H, W, 3)."""
    light = 255 * strength / max(float(strength.max()), 1e-9)
    hue = np.mod(turns, 1) * 255
    hsv = np.stack([hue, np.full_like(hue, 200), light], axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))
