"""What a detector finds: boxes in pixels, and how sure it is that these are all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["Box", "Found", "Verdict"]

Verdict = Literal["found", "none", "unsure"]


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of one picture, in its pixels after orientation; the origin is its upper left.

    `kind`: what it holds, as "face", "text" or "plate". It covers the columns x0 <= x < x1 and the
    rows y0 <= y < y1; edges may lie between pixels, and outside of the picture. `score`: from 0 to
    1. `text`: what was read in it. `points`: (x, y) pairs; of a face its left eye, right eye, nose
    and left and right corner of the mouth, left and right as one looks at the picture.

    Raises UsageError for edges that are not in order or not finite, and for another score.
    """

    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    text: str | None = field(default=None, repr=False)
    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        edges = (self.x0, self.y0, self.x1, self.y1)
        if not (np.isfinite(edges).all() and self.x0 < self.x1 and self.y0 < self.y1):
            raise UsageError(f"A box needs x0 < x1 and y0 < y1, in pixels. Got {edges} instead.")
        if not 0 <= self.score <= 1:
            raise UsageError(f"The score of a box is from 0 to 1. Got {self.score:g} instead.")

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1."""
        return self.x0, self.y0, self.x1, self.y1


@dataclass(frozen=True)
class Found:
    """What one detector found in one picture; best first.

    `boxes`: those with the detector's working score or more. `unsure`: what may be one too, with a
    lower score, for a person to look at.
    """

    boxes: tuple[Box, ...] = ()
    unsure: tuple[Box, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Where a person has to look "unsure", whatever else was found; or "found", or "none"."""
        if self.unsure:
            return "unsure"
        return "found" if self.boxes else "none"

    @classmethod
    def split(cls, boxes: Iterable[Box], *, working: float, low: float) -> "Found":
        """Sort candidates by the score that counts (`working`) and the one to look at (`low`)."""
        ordered = sorted(boxes, key=lambda box: (-box.score, box.edges))
        return cls(
            tuple(box for box in ordered if box.score >= working),
            tuple(box for box in ordered if low <= box.score < working),
        )

    @property
    def edges(self) -> np.ndarray:
        """Of `boxes`: x0, y0, x1, y1, float64 (N, 4)."""
        return np.array([box.edges for box in self.boxes], np.float64).reshape(-1, 4)
