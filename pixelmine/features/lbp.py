"""Local binary patterns: which of a pixel's neighbours are at least as bright as it is."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_one_of, check_side

from .grid import cell_shares, in_cells
from .luma import luma
from .option_checks import check_number, check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Lbp"]

_TIE = -1e-4
"""Levels: a neighbour between pixels is a sum of float32 products, and equal ones must stay so."""


@dataclass(frozen=True, kw_only=True)
class Lbp:
    """Histograms of uniform local binary patterns of the luma, in `grid` x `grid` cells.

    Around each pixel stand `points` neighbours on a circle of `radius` pixels, interpolated between
    pixels, 0 outside of the picture; each is at least as bright as the pixel (1) or not (0). A
    pattern is uniform if going round it changes at most twice. `mapping` `uniform` has a bin for
    each number of ones and one for all other patterns: points + 2, the same if the picture is
    turned. `nri_uniform` tells the turned ones apart: points (points - 1) + 3. Both number the
    patterns as scikit-image does. Each number is a share of its cell's pixels, 0 to 1;
    D = grid^2 bins, by default 160.

    `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "lbp"
    title: ClassVar[str] = "Local binary patterns"
    source: ClassVar[str] = (
        "Ojala, Pietikainen and Maenpaa, Multiresolution gray-scale and rotation invariant texture "
        "classification with local binary patterns, IEEE PAMI 24(7), 2002"
    )
    version: ClassVar[int] = 1

    points: int = 8
    radius: float = 1.0
    mapping: str = "uniform"
    grid: int = 4
    side: int = 256

    def __post_init__(self) -> None:
        check_whole("points", self.points, 3, 16)
        check_number("radius", self.radius, 0.5, 7)
        check_one_of("mapping", self.mapping, ("uniform", "nri_uniform"))
        check_whole("grid", self.grid, 1, 8)
        check_side("side", self.side)

    @property
    def dimensions(self) -> int:
        """D."""
        return self.grid**2 * self._bins

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        p = self.points
        ones = [f"{n} of {p} neighbours as bright" for n in range(p + 1)]
        if self.mapping == "nri_uniform":
            turned = [f"{one}, turn {t} of {p}" for one in ones[1:p] for t in range(p)]
            ones = [ones[0], *turned, ones[p]]
        return in_cells(self.grid, [f"{one}, share" for one in [*ones, "not uniform"]])

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        return cell_shares(self._codes(pixels), self._bins, self.grid).astype(np.float32).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """Each pixel by its pattern: from dark for none of its neighbours to bright for all.

        Patterns that are not uniform are red.
        """
        codes = self._codes(pixels)
        levels = (codes.astype(np.int64) * 255 // (self._bins - 2)).clip(0, 255).astype(np.uint8)
        picture = np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_BONE))[..., ::-1].copy()
        picture[codes == self._bins - 1] = (214, 69, 65)
        return picture

    @property
    def _bins(self) -> int:
        p = self.points
        return p + 2 if self.mapping == "uniform" else p * (p - 1) + 3

    def _codes(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W): each pixel's bin."""
        grey = shrink(luma(pixels), self.side)
        patterns = np.zeros(grey.shape, np.uint8 if self.points <= 8 else np.uint16)
        reach = int(np.ceil(self.radius))
        border = (reach,) * 4
        padded = cv2.copyMakeBorder(grey, *border, cv2.BORDER_CONSTANT, value=0)
        for bit, kernel in enumerate(_kernels(self.points, self.radius)):
            above = np.asarray(cv2.filter2D(padded, cv2.CV_32F, kernel))
            inner = above[reach:-reach, reach:-reach] >= _TIE
            patterns |= inner.astype(patterns.dtype) << patterns.dtype.type(bit)
        return np.asarray(_bins_of(self.points, self.mapping)[patterns])


@lru_cache(maxsize=16)
def _kernels(points: int, radius: float) -> tuple[np.ndarray, ...]:
    """For each neighbour, counter-clockwise from the right: its weights, less the pixel itself."""
    reach = int(np.ceil(radius))
    turns = 2 * np.pi * np.arange(points) / points
    places = np.round(radius * np.stack([-np.sin(turns), np.cos(turns)], axis=1), 5)
    offsets = np.arange(-reach, reach + 1)
    tents = np.maximum(0, 1 - np.abs(offsets - places[..., None]))
    kernels = tents[:, 0, :, None] * tents[:, 1, None, :]
    kernels[:, reach, reach] -= 1
    return tuple(kernels.astype(np.float32))


@lru_cache(maxsize=16)
def _bins_of(points: int, mapping: str) -> np.ndarray:
    """uint8 (2^points,): the bin of each pattern, whose lowest bit is the first neighbour."""
    bits = np.arange(2**points)[:, None] >> np.arange(points) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    ones = bits.sum(1)
    if mapping == "uniform":
        return np.where(changes <= 2, ones, points + 1).astype(np.uint8)
    first_one, first_zero = bits.argmax(1), bits.argmin(1)
    turn = np.where(first_one == 0, ones - first_zero, points - first_one)
    found = 1 + (ones - 1) * points + turn
    found[ones == 0], found[ones == points] = 0, points * (points - 1) + 1
    return np.where(changes <= 2, found, points * (points - 1) + 2).astype(np.uint8)
