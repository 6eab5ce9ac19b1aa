"""Daft's native runner: reading, working and committing overlap, in bounded memory."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from .daft_rows import daft_rows, load_daft
from .engine import EngineOptions
from .stage import Stage

__all__ = ["run_native"]


def run_native(
    stage: Stage,
    shards: Sequence[Path],
    options: EngineOptions,  # noqa: ARG001  there is nothing to choose
) -> Iterator[pa.RecordBatch]:
    """Run the stage over listing shards; batches come as they are ready."""
    daft = load_daft()
    with suppress(daft.exceptions.DaftCoreException):  # it is set once a process, and stays
        daft.set_runner_native()
    return daft_rows(stage, shards)
