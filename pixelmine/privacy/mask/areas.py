"""From boxes to the pixels that they cover."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pixelmine.core.errors import UsageError
from pixelmine.detect.box import Box

__all__ = ["Area", "areas", "to_stored"]


@dataclass(frozen=True, kw_only=True)
class Area:
    """The pixels of columns x0 <= x < x1 and rows y0 <= y < y1: at least one, all in the picture.

    `left`, `top`, `side`: the grown box before it was clipped, its longer side in pixels.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    left: float
    top: float
    side: float


def areas(boxes: Iterable[Box], grow: float, *, width: int, height: int) -> list[Area]:
    """Every pixel that a grown box touches, box by box; none for a box outside of the picture.

    `grow`: times, about the box's middle. Raises UsageError for edges that are not finite or not in
    order, as a detector that failed might give them: such a box would mask nothing.
    """
    found = []
    for box in boxes:
        edges = box.x0, box.y0, box.x1, box.y1
        if not (all(map(math.isfinite, edges)) and box.x0 < box.x1 and box.y0 < box.y1):
            raise UsageError(
                f"A box to be masked needs x0 < x1 and y0 < y1, in pixels. Got {edges} instead."
            )
        left, right = _grown(box.x0, box.x1, grow)
        top, bottom = _grown(box.y0, box.y1, grow)
        x0, x1 = _clipped(left, right, width)
        y0, y1 = _clipped(top, bottom, height)
        if x0 < x1 and y0 < y1:
            side = max(right - left, bottom - top)
            found.append(Area(x0=x0, y0=y0, x1=x1, y1=y1, left=left, top=top, side=side))
    return found


def _grown(low: float, high: float, grow: float) -> tuple[float, float]:
    middle, half = low / 2 + high / 2, (high / 2 - low / 2) * grow
    # Far outside of any picture nothing changes, and no sum overflows.
    return max(min(low, middle - half), -_FAR), min(max(high, middle + half), _FAR)


def _clipped(low: float, high: float, size: int) -> tuple[int, int]:
    return math.floor(max(low, 0)), math.ceil(min(high, size))


_FAR = 1e9

_TO_STORED: dict[int, Callable[[float, float, float, float], tuple[float, float]]] = {
    2: lambda x, y, w, _: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, _, h: (x, h - y),
    5: lambda x, y, _w, _h: (y, x),
    6: lambda x, y, _, h: (y, h - x),
    7: lambda x, y, w, h: (w - y, h - x),
    8: lambda x, y, w, _: (w - y, x),
}


def to_stored(box: Box, orientation: int, width: int, height: int) -> Box:
    """The box in the pixels as a file stores them, of one in the upright picture.

    `orientation`: EXIF tag 274, 1 to 8; others change nothing. `width`, `height`: in pixels, as
    stored, before orientation. Its `points` are left out. Source: Exif 3.0 (CIPA DC-008).
    """
    if orientation not in _TO_STORED:
        return replace(box, points=())
    point = _TO_STORED[orientation]
    ends = [point(x, y, width, height) for x, y in ((box.x0, box.y0), (box.x1, box.y1))]
    (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*ends, strict=True))
    return replace(box, x0=x0, y0=y0, x1=x1, y1=y1, points=())
