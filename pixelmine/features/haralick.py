"""Haralick's textures: which grey levels stand next to which."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side

from .false_colour import heat
from .luma import luma
from .option_checks import check_several, check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Haralick"]

_WAYS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Down and across: 0, 45, 90 and 135 degrees, as scikit-image counts them (clockwise)."""
_STATISTICS = (
    "contrast, squared levels",
    "dissimilarity, levels",
    "homogeneity",
    "energy",
    "correlation",
    "entropy, nats",
)
_CELL = 4
"""Pixels each way of one entry in the picture of the matrices."""


@dataclass(frozen=True, kw_only=True)
class Haralick:
    """Statistics of grey-level co-occurrence matrices of the luma, over the whole picture.

    The luma is rounded down to `levels`. For each of `distances`, in pixels, and each of four
    directions (diagonals by the nearest whole pixel), a matrix says how often two levels stand that
    far apart, either way round. Of each
    matrix: contrast, dissimilarity (levels, of `levels`), homogeneity (0 to 1), energy (0 to 1),
    correlation (-1 to 1; 1 for a picture of one level) and entropy (nats), as scikit-image's
    `graycoprops` has them. Of each of these the mean of the four directions, and the highest less
    the lowest, which do not change when the picture is turned by 90 degrees.
    D = 12 for each distance, by default 36.

    `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "haralick"
    title: ClassVar[str] = "Haralick textures (grey-level co-occurrence)"
    source: ClassVar[str] = (
        "Haralick, Shanmugam and Dinstein, Textural features for image classification, "
        "IEEE Trans. SMC 3(6), 1973"
    )
    version: ClassVar[int] = 1

    levels: int = 32
    distances: tuple[int, ...] = (1, 2, 4)
    side: int = 256

    def __post_init__(self) -> None:
        check_whole("levels", self.levels, 2, 256)
        check_several("distances", self.distances, partial(check_whole, low=1, high=7))
        check_side("side", self.side)

    @property
    def dimensions(self) -> int:
        """D."""
        return 2 * len(_STATISTICS) * len(self.distances)

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        return [
            f"{how} {statistic} (distance {distance})"
            for distance in self.distances
            for how in ("mean", "range of")
            for statistic in _STATISTICS
        ]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        found = _statistics(self._matrices(pixels)).reshape(len(self.distances), len(_WAYS), -1)
        both = np.stack([found.mean(1), np.ptp(found, axis=1)], axis=1)
        return both.astype(np.float32).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """The matrices of the first distance, dark levels at the upper left; a tile a direction."""
        tiles = np.log1p(1e4 * self._matrices(pixels)[: len(_WAYS)])
        sheet = np.block([[tiles[0], tiles[1]], [tiles[2], tiles[3]]])
        return heat(np.kron(sheet, np.ones((_CELL, _CELL))))

    def _matrices(self, pixels: np.ndarray) -> np.ndarray:
        """float64 (distances * directions, levels, levels), symmetric, each with the sum 1."""
        grey = shrink(luma(pixels), self.side)
        quantised = np.asarray(cv2.LUT(grey, (np.arange(256) * self.levels >> 8).astype(np.uint8)))
        found = []
        for distance in self.distances:
            for down, across in _WAYS:
                far = distance if 0 in (down, across) else round(distance / 2**0.5)
                pair = _pair(quantised, down * far, across * far)
                counts = cv2.calcHist(
                    pair, [0, 1], None, [self.levels] * 2, [0, self.levels, 0, self.levels]
                )
                found.append(np.asarray(counts, np.float64))
        matrices = np.stack(found)
        matrices += matrices.transpose(0, 2, 1)
        return np.asarray(matrices / matrices.sum((1, 2), keepdims=True))


def _pair(levels: np.ndarray, down: int, across: int) -> list[np.ndarray]:
    """The picture without what has no partner, and the partners."""
    height, width = levels.shape
    first, second = max(0, -across), max(0, across)
    return [
        levels[: height - down, first : width - second],
        levels[down:, second : width - first],
    ]


def _statistics(matrices: np.ndarray) -> np.ndarray:
    """(M, levels, levels), symmetric, to (M, 6)."""
    levels = np.arange(matrices.shape[1])
    apart = np.abs(levels[:, None] - levels)
    flat = matrices.reshape(len(matrices), -1)
    weights = np.stack([apart**2, apart, 1 / (1.0 + apart**2)]).reshape(3, -1)
    contrast, dissimilarity, homogeneity = weights @ flat.T
    shares = matrices.sum(2)
    mean = shares @ levels
    variance = ((levels - mean[:, None]) ** 2 * shares).sum(1)
    # 1 - contrast / (2 variance) is the correlation where both levels have one distribution
    even = variance < 1e-15
    correlation = np.where(even, 1, 1 - contrast / (2 * np.where(even, 1, variance)))
    energy = np.sqrt((flat * flat).sum(1))
    entropy = -(flat * np.log(flat, out=np.zeros_like(flat), where=flat > 0)).sum(1)
    columns = (contrast, dissimilarity, homogeneity, energy, correlation, entropy)
    return np.stack(columns, axis=1)
