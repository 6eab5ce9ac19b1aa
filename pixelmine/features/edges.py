"""Edges: how strong, which way and how many, cell by cell."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side
from pixelmine.core.errors import UsageError

from .false_colour import wheel
from .grid import cell_means, cell_shares, in_cells
from .luma import luma
from .option_checks import check_number, check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Edges"]

_SOBEL = 8
"""The sum of Sobel's weights on one side times 2 pixels: a ramp of 1 level a pixel gives 8."""


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Statistics of Sobel's gradient and Canny's edges of the luma, in `grid` x `grid` cells.

    Of each cell: the mean and the standard deviation of the gradient's length, in grey levels a
    pixel (0 to about 180); the shares of `orientations` directions of it, 0 to 180 degrees, each
    weighted by the length, 0 to 1, all 0 where there is no gradient (the first is around 0 degrees,
    across upright edges; light to dark is the same as dark to light); the share of the pixels on
    Canny's edges, 0 to 1. D = grid^2 (3 + orientations), by default 176.

    `low`, `high`: Canny's thresholds, in grey levels a pixel: an edge begins above the one and goes
    on above the other. `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "edges"
    title: ClassVar[str] = "Edge statistics (Sobel, Canny)"
    source: ClassVar[str] = (
        "Sobel and Feldman, A 3x3 isotropic gradient operator, 1968; Canny, A computational "
        "approach to edge detection, IEEE PAMI 8(6), 1986"
    )
    version: ClassVar[int] = 1

    grid: int = 4
    orientations: int = 8
    low: float = 12.0
    high: float = 25.0
    side: int = 256

    def __post_init__(self) -> None:
        check_whole("grid", self.grid, 1, 8)
        check_whole("orientations", self.orientations, 2, 36)
        check_number("low", self.low, 0, 255)
        check_number("high", self.high, 0, 255)
        check_side("side", self.side)
        if self.low > self.high:
            raise UsageError(f"low must be at most high. Got {self.low:g} and {self.high:g}.")

    @property
    def dimensions(self) -> int:
        """D."""
        return self.grid**2 * (3 + self.orientations)

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        degrees = [f"{180 * n / self.orientations:.4g}" for n in range(self.orientations)]
        return in_cells(
            self.grid,
            [
                "mean gradient, levels/pixel",
                "spread of gradient, levels/pixel",
                *(f"gradient at {angle} degrees, share" for angle in degrees),
                "on Canny edges, share",
            ],
        )

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        length, turns, canny = self._look(pixels)
        mean, square, edge = cell_means(np.stack([length, length * length, canny]), self.grid)
        spread = np.sqrt(np.maximum(square - mean * mean, 0))
        codes = np.rint(turns * 2 * self.orientations).astype(np.uint8) % self.orientations
        ways = cell_shares(codes, self.orientations, self.grid, length)
        columns = [mean.reshape(-1, 1), spread.reshape(-1, 1), ways, edge.reshape(-1, 1)]
        return np.hstack(columns).astype(np.float32).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """Canny's edges bright, other gradients by their length; the hue is the direction."""
        length, turns, canny = self._look(pixels)
        faint = 0.6 * np.sqrt(length / max(float(length.max()), 1e-9))
        return wheel(turns * 2, np.where(canny > 0, 1, faint))

    def _look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Length in levels a pixel, direction in turns (0 to 1), and 1 on edges, else 0."""
        grey = shrink(luma(pixels), self.side)
        dx, dy = (cv2.Sobel(grey, cv2.CV_16S, *way) for way in ((1, 0), (0, 1)))
        length, angle = cv2.cartToPolar(dx.astype(np.float32), dy.astype(np.float32))
        thresholds = (_SOBEL * self.low, _SOBEL * self.high)
        canny = cv2.Canny(dx, dy, *thresholds, L2gradient=True)
        turns = np.asarray(angle) * np.float32(0.5 / np.pi)
        return np.asarray(length) / _SOBEL, turns, np.asarray(canny > 0, np.float32)
