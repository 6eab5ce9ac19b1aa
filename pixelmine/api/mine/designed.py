"""Designed features of a collection's pictures: computed once, kept in its tables.

For pictures of few pixels (digits, icons, scans of letters), which a network that was trained on
photographs sees only enlarged. What is taken is the directions of gradients in 7 x 7 cells.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.work import Commits
from pixelmine.core import Limits, Reason
from pixelmine.core.ids import digest
from pixelmine.core.processors import processors
from pixelmine.core.progress import Progress
from pixelmine.features.hog import Hog
from pixelmine.features.vector import SMALLEST, describe
from pixelmine.input import read
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.store import Collection, Table

__all__ = ["DESIGNED", "designed_vectors"]

DESIGNED = Hog(cells=7, orientations=12, signed=True, block=1, side=128)
"""As the recipe `linear-features` has it, without overlapping blocks: 588 numbers."""

_AT_A_TIME = 1024


def designed_vectors(
    collection: Collection, rows: pa.Table, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """The features of those of N pictures that can be read: int64 (M,) places, float32 (M, D).

    `rows`: as `pile.read_pictures` gives them. Those that have none yet are read and described.
    """
    table = collection.features(_producer(collection), DESIGNED.dimensions)
    wanted = rows["picture_id"].combine_chunks()
    names = _names(table)
    new = rows.filter(pc.invert(pc.is_in(wanted, value_set=names)))
    if new.num_rows:
        progress.start("describe", new.num_rows)
        commits = Commits(table.insert_new)
        for batch, bad in _described(collection, new.to_pylist(), table.schema):
            commits.add(batch)
            progress.advance(batch.num_rows + bad, bad)
        commits.flush()
        table.index()
        progress.finish()
    return _read(table, wanted)


def _producer(collection: Collection) -> str:
    return digest(DESIGNED.producer, str(collection.settings["decode"]))


def _names(table: Table) -> pa.Array:
    found = table.read(["picture_id"])["picture_id"]
    return found.combine_chunks()


def _described(
    collection: Collection, rows: Sequence[dict[str, Any]], schema: pa.Schema
) -> Iterator[tuple[pa.RecordBatch, int]]:
    rule = DecodeOptions(rule=collection.settings["decode"])
    limits = Limits()

    def work(row: dict[str, Any]) -> np.ndarray | None:
        data = read({**row, "reason": None}, limits, collection.bytes)
        picture = data if isinstance(data, Reason) else decode(data, rule, limits, row["frame"])
        if isinstance(picture, Reason) or min(picture.pixels.shape[:2]) < SMALLEST:
            return None
        return describe(picture.pixels, [DESIGNED])

    with ThreadPoolExecutor(processors(), "describe") as pool:
        for start in range(0, len(rows), _AT_A_TIME):
            some = rows[start : start + _AT_A_TIME]
            found = list(pool.map(work, some))
            good = [(r["picture_id"], v) for r, v in zip(some, found, strict=True) if v is not None]
            values = np.concatenate([np.empty(0, np.float32), *(v for _, v in good)])
            columns = [
                pa.array([name for name, _ in good], pa.string()),
                pa.FixedSizeListArray.from_arrays(pa.array(values), DESIGNED.dimensions),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema), len(some) - len(good)


def _read(table: Table, wanted: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    places, parts = [], []
    for batch in table.scan(["picture_id", "values"]):
        at = pc.index_in(batch["picture_id"], value_set=wanted)
        inside = pc.is_valid(at)
        if not pc.any(inside).as_py():
            continue
        kept = batch.filter(inside)
        places.append(pc.drop_null(at).to_numpy().astype(np.int64))
        parts.append(kept["values"].flatten().to_numpy().reshape(kept.num_rows, -1))
    if not parts:
        return np.empty(0, np.int64), np.empty((0, DESIGNED.dimensions), np.float32)
    place = np.concatenate(places)
    order = np.argsort(place)
    return place[order], np.concatenate(parts)[order]
