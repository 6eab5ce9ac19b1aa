"""Answers as result rows: one row for each row in."""

from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import FAILED, OK, Reason
from pixelmine.core.schema import RESULTS
from pixelmine.models import Card
from pixelmine.runtime import Outputs

__all__ = ["recognised_schema", "result_rows"]


def recognised_schema(card: Card) -> pa.Schema:
    """RESULTS, and what a collection keeps besides: (K,) logits, (D,) embedding, file state."""
    return pa.schema(
        [
            *RESULTS,
            pa.field("size", pa.int64()),
            pa.field("mtime_ns", pa.int64()),
            pa.field("logits", pa.list_(pa.float32(), len(card.labels))),
            pa.field("embedding", pa.list_(pa.float32(), card.embedding_dimensions)),
        ]
    )


def result_rows(
    rows: pa.RecordBatch,
    pictures: list[tuple[str | None, Reason | None]],
    answers: list[dict[str, Any]],
    vectors: Outputs | None,
    card: Card,
) -> pa.RecordBatch:
    """Join N listing rows with what came of them.

    `pictures`: (picture_id, reason) of each row; a row without a reason has the next of the M
    `answers` (its `top` and `decision`) and of the M `vectors` (None: M = 0). Gives rows of
    `recognised_schema(card)`.
    """
    schema = recognised_schema(card)
    good = np.array([reason is None for _, reason in pictures], bool)
    at = pa.array(np.cumsum(good) - 1, mask=~good)
    found = {
        name: pa.array([a[name] for a in answers], RESULTS.field(name).type).take(at)
        for name in ("top", "decision")
    }
    columns = {
        **{name: rows[name] for name in ("row_id", "uri", "member", "frame", "size", "mtime_ns")},
        "picture_id": pa.array([picture for picture, _ in pictures], pa.string()),
        "status": pa.array(np.where(good, OK, FAILED), pa.string()),
        "reason": pa.array([reason for _, reason in pictures], pa.string()),
        **found,
        "model": pa.array([card.name] * len(good), pa.string()),
        "model_digest": pa.array([card.digest] * len(good), pa.string()),
    }
    if vectors is not None:
        for name, values in (("logits", vectors.logits), ("embedding", vectors.embedding)):
            columns[name] = _vectors(values, schema.field(name).type).take(at)
    arrays = [columns.get(f.name, pa.nulls(len(good), f.type)) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _vectors(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=kind)
