"""Even out the brightness of a picture. Colours are kept: of RGB, the luma alone changes."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

__all__ = ["Clahe", "Equalise"]

_MAX_CLIP, _MAX_TILES = 256, 64


@dataclass(frozen=True, kw_only=True)
class Equalise:
    """Spread the luma over 0 to 255, so that each level is about as frequent as any other.

    Level v becomes 255 (n(v) - n(min)) / (N - n(min)), where n counts the pixels of a level up to
    v, and N all. A picture of a single level stays as it is.
    """

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take and give uint8 (H, W, C), C 1 (grey) or 3 (RGB)."""
        return _on_luma(pixels, cv2.equalizeHist)


@dataclass(frozen=True, kw_only=True)
class Clahe:
    """Equalise the luma tile by tile, with limited contrast (CLAHE, Zuiderveld 1994).

    The picture is divided into `tiles` x `tiles`, between whose middles levels are interpolated
    (other sizes are filled up by reflection). `clip_limit`: how many times its mean a bin of a
    tile's histogram may hold, in units of the mean; what is above goes to all bins alike. 1 leaves
    the contrast nearly as it is, and 256 does not limit it. 2 to 4 are usual.
    """

    clip_limit: float = 2.0
    tiles: int = 8

    def __post_init__(self) -> None:
        check_positive("clip_limit", self.clip_limit, at_most=_MAX_CLIP)
        whole = isinstance(self.tiles, int) and not isinstance(self.tiles, bool)
        if not whole or not 1 <= self.tiles <= _MAX_TILES:
            raise UsageError(
                f"tiles must be a whole number, 1 to {_MAX_TILES}. Got {self.tiles!r} instead."
            )

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take and give uint8 (H, W, C), C 1 (grey) or 3 (RGB)."""
        # made for each call: OpenCV's object keeps its buffers, and threads would share them
        return _on_luma(pixels, cv2.createCLAHE(self.clip_limit, (self.tiles, self.tiles)).apply)


def _on_luma(pixels: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    if pixels.shape[2] == 1:
        grey = np.ascontiguousarray(pixels[..., 0])
        return np.asarray(change(grey)).reshape(pixels.shape)
    split = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2YCrCb))
    split[..., 0] = change(np.ascontiguousarray(split[..., 0]))
    return np.asarray(cv2.cvtColor(split, cv2.COLOR_YCrCb2RGB))
