"""The pictures that are nearest to one, as a finding keeps them beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["NEAR", "nearest_rows"]

NEAR = pa.list_(
    pa.struct(
        [
            pa.field("row_id", pa.string()),
            pa.field("label", pa.string()),
            pa.field("cosine", pa.float32()),
        ]
    )
)
"""Nearest first, each by its row with its label and cosine, -1 to 1."""

_SHOWN = 5


def nearest_rows(
    places: np.ndarray, cosines: np.ndarray, ids: Sequence[str], labels: Sequence[str | None]
) -> list[dict[str, Any]]:
    """The first five of int64 (K,) `places`, -1 for none, among pictures with `ids` and `labels`.

    `cosines`: float32 (K,), to each.
    """
    both = zip(places.tolist(), cosines.tolist(), strict=True)
    return [
        {"row_id": ids[at], "label": labels[at], "cosine": cosine} for at, cosine in both if at >= 0
    ][:_SHOWN]
