"""The rows of the finding `duplicates`: a picture, its group, and what ties it to the middle."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.features.pdq_turned import TURNS, turned_hashes

__all__ = ["BYTES", "DUPLICATES", "MIDDLE", "TIERS", "diameter", "tier_counts"]

MIDDLE, BYTES = "middle", "bytes"
TIERS = (BYTES, "pixels", "reencoded", "edited")
"""Surest first: same bytes, same pixels, saved again or resized, edited."""

DUPLICATES = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("group_id", pa.int64(), nullable=False),
        pa.field("group_rows", pa.int32(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        pa.field("bits", pa.int16()),
        pa.field("cosine", pa.float32()),
        pa.field("correlation", pa.float32()),
        pa.field("colour", pa.float32()),
        pa.field("inliers", pa.int32()),
        pa.field("overlap", pa.float32()),
        pa.field("scale", pa.float32()),
        pa.field("turned", pa.float32()),
        pa.field("turn", pa.string()),
        pa.field("diameter", pa.int16()),
        pa.field("weakest", pa.float32()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("size", pa.int64()),
        pa.field("format", pa.string()),
    ]
)
"""A row for each row of a group of two or more. `group_id`: from 1, the largest group first.
`tier`: how the row is a copy of the group's middle: `middle` itself, `bytes`, or a kind of pair.
The evidence from `bits` to `turn`: see `mine.pairs.PAIRS`, the middle being the first; null for
the middle and its bytes. Of the whole group: `diameter`, bits between the two hashes that differ
most, turned as they fit best (a crop or a border has another hash altogether: up to 128);
`weakest`, the least correlation with the middle. `size`: of the file, in bytes."""


def diameter(hashes: np.ndarray, most: int = 64) -> int | None:
    """Bits between the two of uint8 (N, 32) hashes that differ most; None for fewer than 2.

    As they fit best of the eight ways to turn one. Of more than `most` hashes evenly chosen ones.
    """
    if len(hashes) > most:
        hashes = hashes[np.linspace(0, len(hashes) - 1, most).astype(np.int64)]
    if len(hashes) < 2:
        return None
    words = np.ascontiguousarray(hashes).view(np.uint64)
    best = np.full((len(hashes), len(hashes)), 256)
    for turn in TURNS:
        turned = np.ascontiguousarray(turned_hashes(hashes, turn)).view(np.uint64)
        bits = np.bitwise_count(turned[:, None] ^ words[None]).sum(axis=2, dtype=np.int64)
        best = np.minimum(best, bits)
    return int(best.max())


def tier_counts(tiers: list[Any]) -> dict[str, int]:
    """Copies by tier, surest first, those that there are."""
    counted = Counter(tiers)
    return {name: counted[name] for name in TIERS if counted[name]}
