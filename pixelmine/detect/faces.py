"""Find faces: CenterFace on a picture in tiles, at two scales, as it is and mirrored."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pixelmine.core.checks import check_fraction, check_positive
from pixelmine.core.errors import UsageError

from .box import Box, Found
from .centerface import COLUMNS, look
from .merge import merge
from .tiles import STEP, tiles

__all__ = ["FaceDetector"]

_MOST_ENLARGED = 4.0
"""Times, of a small picture: to enlarge it more adds no detail."""


@dataclass(frozen=True, kw_only=True)
class FaceDetector:
    """Finds faces. A description that can be pickled: weights are loaded when it first looks.

    `working`: the score from which a candidate is a face. `low`: the score from which a person has
    to look at it. Both were chosen by `benchmarks/faces.py --tune` (2026-11-28), which reports on
    other people in other photographs: at 0.4 nothing of 40 pixels was lost that 0.3 finds, with 4
    wrong boxes in 150 photographs for 10; from 0.25 to 0.4 there were 21 more, most of them wrong.
    `side`: pixels, of the tiles. `overlap`: pixels, which tiles share: larger faces are found in
    the picture as a whole, which is resized to fit one tile. `threads`: None for all processors.
    """

    working: float = 0.4
    low: float = 0.25
    side: int = 640
    overlap: int = 160
    threads: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("working", "low"):
            check_fraction(name, getattr(self, name))
        if self.low > self.working:
            raise UsageError(
                f"low must be at most working, {self.working:g}. Got {self.low:g} instead."
            )
        check_positive("side", self.side)
        if self.side % STEP:
            raise UsageError(f"side must be a multiple of {STEP} pixels. Got {self.side} instead.")
        if self.threads is not None:
            check_positive("threads", self.threads)
        check_positive("overlap", self.overlap, at_most=self.side // 2)

    def detect(self, pixels: np.ndarray) -> Found:
        """Faces in uint8 (H, W, 3), RGB, in its pixels; edges may lie a little outside of it.

        The answer depends on the picture alone, not on those before. Raises UsageError for another
        array, ModelError where the weights `centerface` are not on this machine.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise UsageError(
                f"A picture must be uint8 (H, W, 3). Got {pixels.dtype} {pixels.shape} instead."
            )
        seen = [np.empty((0, COLUMNS)), *self._look(pixels)]
        boxes = (_box(row) for row in merge(np.concatenate(seen)))
        return Found.split(boxes, working=self.working, low=self.low)

    def _look(self, pixels: np.ndarray) -> Iterator[np.ndarray]:
        for scale in self._scales(*pixels.shape[:2]):
            for tile in tiles(pixels, scale, self.side, self.overlap):
                found = look(tile.pixels, self.low, self.threads)
                found[:, [0, 2, *range(5, COLUMNS, 2)]] += tile.x
                found[:, [1, 3, *range(6, COLUMNS, 2)]] += tile.y
                x, y = (found[:, 0] + found[:, 2]) / 2, (found[:, 1] + found[:, 3]) / 2
                x0, y0, x1, y1 = tile.core
                found = found[(x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)]
                found[:, [0, 1, 2, 3, *range(5, COLUMNS)]] /= scale
                yield found

    def _scales(self, height: int, width: int) -> tuple[float, float]:
        """As it is, and whole in one tile; a second look at nearly the same size tells little."""
        whole = min(self.side / max(height, width), _MOST_ENLARGED)
        return 1.0, 0.75 if 0.9 < whole < 1.1 else whole


def _box(row: np.ndarray) -> Box:
    x0, y0, x1, y1, score = (float(value) for value in row[:5])
    points = tuple((float(x), float(y)) for x, y in row[5:].reshape(-1, 2))
    return Box(kind="face", x0=x0, y0=y0, x1=x1, y1=y1, score=min(score, 1.0), points=points)
