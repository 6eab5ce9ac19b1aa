"""Answers as result rows: one row for each row in."""

from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import OK
from pixelmine.core.schema import RESULTS
from pixelmine.models import Card
from pixelmine.runtime import Outputs

__all__ = ["recognised_schema", "result_rows"]

_PLACE = ("row_id", "uri", "member", "frame", "size", "mtime_ns")


def recognised_schema(card: Card, vectors: bool) -> pa.Schema:
    """RESULTS and the state of the file; with `vectors` (K,) logits and (D,) embedding too."""
    state = [pa.field("size", pa.int64()), pa.field("mtime_ns", pa.int64())]
    if vectors:
        state += [
            pa.field("logits", pa.list_(pa.float32(), len(card.labels))),
            pa.field("embedding", pa.list_(pa.float32(), card.embedding_dimensions)),
        ]
    return pa.schema([*RESULTS, *state])


def result_rows(
    seen: list[dict[str, Any]],
    answers: list[dict[str, Any]],
    vectors: Outputs | None,
    card: Card,
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Join N frames with what came of them.

    `seen`: of each frame its place (as LISTING), `picture_id`, `status` and `reason`; a frame that
    is `ok` has the next of the M `answers` (its `top`, `decision` and, where the model gives them,
    `set` and `ood`) and of the M `vectors` (None: M = 0). Gives rows of `schema`, see
    `recognised_schema`.
    """
    good = np.array([row["status"] == OK for row in seen], bool)
    at = pa.array(np.cumsum(good) - 1, mask=~good)
    columns = {
        name: pa.array([a.get(name) for a in answers], RESULTS.field(name).type).take(at)
        for name in ("top", "decision", "set", "ood")
    }
    for name in (*_PLACE, "picture_id", "status", "reason"):
        columns[name] = pa.array([row.get(name) for row in seen], schema.field(name).type)
    columns["model"] = pa.array([card.name] * len(good), pa.string())
    columns["model_digest"] = pa.array([card.digest] * len(good), pa.string())
    if vectors is not None and "logits" in schema.names:
        for name, values in (("logits", vectors.logits), ("embedding", vectors.embedding)):
            columns[name] = _vectors(values, schema.field(name).type).take(at)
    arrays = [columns.get(f.name, pa.nulls(len(good), f.type)) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _vectors(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, type=kind)
