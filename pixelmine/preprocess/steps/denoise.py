"""Take noise out of a picture: three ways, each with its strength in levels and pixels.

Put them behind a `Resize`: their cost grows with the picture, and a shrunk one has less noise.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

__all__ = ["Bilateral", "Median", "NonLocalMeans"]


@dataclass(frozen=True, kw_only=True)
class Median:
    """Each pixel becomes the median of the `size` x `size` pixels around it, channel by channel.

    Takes out single bright and dark pixels and keeps edges. `size`: odd, 3 to 31 pixels. The edge
    of the picture goes on as it is.
    """

    size: int = 3

    def __post_init__(self) -> None:
        _check_odd("size", self.size, 31)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take and give uint8 (H, W, C)."""
        found = cv2.medianBlur(np.ascontiguousarray(pixels), self.size)
        return np.asarray(found).reshape(pixels.shape)


@dataclass(frozen=True, kw_only=True)
class Bilateral:
    """A mean over the pixels near by that are also alike, which keeps edges (Tomasi 1998).

    Weights are exp(-d^2 / 2 sigma_space^2 - c^2 / 2 sigma_colour^2), with d the distance in pixels,
    c the sum over the channels of the differences in levels, over a disc of `diameter` pixels (odd,
    3 to 15). `sigma_colour`: in levels, up to 255; more of it smooths over stronger edges.
    """

    diameter: int = 5
    sigma_colour: float = 25.0
    sigma_space: float = 2.0

    def __post_init__(self) -> None:
        _check_odd("diameter", self.diameter, 15)
        check_positive("sigma_colour", self.sigma_colour, at_most=255)
        check_positive("sigma_space", self.sigma_space, at_most=100)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take and give uint8 (H, W, C), C 1 or 3."""
        found = cv2.bilateralFilter(
            np.ascontiguousarray(pixels),
            self.diameter,
            self.sigma_colour,
            self.sigma_space,
            borderType=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(found).reshape(pixels.shape)


@dataclass(frozen=True, kw_only=True)
class NonLocalMeans:
    """A mean over the pixels whose surroundings are alike (Buades 2005), all channels together.

    For each pixel, the patches of `patch` x `patch` pixels (odd, 3 to 9) around the `search` x
    `search` pixels near by (odd, 3 to 31) are compared with its own. `strength`: in levels, up to
    100; about as much as the noise's standard deviation, more of it blurs. The slowest of the three
    by far: 0.6 s a megapixel on two cores, and the time grows with search x search.
    """

    strength: float = 10.0
    patch: int = 7
    search: int = 21

    def __post_init__(self) -> None:
        check_positive("strength", self.strength, at_most=100)
        _check_odd("patch", self.patch, 9)
        _check_odd("search", self.search, 31)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take and give uint8 (H, W, C), C 1 or 3."""
        found = cv2.fastNlMeansDenoising(
            np.ascontiguousarray(pixels),
            h=self.strength,
            templateWindowSize=self.patch,
            searchWindowSize=self.search,
        )
        return np.asarray(found).reshape(pixels.shape)


def _check_odd(name: str, value: object, most: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value not in range(3, most + 1, 2):
        raise UsageError(f"{name} must be an odd number, 3 to {most}. Got {value!r} instead.")
