"""The engine for few pictures: a plain loop in this process."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .engine import EngineOptions, RunShards
from .stage import BATCH_ROWS, Stage, Work

__all__ = ["open_local"]


@contextmanager
def open_local(
    stage: Stage,
    options: EngineOptions,  # noqa: ARG001  there is nothing to choose
) -> Iterator[RunShards]:
    """Run the stage over listing shards, in their order; it is opened with the first."""
    opened: list[Work] = []

    def run(shards: Sequence[Path]) -> Iterator[pa.RecordBatch]:
        for shard in shards:
            if not opened:
                opened.append(stack.enter_context(closing(stage.open())))
            with pq.ParquetFile(shard) as file:
                for batch in file.iter_batches(BATCH_ROWS):
                    yield opened[0](batch)

    with ExitStack() as stack:
        yield run
