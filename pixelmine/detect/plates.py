"""Find number plates: lines of text that read and look like one.

A user's own detector of plates (`own_model`) has the same verb and takes the place of this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from pixelmine.core.checks import check_fraction
from pixelmine.core.errors import UsageError

from .box import Found
from .plate_rules import is_like_a_plate
from .text import TextDetector, TextOptions, as_colour
from .text_regions import Region

__all__ = ["PlateDetector", "PlateOptions", "plates_among"]


@dataclass(frozen=True, kw_only=True)
class PlateOptions:
    """What counts as a plate; scores are the smaller of finding the line and of reading it.

    `working`: the least score of a plate. `low`: from here to `working` a person has to look.
    """

    working: float = 0.6
    low: float = 0.4

    def __post_init__(self) -> None:
        check_fraction("working", self.working)
        check_fraction("low", self.low)
        if self.low > self.working:
            raise UsageError(
                f"low must be at most working, {self.working:g}. Got {self.low:g} instead."
            )


class PlateDetector:
    """Finds lines that are like a number plate (`plate_rules`). A plate of two rows is not found.

    What cannot be read is no plate here; where that may not happen, mask all text, or bring a
    detector of plates. `threads`: None for all processors of this process. Raises ModelError where
    the package with the networks is missing.
    """

    def __init__(self, options: PlateOptions | None = None, threads: int | None = None) -> None:
        self._options = options or PlateOptions()
        low = min(self._options.low, TextOptions().working)
        self._lines = TextDetector(TextOptions(low=low), threads)

    def detect(self, pixels: np.ndarray) -> Found:
        """Boxes of kind "plate" in a picture, uint8 (H, W, 3) RGB, after orientation.

        A slanted plate is several boxes; the first of them has its text and its corners. Raises
        UsageError for other pixels.
        """
        boxes = [box for plate in self.plates(pixels) for box in plate.boxes("plate")]
        return Found.split(boxes, working=self._options.working, low=self._options.low)

    def plates(self, pixels: np.ndarray) -> list[Region]:
        """Lines that are like a plate, with any score, from top to bottom."""
        pixels = as_colour(pixels)
        return plates_among(
            self._lines.reader.read(pixels, line) for line in self._lines.regions(pixels)
        )


def plates_among(lines: Iterable[Region]) -> list[Region]:
    """Of lines that were read those that are like a plate, with the smaller of their scores."""
    return [
        replace(line, score=min(line.score, line.reading))
        for line in lines
        if line.text is not None and is_like_a_plate(line.text, *line.size)
    ]
