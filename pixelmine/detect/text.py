"""Find text in a picture, and read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from pixelmine.core.checks import check_fraction, check_positive
from pixelmine.core.errors import UsageError

from .box import Found
from .text_network import FindingNetwork
from .text_reader import TextReader
from .text_regions import Region, regions_of

__all__ = ["TextDetector", "TextOptions"]

_MULTIPLE = 32
"""Pixels: the network halves its input five times."""

_OVERLAP = 128
"""Pixels that two tiles share: at an edge the network sees half a letter."""

_GREY = 127
"""0 to the network."""

_VISIBLE = 8
"""Of 255, between the darkest and the lightest pixel: with less nothing is written there. In a
picture of one colour the network is not sure of anything."""

_LARGE = 0.25
"""Of the picture's short side, across a line: from here on a line has to be read to be one. In a
picture with nothing written in it the network takes all of it, or a shirt, for one letter."""

_READ = 0.7
"""The least score of reading such a line, of two characters or more."""

_COVERED = 0.7
"""A line is found twice where so much of it lies in one that was found at a larger scale."""


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """What counts as text.

    `working`: the least score of text; PP-OCR's own value. `low`: from here to `working` a person
    has to look. `short_side`: pixels that a small picture's short side is enlarged to, at most two
    times; of 120 drawn plates and signs in pictures of 400 x 533, down to letters of 12 pixels, as
    many are found with 544 as with 736 (2026-11-28). `tile`: pixels of what the network sees at
    once, either side; it bounds memory.
    """

    working: float = 0.5
    low: float = 0.4
    short_side: int = 544
    tile: int = 1024

    def __post_init__(self) -> None:
        check_fraction("working", self.working)
        check_fraction("low", self.low)
        if self.low > self.working:
            raise UsageError(
                f"low must be at most working, {self.working:g}. Got {self.low:g} instead."
            )
        check_positive("short_side", self.short_side, at_most=4096)
        if self.tile % _MULTIPLE or not 2 * _OVERLAP < self.tile <= 4096:
            raise UsageError(
                f"tile must be a multiple of {_MULTIPLE}, above {2 * _OVERLAP} and at most 4096 "
                f"pixels. Got {self.tile} instead."
            )


class TextDetector:
    """Finds lines of text with PP-OCRv6 (small), in any direction.

    A picture is looked at in its own size, or enlarged where it is small; a large one in tiles, and
    as a whole in a smaller size for large letters. A line higher than a quarter of the picture is
    one only if it can be read. What is found depends on the picture alone.
    `threads`: None for all processors of this process. Raises ModelError where the package with
    the networks is missing.
    """

    def __init__(self, options: TextOptions | None = None, threads: int | None = None) -> None:
        self._options, self._threads = options or TextOptions(), threads
        self._network = FindingNetwork(threads)

    @cached_property
    def reader(self) -> TextReader:
        """Loaded with the first line that is read."""
        return TextReader(self._threads)

    def detect(self, pixels: np.ndarray, *, read: bool = False) -> Found:
        """Boxes of kind "text" in a picture, uint8 (H, W, 3) RGB, after orientation.

        A slanted line is several boxes; the first of them has its text, where it is to be read, and
        its corners. Raises UsageError for other pixels.
        """
        lines = self.regions(pixels)
        if read:
            lines = [self.reader.read(as_colour(pixels), line) for line in lines]
        boxes = [box for line in lines for box in line.boxes("text")]
        return Found.split(boxes, working=self._options.working, low=self._options.low)

    def regions(self, pixels: np.ndarray) -> list[Region]:
        """Lines with score `low` or more, from top to bottom, in pixels of the picture."""
        pixels = as_colour(pixels)
        found: list[Region] = []
        for scale in self._scales(*pixels.shape[:2]):
            scaled = _resized(pixels, scale)
            lines = regions_of(self._probability(scaled), self._options.low)
            height, width = pixels.shape[0] / scaled.shape[0], pixels.shape[1] / scaled.shape[1]
            moved = [line.stretched(width, height) for line in lines]
            found += [
                line
                for line in moved
                if not _is_covered(line, found) and not _is_flat(line, pixels)
            ]
        found = [line for line in found if self._is_plausible(line, pixels)]
        return sorted(found, key=lambda line: (*line.corners[0, ::-1], *line.corners[2]))

    def _is_plausible(self, line: Region, pixels: np.ndarray) -> bool:
        if line.size[1] < _LARGE * min(pixels.shape[:2]):
            return True
        read = self.reader.read(pixels, line)
        return read.reading >= _READ and len(read.text or "") > 1

    def _scales(self, height: int, width: int) -> Iterator[float]:
        """Largest first."""
        short, asked = min(height, width), self._options.short_side
        largest = min(2.0, max(1.0, asked / short))
        yield largest
        if short > 2 * asked:
            yield asked / short

    def _probability(self, pixels: np.ndarray) -> npt.NDArray[np.uint8]:
        """Of text, uint8 (H, W) for a picture of (H, W), 255 being sure."""
        height, width = pixels.shape[:2]
        whole = np.zeros((height, width), np.uint8)
        for top, bottom in self._spans(height):
            for left, right in self._spans(width):
                seen = self._tile(pixels[top:bottom, left:right])
                part = whole[top:bottom, left:right]
                np.maximum(part, seen, out=part)
        return whole

    def _spans(self, length: int) -> Iterator[tuple[int, int]]:
        tile = self._options.tile
        if length <= tile:
            yield 0, length
            return
        count = -(-(length - _OVERLAP) // (tile - _OVERLAP))
        for start in np.linspace(0, length - tile, count).round().astype(int):
            yield int(start), int(start) + tile

    def _tile(self, pixels: np.ndarray) -> npt.NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        down, right = -height % _MULTIPLE, -width % _MULTIPLE
        padded = cv2.copyMakeBorder(
            pixels, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(_GREY, _GREY, _GREY)
        )
        probability = self._network.run(padded)[:height, :width]
        quantised: npt.NDArray[np.uint8] = np.clip(np.rint(probability * 255), 0, 255).astype(
            np.uint8
        )
        return quantised


def as_colour(pixels: np.ndarray) -> np.ndarray:
    """Uint8 (H, W, 3) of that or of uint8 (H, W, 1). Raises UsageError for anything else."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise UsageError(
            "Text is looked for in uint8 pixels of shape (H, W, 3). "
            f"Got {pixels.dtype} of shape {pixels.shape} instead."
        )
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized: np.ndarray = cv2.resize(pixels, (width, height), interpolation=way)
    return resized


def _is_covered(line: Region, found: list[Region]) -> bool:
    """Whether one of the lines has most of it, and is as high: found at a larger scale before."""
    outline = line.corners.astype(np.float32)
    area = cv2.contourArea(outline)
    for other in found:
        shared, _ = cv2.intersectConvexConvex(outline, other.corners.astype(np.float32))
        if shared >= _COVERED * max(area, 1.0):
            return True
    return False


def _is_flat(line: Region, pixels: np.ndarray) -> bool:
    low = np.clip(np.floor(line.corners.min(axis=0)).astype(int), 0, None)
    high = np.ceil(line.corners.max(axis=0)).astype(int)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    return part.size == 0 or int(np.ptp(part, axis=(0, 1)).max()) < _VISIBLE
