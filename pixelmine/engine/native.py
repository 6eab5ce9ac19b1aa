"""Daft's native runner: reading, working and committing overlap, in bounded memory."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core.schema import LISTING

from .stage import BATCH_ROWS, Stage

__all__ = ["run_native"]

_GLOB = re.compile(r"([*?\[\]{}\\])")
"""What Daft takes for a pattern in a path, unless a backslash stands before it."""


def run_native(stage: Stage, shards: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """Run the stage over listing shards; batches come as they are ready."""
    if not shards:
        return
    os.environ.setdefault("DAFT_SHOW_QUERY_ID", "0")
    import daft
    from daft import col

    with suppress(daft.exceptions.DaftCoreException):  # it is set once a process, and stays
        daft.set_runner_native()
    work = _worker(stage)
    rows = daft.read_parquet([_GLOB.sub(r"\\\1", str(shard)) for shard in shards])
    done = rows.select(work(*(col(name) for name in LISTING.names)).alias("row"))
    for batch in done.select(col("row").unnest()).to_arrow_iter():
        yield batch.cast(stage.schema)


def _worker(stage: Stage) -> Any:
    """One instance in this process, called by several of Daft's threads at once.

    `max_concurrency` is left out: it would move the work to a child process, and every vector
    through a pipe.
    """
    import daft

    returns = daft.DataType.from_arrow_type(pa.struct(list(stage.schema)))

    @daft.cls(use_process=False)
    class Worker:
        def __init__(self) -> None:
            self.work = stage.open()

        @daft.method.batch(return_dtype=returns, batch_size=BATCH_ROWS)  # type: ignore[untyped-decorator]  # daft has no types
        def run(self, *columns: Any) -> pa.Array:
            arrays = [column.to_arrow() for column in columns]
            rows = pa.RecordBatch.from_arrays(arrays, names=LISTING.names).cast(LISTING)
            return self.work(rows).to_struct_array()

    return Worker().run
