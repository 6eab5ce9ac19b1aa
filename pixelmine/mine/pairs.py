"""Two pictures, and what says that they are one: the evidence of a pair, and its verdict."""

from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa

from pixelmine.features.pdq_turned import TURNS, Turn, turned_pixels

from .aligned import (
    Aligned,
    Look,
    align,
    colour_agreement,
    detail_correlation,
)

__all__ = [
    "COPIES",
    "DIFFERENT",
    "EDITED",
    "KINDS",
    "PAIRS",
    "PIXELS",
    "REENCODED",
    "RULES",
    "SCENE",
    "Evidence",
    "by_alignment",
    "by_overlay",
]

PIXELS, REENCODED, EDITED, SCENE = "pixels", "reencoded", "edited", "scene"
DIFFERENT = "different"
COPIES = (PIXELS, REENCODED, EDITED)
KINDS = (*COPIES, SCENE, DIFFERENT)

CORRELATION = 0.95
"""Of detail: of 750 planted crops, screenshots and copies with text all have more but 6, of 242
pairs of alike photographs whose keypoints agree 1 has, a garment shot twice (clothing, 2026-11)."""
COLOUR = 0.85
"""Of chroma: one garment in two colours is no copy, a filter that tints it is."""
INLIERS = 8
SURE_INLIERS = 60
"""So many agree whatever was done to the colours."""
SAME_LEVELS = 6.0
"""Of 255, mean difference: JPEG at quality 30 stays below, 10 % brighter does not."""
WRITTEN, WRITTEN_SHARE = 40, 0.005
"""Levels that a place may differ by, and the share of places that may differ by more: text does."""
SAME_CHROMA = 4.0
"""Of Lab's a and b, mean difference: JPEG at quality 30 stays below, a grey copy does not."""
SAME_SHAPE = 0.03
"""Relative difference of width to height that rounding of small sizes gives."""
_FLAT = 4.0
"""Levels, standard deviation: below it there is nothing to correlate."""

RULES = 1
"""Of this module and `mine.aligned`: pairs that were judged by others are judged anew."""

PAIRS = pa.schema(
    [
        pa.field("first", pa.string(), nullable=False),
        pa.field("second", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("found_by", pa.string(), nullable=False),
        pa.field("bits", pa.int16()),
        pa.field("cosine", pa.float32()),
        pa.field("correlation", pa.float32()),
        pa.field("colour", pa.float32()),
        pa.field("levels", pa.float32()),
        pa.field("inliers", pa.int32()),
        pa.field("overlap", pa.float32()),
        pa.field("scale", pa.float32()),
        pa.field("turned", pa.float32()),
        pa.field("turn", pa.string()),
    ]
)
"""Pairs of picture_ids, the smaller first. `kind`: of KINDS; `different` was looked at and is none.
`found_by`: `hash` or `embedding`. `bits`: of 256 that differ, of the turned hash where `turn` says
so. `cosine`: of embeddings. `correlation`: of detail, `colour`: of chroma, both -1 to 1. `levels`:
mean difference, 0 to 255. `inliers`: keypoints. `overlap`: 0 to 1. `scale`: how much larger the
first lies in the second. `turned`: degrees. `turn`: in words."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What two pictures have in common; see PAIRS for the units."""

    kind: str
    correlation: float
    colour: float | None
    levels: float | None = None
    inliers: int | None = None
    overlap: float | None = None
    scale: float | None = None
    turned: float | None = None
    turn: str = TURNS[0].words


def by_overlay(first: Look, second: Look, turn: Turn = TURNS[0]) -> Evidence:
    """Of two pictures whose hashes are near: the first turned and laid over the whole second."""
    grey, other = _fitted(first.small, turn, second.small), second.small
    has_levels = min(float(first.small.std()), float(other.std())) >= _FLAT
    agrees = 0.0
    if has_levels:
        agrees = detail_correlation(_fitted(first.detail, turn, second.detail), second.detail)
    colour, recoloured = None, (first.chroma is None) != (second.chroma is None)
    if first.chroma is not None and second.chroma is not None:
        laid = _fitted(first.chroma, turn, second.chroma)
        colour = colour_agreement(laid, second.chroma)
        off = np.abs(laid.astype(np.float32) - second.chroma).mean()
        recoloured = bool(off > SAME_CHROMA)
    off_levels = np.abs(grey.astype(np.int16) - other)
    levels, written_on = float(off_levels.mean()), float((off_levels > WRITTEN).mean())
    same = _same_shape(first.pixels, second.pixels) and not recoloured
    same = same and written_on <= WRITTEN_SHARE
    kind = DIFFERENT
    if levels <= SAME_LEVELS and same and turn == TURNS[0] and not _less(colour, COLOUR):
        kind = REENCODED if agrees >= CORRELATION or not has_levels else DIFFERENT
    elif agrees >= CORRELATION and not _less(colour, COLOUR):
        kind = EDITED
    return Evidence(kind=kind, correlation=agrees, colour=colour, levels=levels, turn=turn.words)


def by_alignment(first: Look, second: Look, *, mirror: bool = False) -> Evidence | None:
    """Of two pictures that may be parts of each other; None where nothing lies over anything.

    `mirror`: also whether the one, left to right, is the other.
    """
    found = _aligned(align(first, second), TURNS[0])
    if mirror and (found is None or found.kind == DIFFERENT):
        other = _aligned(align(first.mirrored, second), Turn(False, False, True))
        return other if other is not None and other.kind != DIFFERENT else found
    return found


def _aligned(found: Aligned | None, turn: Turn) -> Evidence | None:
    if found is None:
        return None
    return Evidence(
        kind=EDITED if _is_copy(found) else DIFFERENT,
        correlation=found.correlation,
        colour=found.colour,
        inliers=found.inliers,
        overlap=found.overlap,
        scale=found.scale,
        turned=found.turned,
        turn=turn.words,
    )


def _is_copy(found: Aligned) -> bool:
    if found.correlation < CORRELATION or found.inliers < INLIERS:
        return False
    return found.inliers >= SURE_INLIERS or not _less(found.colour, COLOUR)


def _less(colour: float | None, least: float) -> bool:
    return colour is not None and colour < least


def _same_shape(first: np.ndarray, second: np.ndarray) -> bool:
    one, other = (pixels.shape[1] / pixels.shape[0] for pixels in (first, second))
    # Of a picture of few pixels rounding alone moves the ratio by more.
    rounding = 1.0 / min(*first.shape[:2], *second.shape[:2])
    return bool(abs(one / other - 1) <= SAME_SHAPE + rounding)


def _fitted(picture: np.ndarray, turn: Turn, other: np.ndarray) -> np.ndarray:
    """A picture turned, and stretched to the size of the other."""
    turned = turned_pixels(picture, turn)
    height, width = other.shape[:2]
    if turned.shape[:2] == (height, width):
        return turned
    # int8 is nothing that OpenCV resizes.
    levels = turned.astype(np.float32) if turned.dtype == np.int8 else turned
    return np.asarray(cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR))
