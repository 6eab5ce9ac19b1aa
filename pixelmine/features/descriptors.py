"""Descriptors of a picture's keypoints: what it looks like around each of them."""

from typing import Any, NamedTuple

import cv2
import numpy as np

__all__ = ["BYTES", "Found", "describe_keypoints"]

BYTES = {"orb": 32, "sift": 128}
"""Of one descriptor. ORB: 256 bits, 1 where of two places the second is brighter. SIFT: 8
directions of the gradient in each of 16 squares, 0 to 255."""

_MAKE: dict[str, Any] = {"orb": cv2.ORB.create, "sift": cv2.SIFT.create}
_MOST = 500
"""Keypoints that are detected in one picture, the clearest first."""
_BORDER = 31
"""Pixels around a keypoint that ORB wants to see."""
_PATCH = 6
"""SIFT describes a square so many times as wide as the size of a keypoint."""


class Found(NamedTuple):
    """M keypoints: `places` float32 (M, 2), across and down, in pixels; `values` uint8 (M, B)."""

    places: np.ndarray
    values: np.ndarray


def describe_keypoints(grey: np.ndarray, kind: str, dense: int) -> Found:
    """uint8 (H, W) to its keypoints by `kind`, `orb` or `sift`.

    `dense` > 0: upright ones, in a grid of so many each way, each of which describes a square of
    its cell. `dense` = 0: those that are detected, at most 500, with their size and turn. Beyond
    the border the picture is mirrored.
    """
    border = _BORDER if kind == "orb" else 0
    padded = cv2.copyMakeBorder(grey, *(border,) * 4, cv2.BORDER_REFLECT_101)
    made = _MAKE[kind](_MOST)
    if dense:
        points, values = made.compute(padded, _grid(grey.shape, dense, border))
    else:
        points, values = made.detectAndCompute(padded, None)
    if values is None:
        return Found(np.empty((0, 2), np.float32), np.empty((0, BYTES[kind]), np.uint8))
    places = np.array([point.pt for point in points], np.float32) - np.float32(border)
    return Found(places, np.asarray(values).astype(np.uint8))


def _grid(shape: tuple[int, ...], dense: int, border: int) -> list[Any]:
    height, width = shape
    size = (height + width) / 2 / dense / _PATCH
    middles = (np.arange(dense) + 0.5) / dense
    return [
        cv2.KeyPoint(float(x), float(y), size, 0)
        for y in middles * height + border
        for x in middles * width + border
    ]
