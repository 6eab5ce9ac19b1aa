"""What an engine runs: a stage that knows nothing of engines."""

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa

__all__ = ["BATCH_ROWS", "Stage", "Work"]

BATCH_ROWS = 64
"""Rows handed to a stage at once: enough to keep every core busy, few enough that progress is seen
and a batch of decoded pictures stays under 25 MB."""

Work = Callable[[pa.RecordBatch], pa.RecordBatch]


class Stage(Protocol):
    """A small picklable description of work; `open` loads what is heavy, where it will run."""

    @property
    def schema(self) -> pa.Schema:
        """Of the batches that come out; known before anything is loaded."""
        ...

    def open(self) -> Work:
        """Load, and give the function from a batch of listing rows to as many result rows."""
        ...
