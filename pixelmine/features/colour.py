"""Colour: how often, how spread and which ones most."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side
from pixelmine.core.errors import UsageError

from .dominant import dominant_colours
from .grid import cell_shares, in_cells
from .option_checks import check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Colour"]

_PLANES = ("hue", "saturation", "value", "Lab L", "Lab a", "Lab b")
_LAB_UNIT, _LAB_ZERO = np.array([100 / 255, 1, 1]), np.array([0, 128, 128])
_LEVELS = np.arange(256)


@dataclass(frozen=True, kw_only=True)
class Colour:
    """Histograms in HSV and CIE Lab (of sRGB, D65), moments, and the dominant colours.

    - In each of `grid` x `grid` cells, a histogram of `bins` for hue, saturation, value, L, a and
      b: shares, 0 to 1, that sum to 1 for each. A pixel counts for hue by its saturation, since the
      hue of a grey one is chance; the shares of hue are 0 where all is grey. Red, and the 0 of a
      and b, lie in the middle of a bin: what is nearly grey does not jump between two.
    - Of the whole picture: mean, standard deviation and skewness (the cube root of the third
      central moment) of L, a and b, in units of Lab: L from 0 (black) to 100 (white), a from green
      to red and b from blue to yellow, about -110 to 110.
    - `dominant` colours, by k-means of the colours rounded to 16 levels: L, a, b and the share of
      the pixels that are nearest, 0 to 1, the largest first.

    D = 6 grid^2 bins + 9 + 4 dominant, by default 121. Of a grey picture, saturation, a and b all
    lie in the bin of 0. `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "colour"
    title: ClassVar[str] = "Colours (HSV, Lab, dominant)"
    source: ClassVar[str] = (
        "Swain and Ballard, Color indexing, IJCV 7(1), 1991; Stricker and Orengo, Similarity of "
        "color images, SPIE 2420, 1995"
    )
    version: ClassVar[int] = 1

    bins: int = 16
    grid: int = 1
    dominant: int = 4
    side: int = 256

    def __post_init__(self) -> None:
        check_whole("bins", self.bins, 2, 256)
        check_whole("grid", self.grid, 1, 8)
        check_whole("dominant", self.dominant, 1, 16)
        check_side("side", self.side)
        if 256 % self.bins:
            raise UsageError(f"bins must divide 256: 2, 4, 8 and so on. Got {self.bins} instead.")

    @property
    def dimensions(self) -> int:
        """D."""
        return len(_PLANES) * self.grid**2 * self.bins + 9 + 4 * self.dominant

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        bins = [f"{p} bin {n} of {self.bins}, share" for p in _PLANES for n in range(self.bins)]
        moments = [f"{how} of {c}, Lab" for how in ("mean", "spread", "skewness") for c in "Lab"]
        dominant = [
            f"dominant colour {n}: {what}"
            for n in range(1, self.dominant + 1)
            for what in ("L", "a", "b", "share")
        ]
        return [*in_cells(self.grid, bins), *moments, *dominant]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        rgb = self._rgb(pixels)
        hsv, lab = (
            cv2.split(cv2.cvtColor(rgb, to)) for to in (cv2.COLOR_RGB2HSV_FULL, cv2.COLOR_RGB2LAB)
        )
        half, width = 128 // self.bins, np.uint8(256 // self.bins)
        even = (*hsv[1:], lab[0], *(np.asarray(cv2.add(plane, half)) for plane in lab[1:]))
        coarse = [cell_shares(plane // width, self.bins, self.grid) for plane in even]
        coarse.insert(0, self._hues(hsv[0], hsv[1], self.grid))
        levels = [cv2.calcHist([p], [0], None, [256], [0, 256]).ravel() for p in lab]
        whole = np.stack(levels).astype(np.float64) / lab[0].size
        colours, amounts = dominant_colours(rgb, self.dominant)
        parts = (np.hstack(coarse), _moments(whole), np.column_stack([colours, amounts]))
        return np.concatenate([part.ravel() for part in parts]).astype(np.float32)

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """The dominant colours, as wide as they are frequent, above the histogram of hue."""
        rgb = self._rgb(pixels)
        colours, amounts = dominant_colours(rgb, self.dominant)
        lab = colours[None].astype(np.float32)
        rgb_float = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))[0].clip(0, 1)
        swatches = np.rint(255 * rgb_float).astype(np.uint8)
        ends = np.rint(256 * np.cumsum(amounts)).astype(int)
        places = np.searchsorted(ends, np.arange(256), side="right").clip(0, self.dominant - 1)
        strip = np.broadcast_to(swatches[places], (128, 256, 3))
        return np.vstack([strip, self._hue_bars(rgb)])

    def _hue_bars(self, rgb: np.ndarray) -> np.ndarray:
        """uint8 (128, 256, 3): a bar for each bin, in its hue, standing on all hues."""
        hsv = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV_FULL))
        shares = self._hues(hsv[..., 0], hsv[..., 1], 1)[0]
        width = 256 // self.bins
        heights = 12 + np.rint(100 * shares / max(float(shares.max()), 1e-9)).repeat(width)
        hues = np.arange(256) // width * width
        row = np.stack([hues, np.full(256, 190), np.full(256, 240)], axis=1).astype(np.uint8)
        colours = np.asarray(cv2.cvtColor(row[None], cv2.COLOR_HSV2RGB_FULL))[0]
        inside = np.arange(128, 0, -1)[:, None] <= heights
        return np.where(inside[..., None], colours, np.uint8(24)).astype(np.uint8)

    def _hues(self, hue: np.ndarray, saturation: np.ndarray, grid: int) -> np.ndarray:
        """float64 (grid * grid, bins): the middle of the first bin is red."""
        turned = hue + np.uint8(128 // self.bins)  # past 255 it begins anew, as hue does
        return cell_shares(turned // np.uint8(256 // self.bins), self.bins, grid, saturation)

    def _rgb(self, pixels: np.ndarray) -> np.ndarray:
        small = shrink(pixels, self.side)
        return np.repeat(small, 3, axis=2) if small.shape[2] == 1 else np.ascontiguousarray(small)


def _moments(shares: np.ndarray) -> np.ndarray:
    """(3, 256): how often each level of L, a and b is, to (9,): means, spreads, skewnesses."""
    mean = shares @ _LEVELS
    apart = _LEVELS - mean[:, None]
    spread = np.sqrt((shares * apart**2).sum(1))
    skewness = np.cbrt((shares * apart**3).sum(1))
    return np.concatenate(
        [(mean - _LAB_ZERO) * _LAB_UNIT, spread * _LAB_UNIT, skewness * _LAB_UNIT]
    )
