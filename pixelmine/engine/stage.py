"""What an engine runs: a stage that knows nothing of engines."""

from typing import Protocol

import pyarrow as pa

__all__ = ["BATCH_ROWS", "Stage", "Work"]

BATCH_ROWS = 64
"""Rows handed to a stage at once: enough to keep every core busy, few enough that progress is seen
and a batch of decoded pictures stays under 25 MB."""


class Work(Protocol):
    """A loaded stage. Any number of threads may call it at once."""

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Take LISTING rows; give the stage's rows: all frames of each, at least one."""
        ...

    def close(self) -> None:
        """End processes and threads. May be called twice."""
        ...


class Stage(Protocol):
    """A small picklable description of work; `open` loads what is heavy, where it will run."""

    @property
    def schema(self) -> pa.Schema:
        """Of the batches that come out; known before anything is loaded."""
        ...

    def open(self) -> Work:
        """Load, and give the function from a batch of listing rows to result rows."""
        ...
