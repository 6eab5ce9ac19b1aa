"""Shift pictures inside of their empty margin."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps.pad import check_level

from .augmentation import draw

__all__ = ["RandomShift"]

_MAX_PIXELS = 512


@dataclass(frozen=True, kw_only=True)
class RandomShift:
    """Shift by whole pixels, up to `pixels` each way, what lies free on an empty ground.

    The margin of a picture are the rows and columns at its edges whose levels are within
    `tolerance` of that of its upper left corner. Nothing goes further than its margin, so that
    nothing is cut off. A digit in the middle of a sheet moves; a photograph, which has no margin,
    and a thing that was cut out or scaled so that it touches an edge, stay where they are.
    """

    pixels: int = 2
    tolerance: int = 20

    def __post_init__(self) -> None:
        whole = isinstance(self.pixels, int) and not isinstance(self.pixels, bool)
        if not whole or not 1 <= self.pixels <= _MAX_PIXELS:
            raise UsageError(
                f"pixels must be a whole number, 1 to {_MAX_PIXELS}. Got {self.pixels!r}."
            )
        check_level("tolerance", self.tolerance)

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C)."""
        chance = draw(rng, len(batch), 2)
        corner = batch[:, :1, :1].astype(np.int16)
        content = np.max(np.abs(batch - corner), axis=3) > self.tolerance
        rows, columns = (_margins(np.max(content, axis=axis)) for axis in (2, 1))
        free = (np.minimum(rows, columns).min(axis=1) > 0)[:, None]
        down, right = (
            self._lines(np.where(free, margins, 0), chance[:, [place]], side)
            for place, (margins, side) in enumerate(
                zip((rows, columns), batch.shape[1:], strict=False)
            )
        )
        pictures = np.arange(len(batch))[:, None, None]
        return np.asarray(batch[pictures, down[:, :, None], right[:, None, :]])

    def _lines(self, margins: np.ndarray, chance: np.ndarray, side: int) -> np.ndarray:
        """Which line is to be where, int64 (N, side); what an edge loses comes in opposite."""
        before, after = np.split(np.minimum(margins, self.pixels), 2, axis=1)
        shift = np.floor(chance * (before + after + 1)).astype(int) - before
        return np.asarray((np.arange(side) - shift) % side)


def _margins(content: np.ndarray) -> np.ndarray:
    """Lines before the first and behind the last that has content, bool (N, S): int64 (N, 2).

    0 and 0 where none has any.
    """
    return np.stack([content.argmax(axis=1), content[:, ::-1].argmax(axis=1)], axis=1)
