"""The engine for few pictures: a plain loop in this process."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .engine import EngineOptions
from .stage import BATCH_ROWS, Stage

__all__ = ["run_local"]


def run_local(
    stage: Stage,
    shards: Sequence[Path],
    options: EngineOptions,  # noqa: ARG001  there is nothing to choose
) -> Iterator[pa.RecordBatch]:
    """Run the stage over listing shards, in their order."""
    with closing(stage.open()) as work:
        for shard in shards:
            with pq.ParquetFile(shard) as file:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield work(batch)
