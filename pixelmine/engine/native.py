"""Daft's native runner: reading, working and committing overlap, in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .daft_rows import daft_engine, load_daft
from .engine import EngineOptions, RunShards
from .stage import Stage

__all__ = ["open_native"]


@contextmanager
def open_native(
    stage: Stage,
    options: EngineOptions,  # noqa: ARG001  there is nothing to choose
) -> Iterator[RunShards]:
    """Run the stage over listing shards; batches come as they are ready."""
    with daft_engine(stage, here=True) as run:
        daft = load_daft()
        with suppress(daft.exceptions.DaftCoreException):  # it is set once a process, and stays
            daft.set_runner_native()
        yield run
