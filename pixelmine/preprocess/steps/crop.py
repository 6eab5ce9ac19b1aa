"""Cut a part out of a picture. What lies outside of the picture is black."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.checks import check_one_of, check_side
from pixelmine.core.errors import UsageError

__all__ = ["CenterCrop", "CenterSquare", "Crop", "FiveCrop"]


@dataclass(frozen=True, kw_only=True)
class CenterCrop:
    """Cut `height` x `width` pixels from the middle.

    An odd remainder leaves one pixel more on the right and at the bottom. A smaller picture is
    padded with black on both sides first.
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        check_side("height", self.height)
        check_side("width", self.width)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Cut (H, W, C) of any dtype."""
        pixels = _at_least(pixels, self.height, self.width)
        top = (pixels.shape[0] - self.height) // 2
        left = (pixels.shape[1] - self.width) // 2
        return pixels[top : top + self.height, left : left + self.width]


@dataclass(frozen=True, kw_only=True)
class CenterSquare:
    """Cut a square from the middle whose side is a `fraction` of the short side, above 0 to 1.

    The side is rounded to the nearest pixel and is at least one; an odd remainder leaves one pixel
    more on the right and at the bottom. Before a `Resize` it costs half of a `CenterCrop` after it:
    what is cut off need not be scaled.
    """

    fraction: float

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise UsageError(f"fraction must be above 0 and at most 1. Got {self.fraction!r}.")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Cut (H, W, C) of any dtype."""
        side = max(1, round(self.fraction * min(pixels.shape[:2])))
        return CenterCrop(height=side, width=side)(pixels)


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Cut the box that begins `top` below and `left` right of the upper left corner.

    `unit`: all four are whole `pixels`, or `fraction`s of the picture's height and width, from 0 to
    1. Edges at a fraction are rounded to the nearest pixel, and a box keeps at least one. A box in
    pixels is always `height` x `width` large, black where it reaches out of the picture.
    """

    top: float
    left: float
    height: float
    width: float
    unit: str = "pixels"

    def __post_init__(self) -> None:
        check_one_of("unit", self.unit, ("pixels", "fraction"))
        if self.unit == "pixels":
            check_side("height", self.height)
            check_side("width", self.width)
            for name in ("top", "left"):
                if not _is_whole(value := getattr(self, name)) or value < 0:
                    raise UsageError(f"{name} must be a whole number from 0. Got {value!r}.")
            return
        for start, length in (("top", "height"), ("left", "width")):
            at, long = getattr(self, start), getattr(self, length)
            if not (0 <= at < 1 and long > 0 and at + long <= 1 + 1e-9):
                raise UsageError(
                    f"{start} (from 0) and {length} (above 0) must be fractions of the picture, "
                    f"their sum at most 1. Got {at!r} and {long!r} instead."
                )

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Cut (H, W, C) of any dtype."""
        if self.unit == "fraction":
            rows = _between(self.top, self.height, pixels.shape[0])
            columns = _between(self.left, self.width, pixels.shape[1])
            return pixels[rows, columns]
        top, left, height, width = map(int, (self.top, self.left, self.height, self.width))
        inside = pixels[top : top + height, left : left + width]
        if inside.shape[:2] == (height, width):
            return inside
        missing = (height - inside.shape[0], width - inside.shape[1])
        return np.pad(inside, ((0, missing[0]), (0, missing[1]), (0, 0)))


@dataclass(frozen=True, kw_only=True)
class FiveCrop:
    """Five views of `height` x `width` pixels, whose logits are averaged: a test-time option.

    (5, H', W', C): upper left, upper right, lower left, lower right, middle (after Krizhevsky et
    al., 2012, which adds their mirror images). It takes five times as long to recognise a picture.
    A smaller picture is padded as `CenterCrop` pads it. Only `Normalise` may come after it.
    """

    height: int
    width: int

    def __post_init__(self) -> None:
        check_side("height", self.height)
        check_side("width", self.width)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take (H, W, C) of any dtype, give (5, H', W', C)."""
        pixels = _at_least(pixels, self.height, self.width)
        bottom, right = pixels.shape[0] - self.height, pixels.shape[1] - self.width
        places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
        return np.stack([pixels[y : y + self.height, x : x + self.width] for y, x in places])


def _at_least(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = max(height - pixels.shape[0], 0), max(width - pixels.shape[1], 0)
    if not rows and not columns:
        return pixels
    around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return np.pad(pixels, around)


def _between(start: float, length: float, side: int) -> slice:
    first = min(round(start * side), side - 1)
    return slice(first, max(first + 1, min(round((start + length) * side), side)))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
