"""Small pictures for reports, each through the release gate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import Cleared, Limits, Policy, Reason, clear
from pixelmine.evaluate import Evaluation, Gallery, Mistake, Mistakes, MultiLabelEvaluation
from pixelmine.input import read
from pixelmine.preprocess import DecodeOptions, Resize, decode
from pixelmine.store import ByteStore

__all__ = ["Thumbnails", "gallery", "mistakes", "pair_mistakes"]

SIDE = 240
"""Short side in pixels; shown at half of that, sharp on a dense screen."""

SHOWN = 24


@dataclass(frozen=True)
class Thumbnails:
    """The thumbnail of the picture at a position: uint8 (H, W, 3) RGB."""

    at: Callable[[int], np.ndarray]

    @classmethod
    def of_rows(
        cls, rows: Sequence[Mapping[str, Any]], kept: ByteStore | None = None
    ) -> "Thumbnails":
        """Of rows of IMAGES or RESULTS, decoded when asked for; grey where one cannot be read.

        `kept`: the copies of what cannot be read again.
        """
        return cls(lambda index: _of_row(rows[index], kept))

    @classmethod
    def of_arrays(cls, pixels: np.ndarray) -> "Thumbnails":
        """Of uint8 (N, H, W) arrays, as they are."""
        return cls(lambda index: np.repeat(pixels[index][..., None], 3, axis=2))


def mistakes(
    evaluation: Evaluation | MultiLabelEvaluation, thumbnails: Thumbnails, policy: Policy
) -> Mistakes | None:
    """The worst mistakes with their pictures; None where there are none."""
    worst = evaluation.mistakes[:SHOWN]
    return _shown(worst, thumbnails, policy) if worst else None


def pair_mistakes(
    evaluation: Evaluation, thumbnails: Thumbnails, policy: Policy
) -> tuple[Mistakes, ...]:
    """The worst mistakes of each pair of classes that is mixed up most, with their pictures."""
    return tuple(_shown(pair, thumbnails, policy) for pair in evaluation.pair_mistakes)


def gallery(rows: pa.Table, policy: Policy, count: int = SHOWN) -> Gallery:
    """Recognised files with their answers; `rows`: RESULTS."""
    shown = rows.slice(0, count).combine_chunks()
    thumbnails = Thumbnails.of_rows(shown.to_pylist())
    pictures = [thumbnails.at(index) for index in range(shown.num_rows)]
    batch = shown.to_batches()[0]
    return Gallery(rows=clear(batch, policy), thumbnails=_cleared(pictures, policy))


def _shown(worst: Sequence[Mistake], thumbnails: Thumbnails, policy: Policy) -> Mistakes:
    names = ("uri", "truth", "answer", "probability")
    rows = [{name: getattr(mistake, name) for name in names} for mistake in worst]
    return Mistakes(
        rows=clear(pa.RecordBatch.from_pylist(rows), policy),
        thumbnails=_cleared([thumbnails.at(mistake.index) for mistake in worst], policy),
    )


def _cleared(pictures: list[np.ndarray], policy: Policy) -> tuple[Cleared[np.ndarray], ...]:
    return tuple(clear(picture, policy) for picture in pictures)


def _of_row(row: Mapping[str, Any], kept: ByteStore | None) -> np.ndarray:
    data = read(row, Limits(), kept)
    if isinstance(data, Reason):
        return np.full((SIDE, SIDE, 3), 200, np.uint8)
    picture = decode(data, DecodeOptions(rule="scaled-256"), Limits(), row["frame"])
    if isinstance(picture, Reason):
        return np.full((SIDE, SIDE, 3), 200, np.uint8)
    if min(picture.pixels.shape[:2]) <= SIDE:
        return picture.pixels
    return Resize(short_side=SIDE)(picture.pixels)
