"""Pixels to model-ready pixels: the declared steps, each a small frozen dataclass.

A step takes and gives one picture, (H, W, C). To add one: write the class, name it in STEPS; the
contract test in tests/preprocess then runs on it.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of, check_side
from pixelmine.core.errors import UsageError

__all__ = ["STEPS", "CenterCrop", "Normalise", "Resize", "Rotate", "Step"]

_SHRINK = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "nearest": cv2.INTER_NEAREST,
}


class Step(Protocol):
    """One picture in, one out, and the same one every time."""

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take (H, W, C) and give (H', W', C)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Resize:
    """Scale to `height` x `width`, or so that the short side is `short_side`, in pixels.

    `area` averages when shrinking, which does not alias, and is `bicubic` when enlarging; the
    others sample without a low-pass filter. The long side is rounded to the nearest pixel.
    """

    height: int | None = None
    width: int | None = None
    short_side: int | None = None
    interpolation: str = "area"

    def __post_init__(self) -> None:
        check_one_of("interpolation", self.interpolation, _SHRINK)
        both = self.height is not None and self.width is not None
        either = self.height is not None or self.width is not None
        if either == (self.short_side is not None) or (either and not both):
            raise UsageError("resize takes either height and width, or short_side alone.")
        for name in ("height", "width", "short_side"):
            if (value := getattr(self, name)) is not None:
                check_side(name, value)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Scale (H, W, C) of uint8 or float32."""
        height, width = pixels.shape[:2]
        wanted = self.size(pixels)
        if wanted == (height, width):
            return pixels
        method = _SHRINK[self.interpolation]
        if self.interpolation == "area" and (wanted[0] > height or wanted[1] > width):
            method = cv2.INTER_CUBIC
        scaled = cv2.resize(pixels, wanted[::-1], interpolation=method)
        return np.asarray(scaled).reshape(*wanted, pixels.shape[2])

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Height and width that (H, W, C) will have."""
        height, width = pixels.shape[:2]
        if self.short_side is None:
            return int(self.height or height), int(self.width or width)
        scale = self.short_side / min(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))


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
        rows, columns = self.height - pixels.shape[0], self.width - pixels.shape[1]
        if rows > 0 or columns > 0:
            rows, columns = max(rows, 0), max(columns, 0)
            around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
            pixels = np.pad(pixels, around)
        top = (pixels.shape[0] - self.height) // 2
        left = (pixels.shape[1] - self.width) // 2
        return pixels[top : top + self.height, left : left + self.width]


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Turn counter-clockwise by `degrees` about the middle.

    Multiples of 90 are exact and swap the sides where they must; other angles keep the size,
    sample bilinearly and fill the corners with black.
    """

    degrees: float

    def __post_init__(self) -> None:
        if not -360 <= self.degrees <= 360:
            raise UsageError(f"degrees must be between -360 and 360. Got {self.degrees:g} instead.")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Turn (H, W, C) of uint8 or float32."""
        if self.degrees % 90 == 0:
            return np.rot90(pixels, int(self.degrees // 90) % 4)
        height, width = pixels.shape[:2]
        middle = ((width - 1) / 2, (height - 1) / 2)
        matrix = cv2.getRotationMatrix2D(middle, self.degrees, 1.0)
        turned = cv2.warpAffine(np.ascontiguousarray(pixels), matrix, (width, height))
        return np.asarray(turned).reshape(pixels.shape)


@dataclass(frozen=True, kw_only=True)
class Normalise:
    """(pixel - mean) / std as float32; one value for all channels or one for each.

    `mean=0, std=255` gives 0..1.
    """

    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 255.0

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))
        if not np.all(np.asarray(self.std) > 0):
            raise UsageError(f"std must be above 0. Got {self.std} instead.")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take (..., C) of any range, give float32."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        return (pixels.astype(np.float32) - mean) / std


STEPS: dict[str, type] = {
    "resize": Resize,
    "center_crop": CenterCrop,
    "rotate": Rotate,
    "normalise": Normalise,
}
