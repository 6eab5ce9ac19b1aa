"""What lies on a picture and is not of it: noise, bars along its sides, a line of written text."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pixelmine.core.ids import digest_json

from .luma import luma

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Surface"]

_SIDE = 256
"""Pixels, longer side of the thumbnail on which text is looked for, to the next whole factor."""

_STRIP, _BLOCK = 18, 16
"""Pixels: noise is measured on strips of so many rows, in blocks of so many columns; of a strip the
first and the last row have no neighbours of their own."""
_EVERY, _MANY = 6, 18
"""Of many strips every so many is measured: a picture of 533 rows then gives 125 blocks."""
_SECOND = np.array([1, -2, 1], np.float32)
_TO_SIGMA = float(np.sqrt(np.pi / 2) / 6)
"""From the mean size of the second differences both ways to the deviation (Immerkaer 1996)."""
_FLAT = 0.05
"""Share of the blocks: noise is everywhere, also where a picture is smoothest; texture is not."""
_TELLING = (16, 239)
"""Levels in the middle of a block between which noise is not cut off at black or white."""

_EVEN = 12
"""Levels that a line along the side may vary by and be one colour: JPEG moves levels by some."""
_CUT = 0.5
"""Share of the first line inside that must differ from a bar's colour. A picture on plain ground
has ground along its sides too, but no straight cut from it."""

_STROKE = 28
"""Levels that the neighbours to the left and right of an edge of a stroke differ by."""
_CELL = 4
"""Pixels of the thumbnail each way, over which the share of stroke edges is taken."""
_HALF = 5
_WORD = 2 * _HALF
"""Cells: the shortest line of text that is looked for is 40 pixels long, a sixth of the side."""
_TALL = (2, 3, 5)
"""Cells: heights of a line of text."""
_QUIET = 2
"""Cells above and below a line of text that are compared with it."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Float32 numbers, never NaN or infinite.

    - `noise`: grey levels, 0 up: standard deviation of what varies from pixel to pixel where the
      picture is smooth (J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image
      Understanding 64 (1996), 300-302, in blocks, of which the smoothest twentieth counts).
    - `border`: share of the picture that bars of one colour along its sides take, 0 to 1; 0 for a
      picture of one colour. Ground that a thing lies on is no bar: a bar ends in a straight cut.
    - `text`: 0 to 1, how much there is something like a level line of written text: a long low
      region full of upright edges with little of them above and below. Of nothing 0; measured, not
      read.
    """

    @property
    def fields(self) -> "list[pa.Field]":
        """A float32 column for each measure."""
        import pyarrow as pa

        return [pa.field(name, pa.float32()) for name in ("noise", "border", "text")]

    @property
    def producer(self) -> str:
        """Digest of name and version."""
        return digest_json({"feature": "surface", "version": 1})

    def __call__(self, pixels: np.ndarray, width: int, height: int) -> dict[str, Any]:  # noqa: ARG002  all have them
        """Measure uint8 (H, W, C) upright pixels; `width` and `height` play no part."""
        grey = luma(pixels)
        return {
            "noise": _noise(grey),
            "border": _border(grey),
            "text": _text(grey),
        }


def _noise(grey: np.ndarray) -> float:
    strips, columns = grey.shape[0] // _STRIP, grey.shape[1] // _BLOCK
    if strips == 0 or columns == 0:
        return 0.0
    used = grey[: strips * _STRIP, : columns * _BLOCK].reshape(strips, _STRIP, -1)
    used = np.ascontiguousarray(used[:: _EVERY if strips >= _MANY else 1])
    edges = cv2.sepFilter2D(used.reshape(-1, used.shape[2]), cv2.CV_16S, _SECOND, _SECOND)
    inside = cv2.convertScaleAbs(edges).reshape(used.shape)[:, 1:-1].reshape(-1, used.shape[2])
    sizes = cv2.resize(inside, (columns, len(used)), interpolation=cv2.INTER_AREA).ravel()
    middles = used[:, _STRIP // 2, _BLOCK // 2 :: _BLOCK].ravel()
    telling = sizes[(middles >= _TELLING[0]) & (middles <= _TELLING[1])]
    if len(telling) < len(sizes) / 2:  # what is left may be all texture
        return 0.0
    place = int(_FLAT * len(telling))
    return float(np.partition(telling, place)[place]) * _TO_SIGMA


def _border(grey: np.ndarray) -> float:
    height, width = grey.shape
    top, bottom = _bars(grey)
    if top + bottom >= height:
        return 0.0
    left, right = _bars(grey[top : height - bottom].T)
    if left + right >= width:
        return 0.0
    return float(1 - (height - top - bottom) * (width - left - right) / (height * width))


def _bars(grey: np.ndarray) -> tuple[int, int]:
    """How many lines at the upper and at the lower end are a bar; all and 0 for one colour."""
    upper = _even_lines(grey)
    if upper == len(grey):
        return upper, 0
    lower = _even_lines(grey[::-1])
    return (
        upper if _ends_straight(grey, upper) else 0,
        lower if _ends_straight(grey[::-1], lower) else 0,
    )


def _even_lines(grey: np.ndarray) -> int:
    colour = int(grey[0, 0])
    for number, line in enumerate(grey):
        if line.max() > colour + _EVEN or line.min() < colour - _EVEN:
            return number
    return len(grey)


def _ends_straight(grey: np.ndarray, lines: int) -> bool:
    """Whether what follows after a line or two differs from the bar along most of its length."""
    if lines == 0:
        return False
    inside = grey[min(lines + 2, len(grey) - 1)].astype(np.int16)
    return float((np.abs(inside - int(grey[0, 0])) > _EVEN).mean()) >= _CUT


def _text(grey: np.ndarray) -> float:
    factor = max(1, round(max(grey.shape) / _SIDE))
    down, right = grey.shape[0] // (factor * _CELL), grey.shape[1] // (factor * _CELL)
    if down < min(_TALL) or right < _WORD:
        return 0.0
    room = max(_TALL) + _QUIET
    padded = cv2.copyMakeBorder(
        _stroke_edges(grey, factor, down, right), room, room, 0, 0, cv2.BORDER_CONSTANT
    )
    # Of each word the weaker half: one strong edge in a quiet place is no word.
    halves = cv2.blur(padded, (_HALF, 1))[:, _HALF // 2 : right - _HALF // 2]
    words = np.minimum(halves[:, :-_HALF], halves[:, _HALF:])
    around, lines = _from_each_row(words, _QUIET), 0.0
    for tall in _TALL:
        inner = _from_each_row(words, tall)[_QUIET:-room]
        above, below = around[: len(inner)], around[_QUIET + tall :][: len(inner)]
        lines = max(lines, float((inner - np.maximum(above, below)).max()))
    return lines / 255


def _stroke_edges(grey: np.ndarray, factor: int, down: int, right: int) -> np.ndarray:
    """float32 (down, right): share of each cell, 0 to 255, that lies on upright edges."""
    small = grey[: down * _CELL * factor, : right * _CELL * factor]
    if factor > 1:
        size = right * _CELL, down * _CELL
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    strokes = np.zeros_like(small)
    across = cv2.absdiff(small[:, 2:], small[:, :-2])
    strokes[:, 1:-1] = cv2.threshold(across, _STROKE, 255, cv2.THRESH_BINARY)[1]
    for part in (2, 1):  # twice by two takes a third of the time of once by four
        strokes = cv2.resize(strokes, (right * part, down * part), interpolation=cv2.INTER_AREA)
    return np.asarray(strokes, np.float32)


def _from_each_row(cells: np.ndarray, tall: int) -> np.ndarray:
    """Means over `tall` rows, from each row downwards."""
    return np.asarray(cv2.blur(cells, (1, tall), anchor=(0, 0)))
