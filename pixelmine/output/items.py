"""Which rows belong together: all frames of one file or member are one item, named by frame 0."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import ids

from .prefix import prefixes

__all__ = ["item_keys", "last_writes", "newest", "with_items"]


def with_items(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Add `item`: null for a frame 0, else the row_id of its frame 0.

    That is the frame 0 before it with the same `uri` and `member`, so that it holds also where a
    policy has changed the URI; without one it is what `core.ids.row_id` says.
    """
    if "item" in rows.schema.names:
        return rows
    if pc.all(pc.equal(rows["frame"], 0)).as_py() is not False:
        return rows.append_column("item", pa.nulls(rows.num_rows, pa.string()))
    first: dict[tuple[Any, ...], str] = {}
    found: list[str | None] = []
    names = ("row_id", "frame", "uri", "member")
    for name, frame, *place in zip(*(rows[n].to_pylist() for n in names), strict=True):
        if frame == 0:
            first[tuple(place)] = name
            found.append(None)
        else:
            found.append(first.get(tuple(place)) or ids.row_id(*place))
    return rows.append_column("item", pa.array(found, pa.string()))


def item_keys(rows: pa.RecordBatch | pa.Table) -> np.ndarray:
    """The items of N rows with `row_id` and `item`, as (N,) `S16`."""
    return prefixes(pc.coalesce(rows["item"], rows["row_id"]))


def last_writes(writes: list[pa.RecordBatch]) -> pa.Table:
    """Rows sorted by row_id, each once: of each item those of its last write."""
    rows = pa.Table.from_batches(writes)
    turns = np.repeat(np.arange(len(writes)), [batch.num_rows for batch in writes])
    rows = rows.filter(pa.array(newest(item_keys(rows), turns)))
    rows = rows.take(pc.sort_indices(rows["row_id"]))  # stable: of two equals the later is last
    names = rows["row_id"].to_pylist()
    last = [name != after for name, after in zip(names, [*names[1:], None], strict=True)]
    return rows.filter(pa.array(last, pa.bool_()))


def newest(items: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Which of N rows were written in the last turn of their item: (N,) bool.

    `items`: (N,) `S16`. `turns`: (N,) integers that never fall. Works through a sixteenth of the
    items at a time, to hold little.
    """
    last = np.zeros(len(items), bool)
    first_bytes = np.ascontiguousarray(items).view(np.uint8)[::16] if len(items) else items
    for part in range(16 if len(items) else 0):
        at = np.flatnonzero(first_bytes >> 4 == part)
        at = at[np.argsort(items[at], kind="stable")]
        names = items[at]
        if len(names):
            ends = np.flatnonzero(np.append(names[1:] != names[:-1], True))
            final = np.repeat(turns[at[ends]], np.diff(ends, prepend=-1))
            last[at] = turns[at] == final
    return last
