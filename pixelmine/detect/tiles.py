"""The parts of a picture that a network looks at, one after the other.

A network that finds things of some sizes sees a picture as it is, in overlapping tiles, and once
more as a whole. Padded sizes are few and fixed, so that a runtime need not arrange itself anew for
each picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

__all__ = ["STEP", "Tile", "tiles"]

STEP = 160
"""Pixels: sides are padded to whole multiples. It divides by 32, as strided networks ask for."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A part of a picture that was resized by `scale`, padded below and to the right.

    `pixels`: uint8 (H, W, 3), zeros where it is padded. `x`, `y`: where the part begins in the
    resized picture. `core`: x0, y0, x1, y1 there; a thing is taken from the one tile whose core
    holds its middle, since others may have cut it.
    """

    pixels: np.ndarray
    scale: float
    x: int
    y: int
    core: tuple[float, float, float, float]


def tiles(pixels: np.ndarray, scale: float, side: int, overlap: int) -> Iterator[Tile]:
    """Cut uint8 (H, W, 3), resized by `scale`, into tiles of at most `side` pixels, row by row.

    `overlap`: at least so many pixels are in two neighbours: things of at most this size are whole
    in one of them. `side` is a multiple of STEP.
    """
    resized = _resize(pixels, scale)
    height, width = resized.shape[:2]
    columns = _cuts(width, side, overlap)
    for y, y0, y1 in _cuts(height, side, overlap):
        for x, x0, x1 in columns:
            part = resized[y : y + side, x : x + side]
            yield Tile(pixels=_pad(part), scale=scale, x=x, y=y, core=(x0, y0, x1, y1))


def _cuts(length: int, side: int, overlap: int) -> list[tuple[int, float, float]]:
    """Where each tile begins, and from where to where its core reaches; evenly over `length`."""
    count = 1 if length <= side else ceil((length - overlap) / (side - overlap))
    starts = [round(k * (length - side) / max(count - 1, 1)) for k in range(count)]
    edges = [(a + side + b) / 2 for a, b in pairwise(starts)]
    return list(zip(starts, [-np.inf, *edges], [*edges, np.inf], strict=True))


def _resize(pixels: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return pixels
    import cv2

    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: np.ndarray = cv2.resize(pixels, (width, height), interpolation=how)
    return resized


def _pad(part: np.ndarray) -> np.ndarray:
    height, width = (ceil(length / STEP) * STEP for length in part.shape[:2])
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: part.shape[0], : part.shape[1]] = part
    return padded
