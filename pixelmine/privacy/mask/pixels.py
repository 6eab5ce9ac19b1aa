"""Masks on pixels."""

from collections.abc import Iterable

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.detect.box import Box

from .areas import Area, areas
from .options import MaskOptions

__all__ = ["mask_pixels"]

_SMALLEST = 4.0
"""Pixels, of a mosaic's cell and of a blur's sigma: else the mask of a small box would be none."""


def mask_pixels(
    pixels: np.ndarray, boxes: Iterable[Box], options: MaskOptions | None = None
) -> np.ndarray:
    """A copy of uint8 (H, W, C) in which every pixel that a grown box touches is masked.

    C: 1 grey, 3 RGB, or 4 RGB and alpha, which becomes opaque in a filled area. `boxes`: in these
    pixels; a box may lie partly or wholly outside, and over another. All other pixels are the
    same, and none of them has a part in a mask. A `mosaic` or `blur` is made of the pixels that it
    hides, and is weaker than a `fill`: see MaskOptions, whose `weaker` says so.

    Raises UsageError for another shape or type, and for a box without an area.
    """
    options = options or MaskOptions()
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise UsageError(
            f"Pixels to be masked are uint8 (H, W, C) with C of 1, 3 or 4. "
            f"Got {pixels.dtype} {pixels.shape} instead."
        )
    height, width, channels = pixels.shape
    masked = pixels.copy()
    for area in areas(boxes, options.grow, width=width, height=height):
        part = masked[area.y0 : area.y1, area.x0 : area.x1]
        if options.style == "mosaic":
            part[:] = _mosaic(part, area, options.cells)
        elif options.style == "blur":
            part[:] = _blurred(part, max(options.sigma * area.side, _SMALLEST))
        else:
            part[:] = _colour(options, channels)
    return masked


def _colour(options: MaskOptions, channels: int) -> tuple[int, ...]:
    if channels == 1:
        return (options.luma,)
    return (*options.colour, 255)[:channels]


def _mosaic(part: np.ndarray, area: Area, cells: int) -> np.ndarray:
    """Square cells, each in the mean colour of its own pixels."""
    side = max(area.side / cells, _SMALLEST)
    rows = _cell_of(area.y0, area.y1, area.top, side, cells)
    columns = _cell_of(area.x0, area.x1, area.left, side, cells)
    firsts = [np.flatnonzero(np.diff(axis, prepend=-1)) for axis in (rows, columns)]
    sums = np.add.reduceat(part.astype(np.int64), firsts[0], axis=0)
    sums = np.add.reduceat(sums, firsts[1], axis=1)
    high = np.diff(firsts[0], append=len(rows))
    wide = np.diff(firsts[1], append=len(columns))
    counts = (high[:, None] * wide)[..., None]
    means = ((sums + counts // 2) // counts).astype(np.uint8)
    mosaic: np.ndarray = means.repeat(high, axis=0).repeat(wide, axis=1)
    return mosaic


def _cell_of(first: int, last: int, start: float, side: float, cells: int) -> np.ndarray:
    """Of each pixel's middle the cell that it lies in, int64, in order."""
    middles = np.arange(first, last) + 0.5
    cell: np.ndarray = np.clip(np.floor((middles - start) / side), 0, cells - 1).astype(np.int64)
    return cell


def _blurred(part: np.ndarray, sigma: float) -> np.ndarray:
    """Near a Gaussian: three means over boxes, at the same cost for any sigma.

    Source: W. M. Wells, Efficient synthesis of Gaussian filters by cascaded uniform filters, 1986:
    three boxes of odd side n have the variance (n^2 - 1) / 4.
    """
    import cv2

    side = 2 * round((np.sqrt(4 * sigma**2 + 1) - 1) / 2) + 1
    wide, high = (min(side, 2 * size - 1) for size in (part.shape[1], part.shape[0]))
    blurred = np.ascontiguousarray(part)
    for _ in range(3):
        blurred = cv2.blur(blurred, (wide, high), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred).reshape(part.shape)
