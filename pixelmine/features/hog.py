"""Histograms of oriented gradients: what a thing's outline looks like, cell by cell."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side
from pixelmine.core.errors import UsageError

from .grid import shared_means
from .luma import luma
from .option_checks import check_number, check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Hog"]

_CLIP = np.float32(0.2)
"""Dalal and Triggs: no direction of a block counts for more, so that one strong edge is not all."""

_TINY = np.float32(1e-12)
_GLYPH = 40
"""Pixels of a cell's longer side in the picture of it."""
_STROKE = np.array([255, 196, 64], np.float32)


@dataclass(frozen=True, kw_only=True)
class Hog:
    """The directions of the luma's gradient in `cells` x `cells` cells, evened out by blocks.

    The picture is divided into cells whatever its size, so that D does not depend on it: 28x28
    pixels in 7 cells each way are cells of 4x4. Each pixel's central difference (-1, 0, 1) counts
    with its length for the two nearest of `orientations` directions and the four nearest cells
    (Dalal and Triggs' trilinear vote). `signed`: directions go round 360 degrees, else 180, and
    dark to light is as light to dark. Blocks of `block` x `block` cells overlap by all but one
    cell; each is normalised by L2-Hys: divided by its length, cut off at .2, and brought back to
    the length it had before the cut. `floor`, in grey levels a pixel, is added to the first length
    (in squares), so that faint noise stays faint.
    D = (cells - block + 1)^2 block^2 orientations, each 0 to 1; by default 1,764.

    `side`: pixels; a picture whose longer side is above it is shrunk to it. Where Dalal and Triggs
    take the colour channel with the longest gradient and weight a block by a Gaussian, this does
    neither.
    """

    name: ClassVar[str] = "hog"
    title: ClassVar[str] = "Histograms of oriented gradients"
    source: ClassVar[str] = (
        "Dalal and Triggs, Histograms of oriented gradients for human detection, CVPR 2005"
    )
    version: ClassVar[int] = 1

    cells: int = 8
    block: int = 2
    orientations: int = 9
    signed: bool = False
    floor: float = 1.0
    side: int = 256

    def __post_init__(self) -> None:
        check_whole("cells", self.cells, 1, 64)
        check_whole("block", self.block, 1, self.cells)
        check_whole("orientations", self.orientations, 2, 36)
        check_number("floor", self.floor, 0.001, 255)
        check_side("side", self.side)
        if not isinstance(self.signed, bool):
            raise UsageError(f"signed must be true or false. Got {self.signed!r} instead.")

    @property
    def dimensions(self) -> int:
        """D."""
        return (self.cells - self.block + 1) ** 2 * self.block**2 * self.orientations

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is: the upper left cell of its block, its own cell, its direction."""
        blocks, inside = range(self.cells - self.block + 1), range(self.block)
        turn = 360 if self.signed else 180
        degrees = [f"{turn * n / self.orientations:.4g}" for n in range(self.orientations)]
        return [
            f"block {r},{c} cell {r + i},{c + j}: gradient at {angle} degrees"
            for r in blocks
            for c in blocks
            for i in inside
            for j in inside
            for angle in degrees
        ]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        cells = self._cells(pixels)
        inside, many = range(self.block), self.cells - self.block + 1
        parts = [cells[:, i : i + many, j : j + many] for i in inside for j in inside]
        blocks = np.concatenate(parts).reshape(-1, many * many).T
        blocks = blocks / np.sqrt(_squares(blocks) + np.float32(self.floor**2))
        cut = np.minimum(blocks, _CLIP)
        return np.asarray(cut * np.sqrt(_squares(blocks) / (_squares(cut) + _TINY))).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """Strokes along the edges of each cell, the stronger the brighter, on the dark picture."""
        grey = luma(pixels)
        tall, wide = (max(8, round(_GLYPH * length / max(grey.shape))) for length in grey.shape)
        cells = self._cells(pixels)
        most = np.maximum(cells.max(0), 1e-9)
        light = np.zeros((self.cells, tall, self.cells, wide), np.float32)
        for stroke, share in zip(self._strokes(tall, wide), cells / most, strict=True):
            bright = share**2 * np.sqrt(most / most.max())
            np.maximum(light, np.einsum("rc,yx->rycx", bright, stroke), out=light)
        light = light.reshape(self.cells * tall, -1)[..., None]
        under = cv2.resize(grey, light.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None] * 0.35
        return np.asarray(np.rint(under * (1 - light) + _STROKE * light), np.uint8)

    def _cells(self, pixels: np.ndarray) -> np.ndarray:
        """float32 (orientations, cells, cells): mean gradient of each direction, levels a pixel."""
        grey = shrink(luma(pixels), self.side)
        length, angle = cv2.cartToPolar(*_central_differences(grey))
        turns = 2 if not self.signed else 1
        place = np.asarray(angle).ravel() * np.float32(turns * self.orientations / (2 * np.pi))
        lower = place.astype(np.intp)
        share = (place - lower) * np.asarray(length).ravel()
        planes = np.zeros((self.orientations, grey.size), np.float32)
        pixel = np.arange(grey.size)
        lower %= self.orientations
        planes[lower, pixel] = np.asarray(length).ravel() - share
        planes[(lower + 1) % self.orientations, pixel] = share
        return shared_means(planes.reshape(-1, *grey.shape), self.cells)

    def _strokes(self, tall: int, wide: int) -> np.ndarray:
        """float32 (orientations, tall, wide), 0 to 1: a line along each direction's edges."""
        turn = 2 * np.pi if self.signed else np.pi
        middle = np.array([wide - 1, tall - 1]) / 2
        found = []
        for angle in np.arange(self.orientations) * turn / self.orientations + np.pi / 2:
            reach = 0.42 * min(tall, wide) * np.array([np.cos(angle), np.sin(angle)])
            first, last = (
                np.rint(16 * (middle + way * reach)).astype(int).tolist() for way in (1, -1)
            )
            canvas = np.zeros((tall, wide), np.uint8)
            found.append(cv2.line(canvas, first, last, 255, 1, cv2.LINE_AA, shift=4))
        return np.stack(found).astype(np.float32) / 255


def _central_differences(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Across and down, float32 (H, W), in levels a pixel; 0 at the border."""
    levels = grey.astype(np.float32) / 2
    across, down = np.zeros_like(levels), np.zeros_like(levels)
    np.subtract(levels[:, 2:], levels[:, :-2], out=across[:, 1:-1])
    np.subtract(levels[2:], levels[:-2], out=down[1:-1])
    return across, down


def _squares(blocks: np.ndarray) -> np.ndarray:
    return np.asarray((blocks * blocks).sum(1, keepdims=True))
