"""Move a picture's pixels by a matrix."""

from math import cos, radians, sin, tan

import cv2
import numpy as np

from pixelmine.preprocess.steps.pad import BORDERS

__all__ = ["matrix", "warp"]


def matrix(degrees: float = 0.0, scale: float = 1.0, shear_degrees: float = 0.0) -> np.ndarray:
    """Where (x, y) from the middle goes, y downwards: float64 (2, 2).

    First scaled, then sheared along x, what is below to the right, then turned counter-clockwise.
    """
    a, b = cos(radians(degrees)), sin(radians(degrees))
    turn, shear = (
        np.array([[a, b], [-b, a]]),
        np.array([[1.0, tan(radians(shear_degrees))], [0, 1]]),
    )
    # rounded, so that a quarter turn is one, and not off by 6e-17
    return np.asarray(np.round(turn @ shear * scale, 12))


def warp(
    picture: np.ndarray,
    linear: np.ndarray,
    shift: tuple[float, float] = (0.0, 0.0),
    border: str = "value",
    value: int = 0,
) -> np.ndarray:
    """Move uint8 (H, W, C) by (2, 2) about its middle, then by (x, y) pixels; sample bilinearly.

    `border`, `value`: what comes in from outside, as `Pad` has it.
    """
    height, width = picture.shape[:2]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    whole = np.column_stack([linear, middle + shift - linear @ middle])
    moved = cv2.warpAffine(
        picture,
        whole,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=BORDERS[border],
        borderValue=(value,) * 4,
    )
    return np.asarray(moved).reshape(picture.shape)
