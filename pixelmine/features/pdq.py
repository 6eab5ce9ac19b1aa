"""PDQ, Meta's perceptual hash: pictures that look the same differ in few of 256 bits.

Its filter, its cosine transform and its median are done here as what they are, a few small
matrices; Meta's own code (package `pdqhash`) checks them in the tests. Given the filter's 64x64
picture, both give the same bits and quality, 1,440 photographs without a difference. The filter
here rounds that picture to whole levels: on whole photographs of 400x533 the bits are .8 apart on
average and 6 at most, the quality is the same, for a fourteenth of the time (2026-11).
To shrink the picture before `pdqhash` costs 9 to 18 bits, up to 46: the filter's window, a whole
number of pixels, then falls elsewhere.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pixelmine.core.checks import check_side
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json

from .luma import luma

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Pdq"]

_SIDE = 64
"""Pixels each way that the hash is made of (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm", 2019)."""
_WAVES = np.cos(
    np.pi / (2 * _SIDE) * np.outer(np.arange(1, 17), np.arange(1, 2 * _SIDE, 2))
).astype(np.float32)
"""(16, 64): the cosine transform's rows 1 to 16."""
_STEPS = (np.arange(256) * 100 // 255).astype(np.uint8)
_SMALLEST = 5
"""Pixels: the reference gives a picture with a shorter side no bits and quality 0."""
_NO_HASH = {"pdq": bytes(32), "pdq_quality": 0}


@dataclass(frozen=True, kw_only=True)
class Pdq:
    """`pdq`: 256 bits, the first the highest of the first byte, as Meta writes it in hexadecimal.

    `pdq_quality`: 0 to 100, how much there is to see; below 50 the hash says little. Hashes at most
    31 bits apart are near duplicates. A picture with a side under 5 pixels has no bits, quality 0.
    `side`: pixels, 64 to 4096; a picture whose longer side is above it is first shrunk to it, which
    bounds the memory: 16 MB, and 3 bits apart on average, 8 at most, at 2048; 64 MB and .9 bits at
    4096 (40 photographs enlarged to 3000x4000, 2026-11).
    """

    side: int = 2048

    def __post_init__(self) -> None:
        check_side("side", self.side)
        if self.side < _SIDE:
            raise UsageError(f"side must be at least {_SIDE}. Got {self.side} instead.")

    @property
    def fields(self) -> "list[pa.Field]":
        """The hash and its quality."""
        import pyarrow as pa

        return [pa.field("pdq", pa.binary(32)), pa.field("pdq_quality", pa.int32())]

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return digest_json({"feature": "pdq", "version": 1, "side": self.side})

    def __call__(self, pixels: np.ndarray, width: int, height: int) -> dict[str, Any]:  # noqa: ARG002  all have them
        """Hash uint8 (H, W, C) upright pixels; `width` and `height` play no part."""
        grey = luma(pixels)
        if min(grey.shape) < _SMALLEST:
            return dict(_NO_HASH)
        small = _to_64(_shrink(grey, self.side))
        return {"pdq": _hash(small), "pdq_quality": _quality(small)}


def _shrink(grey: np.ndarray, side: int) -> np.ndarray:
    height, width = grey.shape
    if max(height, width) <= side:
        return grey
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def _to_64(grey: np.ndarray) -> np.ndarray:
    """uint8 (H, W) through the Jarosz filter to uint8 (64, 64)."""
    rows, columns = _jarosz(grey.shape[0]), _jarosz(grey.shape[1])
    return np.asarray(np.rint((columns @ (rows @ grey.astype(np.float32)).T).T), dtype=np.uint8)


def _hash(small: np.ndarray) -> bytes:
    """Which of 16x16 frequencies, all but the constant ones, are above their median."""
    waves = (_WAVES @ small.astype(np.float32) @ _WAVES.T).ravel()
    median = np.partition(waves, waves.size // 2 - 1)[waves.size // 2 - 1]
    return np.packbits(waves[::-1] > median).tobytes()


def _quality(small: np.ndarray) -> int:
    """How much neighbours differ, in hundredths of the range, each rounded down; 90 make one."""
    down, across = cv2.absdiff(small[1:], small[:-1]), cv2.absdiff(small[:, 1:], small[:, :-1])
    total = sum(cv2.sumElems(cv2.LUT(differences, _STEPS))[0] for differences in (down, across))
    return min(int(total) // 90, 100)


@lru_cache(maxsize=1024)
def _jarosz(length: int) -> Any:
    """Sparse (64, length) float32 matrix: two box filters one after the other, then 64 samples.

    A box is as wide as half a sample, rounded up; at the borders it is cut off. 1,024 matrices of
    about 8 kB serve collections in which every picture has its own size.
    """
    import scipy.sparse

    width = -(-length // (2 * _SIDE))
    before, after = width - (width + 2) // 2, (width + 2) // 2
    reach = np.arange(-before, after)
    shares = 1 / np.array([min(length, at + after) - max(0, at - before) for at in range(length)])
    samples = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.int64)
    middle = samples[:, None, None] + reach[:, None]
    at = middle + reach
    inside = (middle >= 0) & (middle < length) & (at >= 0) & (at < length)
    weight = shares[samples][:, None, None] * shares[middle.clip(0, length - 1)]
    row = np.broadcast_to(np.arange(_SIDE)[:, None, None], at.shape)
    entries = np.broadcast_to(weight, at.shape)[inside].astype(np.float32)
    return scipy.sparse.csr_array((entries, (row[inside], at[inside])), (_SIDE, length))
