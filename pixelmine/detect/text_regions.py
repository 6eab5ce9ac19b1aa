"""Lines of text as slanted rectangles: out of a map of probabilities, and into boxes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .box import Box

__all__ = ["Region", "cut_out", "regions_of"]

_TEXT = 0.3
"""A pixel from this probability on is text: PP-OCR's own value."""

_UNCLIP = 0.8
"""The network marks the middle of a line; this brings its edges back. Masks grow by themselves:
with PP-OCR's own 1.6 they cover four times the ink, with this 2.3 times, and as much of it (45
drawn plates and signs, 2026-11-28)."""

_AROUND = 0.2
"""Of its height, on each side of a line that is read: to what 1.6 would have given."""

_SHORTEST = 3.0
"""Pixels of the map: marks that are thinner are no text one could read."""

_STEP = 0.25
"""A box of a slanted line covers as much of it as rises by this many heights of the line."""

_UPRIGHT = 1.5
"""Times as high as wide: the line runs from top to bottom, and is turned to be read."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """One line of text.

    `corners`: x, y in pixels of the picture, float64 (4, 2): upper left, upper right, lower right,
    lower left. `score`: how sure the detector is, 0 to 1. `text`: what was read in it, and
    `reading`: how sure the reader is, 0 to 1.
    """

    corners: npt.NDArray[np.float64]
    score: float
    text: str | None = None
    reading: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        """Along the line and across it, in pixels."""
        width, height = _sides(self.corners)
        return (height, width) if height >= _UPRIGHT * width else (width, height)

    def boxes(self, kind: str) -> Iterator[Box]:
        """Yield what covers the line: one box, or several along it where it is slanted.

        One box around a slanted line is mostly something else. The first box has the text and the
        corners.
        """
        first, second, third, fourth = self.corners
        if np.linalg.norm(second - first) < np.linalg.norm(third - second):
            first, second, third, fourth = second, third, fourth, first
        rise = min(abs(second - first))
        across = max(float(np.linalg.norm(fourth - first)), 1.0)
        pieces = max(1, round(rise / (_STEP * across)))
        text: str | None = self.text
        points = tuple((float(x), float(y)) for x, y in self.corners)
        for piece in range(pieces):
            ends = np.array([piece / pieces, (piece + 1) / pieces])[:, None]
            outline = np.concatenate(
                [first + (second - first) * ends, fourth + (third - fourth) * ends]
            )
            (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
            edges = {"x0": float(x0), "y0": float(y0), "x1": float(x1), "y1": float(y1)}
            yield Box(kind=kind, score=self.score, text=text, points=points, **edges)
            text, points = None, ()

    def stretched(self, x: float, y: float) -> "Region":
        """The same line in a picture that is so many times as wide and high."""
        return replace(self, corners=self.corners * (x, y))


def regions_of(probability: npt.NDArray[np.uint8], low: float) -> list[Region]:
    """Lines of a map, uint8 (H, W), 255 being sure, with score `low` or more; in its pixels.

    Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020. A
    rectangle whose edges move outwards by d = area x ratio / perimeter is a rectangle again, which
    needs no clipping of polygons.
    """
    marked = (probability > round(_TEXT * 255)).astype(np.uint8)
    marked = cv2.dilate(marked, np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        centre, (width, height), angle = cv2.minAreaRect(outline)
        if min(width, height) < _SHORTEST:
            continue
        score = _mean_inside(probability, cv2.boxPoints((centre, (width, height), angle)))
        if score < low:
            continue
        grown = width * height * _UNCLIP / (width + height)  # 2 d
        corners = cv2.boxPoints((centre, (width + grown, height + grown), angle))
        found.append(Region(corners=_in_order(corners), score=score))
    return found


def cut_out(pixels: np.ndarray, region: Region) -> np.ndarray:
    """The line of a picture, uint8 (H, W, 3), made straight and level, with a little around it."""
    corners = _wider(region.corners, _AROUND * min(_sides(region.corners)))
    width, height = (max(1, round(side)) for side in _sides(corners))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    line: np.ndarray = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.rot90(line) if height >= _UPRIGHT * width else line


def _sides(corners: npt.NDArray[np.float64]) -> tuple[float, float]:
    across = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return float(max(across[0], across[2])), float(max(across[1], across[3]))


def _wider(corners: npt.NDArray[np.float64], around: float) -> npt.NDArray[np.float64]:
    """Each corner moved outwards by so many pixels along both of its sides."""
    before, after = corners - np.roll(corners, 1, axis=0), corners - np.roll(corners, -1, axis=0)
    sides = [
        side / np.linalg.norm(side, axis=1, keepdims=True).clip(1e-6) for side in (before, after)
    ]
    moved: npt.NDArray[np.float64] = corners + around * (sides[0] + sides[1])
    return moved


def _mean_inside(probability: npt.NDArray[np.uint8], corners: np.ndarray) -> float:
    """Of the rectangle, 0 to 1."""
    height, width = probability.shape
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    inside = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(inside, (corners - low).astype(np.int32)[None], 1)
    part = probability[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return float(cv2.mean(part, inside)[0] / 255)


def _in_order(corners: np.ndarray) -> npt.NDArray[np.float64]:
    """Upper left, upper right, lower right, lower left, for a line that leans less than half."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")].astype(np.float64)
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]])
