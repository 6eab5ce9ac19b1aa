"""A stage as a Daft query: the same for one machine and for a cluster."""

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.schema import LISTING

from .engine import RunShards
from .stage import BATCH_ROWS, Stage, Work

__all__ = ["daft_engine", "load_daft"]

_GLOB = re.compile(r"([*?\[\]{}\\])")
"""What Daft takes for a pattern in a path, unless a backslash stands before it."""

_OPENED: dict[str, Work] = {}
"""What this process opened for a run: once, though each query, and now and then two threads of one,
make an instance of the class; closed by us, since Daft lets go of a class whenever it likes."""

_OPENING = threading.Lock()


def load_daft() -> Any:
    """The module, told to keep quiet and to call nobody."""
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("DAFT_SHOW_QUERY_ID", "0")
    import daft

    return daft


@contextmanager
def daft_engine(stage: Stage, here: bool = False) -> Iterator[RunShards]:
    """Run the stage over listing shards on the runner that is set.

    `here`: it runs in this process, and can be opened now: what it starts then starts meanwhile.
    """
    token = uuid4().hex
    try:
        if here:
            _open_once(stage, token)
        yield partial(_rows, stage, token)
    finally:
        with _OPENING:
            opened = _OPENED.pop(token, None)
        if opened is not None:
            opened.close()


def _rows(stage: Stage, token: str, shards: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    if not shards:
        return
    daft = load_daft()
    work = _worker(stage, token)
    rows = daft.read_parquet([_GLOB.sub(r"\\\1", str(shard)) for shard in shards])
    columns = (daft.col(name) for name in LISTING.names)
    done = rows.select(daft.functions.explode(work(*columns)).alias("row"))
    for batch in done.select(daft.col("row").unnest()).to_arrow_iter():
        yield batch.cast(stage.schema)


def _worker(stage: Stage, token: str) -> Any:
    """One instance in this process, called by several of Daft's threads at once.

    `max_concurrency` is left out: it would move the work to a child process, and every vector
    through a pipe. A row gives the list of its frames, which is then taken apart.
    """
    daft = load_daft()
    returns = daft.DataType.from_arrow_type(pa.list_(pa.struct(list(stage.schema))))

    @daft.cls(use_process=False)
    class Worker:
        def __init__(self) -> None:
            self.work = _open_once(stage, token)

        @daft.method.batch(return_dtype=returns, batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator]  # daft has no types
        def run(self, *columns: Any) -> pa.Array:
            arrays = [column.to_arrow() for column in columns]
            rows = pa.RecordBatch.from_arrays(arrays, names=LISTING.names).cast(LISTING)
            return by_row(rows, self.work(rows))

    return Worker().run


def _open_once(stage: Stage, token: str) -> Work:
    with _OPENING:
        if token not in _OPENED:
            _OPENED[token] = stage.open()
        return _OPENED[token]


def by_row(rows: pa.RecordBatch, found: pa.RecordBatch) -> pa.Array:
    """What was found, as a list for each of `rows`: a row that was listed begins a new one."""
    listed = pc.is_in(found["row_id"], value_set=rows["row_id"])
    starts = np.flatnonzero(listed.to_numpy(zero_copy_only=False))
    offsets = pa.array(np.append(starts, found.num_rows), pa.int32())
    return pa.ListArray.from_arrays(offsets, found.to_struct_array())
