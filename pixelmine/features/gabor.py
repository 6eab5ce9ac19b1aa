"""Gabor energies: how much there is of stripes of each width and direction."""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side

from .false_colour import heat
from .grid import cell_means, in_cells
from .luma import luma
from .option_checks import check_number, check_several, check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Gabor"]

_SIGMA = float(np.sqrt(np.log(2) / 2) * 3 / np.pi)
"""Of the Gaussian, in waves: half the height one octave apart (.56)."""
_TILE = 96
"""Pixels of a response's longer side in the picture of the bank."""


@dataclass(frozen=True, kw_only=True)
class Gabor:
    """Responses of a bank of Gabor filters to the luma, in `grid` x `grid` cells.

    A filter for each of `frequencies`, in waves a pixel, and each of `orientations` directions of
    them, 0 to 180 degrees: a complex wave within a round Gaussian, one octave wide. Its response is
    the wave's amplitude around each pixel, in grey levels, wherever its crests are. Of each cell
    its mean and its standard deviation, 0 to 255. Beyond the border the picture is mirrored.
    D = 2 grid^2 frequencies orientations, by default 96.

    `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "gabor"
    title: ClassVar[str] = "Gabor energies"
    source: ClassVar[str] = (
        "Manjunath and Ma, Texture features for browsing and retrieval of image data, "
        "IEEE PAMI 18(8), 1996"
    )
    version: ClassVar[int] = 1

    frequencies: tuple[float, ...] = (0.3, 0.15, 0.075)
    orientations: int = 4
    grid: int = 2
    side: int = 128

    def __post_init__(self) -> None:
        check_several("frequencies", self.frequencies, partial(check_number, low=0.02, high=0.4))
        check_whole("orientations", self.orientations, 1, 16)
        check_whole("grid", self.grid, 1, 8)
        check_side("side", self.side)

    @property
    def dimensions(self) -> int:
        """D."""
        return 2 * self.grid**2 * len(self.frequencies) * self.orientations

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        waves = [
            f"{frequency:g} waves/pixel at {180 * n / self.orientations:.4g} degrees, levels"
            for frequency in self.frequencies
            for n in range(self.orientations)
        ]
        return in_cells(self.grid, [f"{how} of {w}" for how in ("mean", "spread") for w in waves])

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        responses = self._responses(pixels)
        mean, square = (cell_means(plane, self.grid) for plane in (responses, responses**2))
        spread = np.sqrt(np.maximum(square - mean * mean, 0))
        return np.concatenate([mean, spread]).transpose(1, 2, 0).astype(np.float32).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """The responses: a row a frequency, a column a direction."""
        responses = self._responses(pixels)
        scale = _TILE / max(responses.shape[1:])
        size = tuple(max(1, round(length * scale)) for length in responses.shape[:0:-1])
        tiles = [heat(cv2.resize(r, size, interpolation=cv2.INTER_LINEAR)) for r in responses]
        rows = [
            tiles[at : at + self.orientations] for at in range(0, len(tiles), self.orientations)
        ]
        return np.vstack([np.hstack(row) for row in rows])

    def _responses(self, pixels: np.ndarray) -> np.ndarray:
        """float32 (frequencies * orientations, H, W), by way of the Fourier transform."""
        from scipy import fft

        grey = shrink(luma(pixels), self.side)
        height, width = grey.shape
        reach = int(np.ceil(3 * _SIGMA / min(self.frequencies)))
        length = fft.next_fast_len(max(height, width) + 2 * reach)
        rest = (length - reach - height, reach, length - reach - width)
        padded = cv2.copyMakeBorder(grey, reach, *rest, cv2.BORDER_REFLECT_101).astype(np.float32)
        padded -= padded[reach : reach + height, reach : reach + width].mean()
        spectrum = fft.fft2(padded)
        waves = fft.ifft2(spectrum * _bank(length, self.frequencies, self.orientations))
        return np.asarray(np.abs(waves[:, reach : reach + height, reach : reach + width]))


@lru_cache(maxsize=8)
def _bank(length: int, frequencies: tuple[float, ...], orientations: int) -> np.ndarray:
    """float32 (filters, length, length): what each filter lets through of a picture's spectrum.

    A wave within a Gaussian is, in frequencies, a Gaussian around the wave's. It lets a wave of its
    own frequency through as it is, which a real picture has in two halves: hence the 2.
    """
    axis = np.fft.fftfreq(length)
    angles = np.pi * np.arange(orientations) / orientations
    found = []
    for frequency in frequencies:
        spread = frequency / (2 * np.pi * _SIGMA)
        for angle in angles:
            across = (axis - frequency * np.cos(angle)) / spread
            down = (axis - frequency * np.sin(angle)) / spread
            found.append(2 * np.exp(-0.5 * (across**2 + down[:, None] ** 2)))
    bank: np.ndarray = np.stack(found).astype(np.float32)
    bank.flags.writeable = False
    return bank
