"""Results for whoever called: shown as they come, or kept in memory."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.schema import RESULTS

from .file import Reasons

__all__ = ["CallerSink"]


class CallerSink:
    """Hands each batch of RESULTS to `show`; without one it keeps them in `table`."""

    def __init__(self, show: Callable[[pa.RecordBatch], None] | None) -> None:
        self._show = show
        self._kept: list[pa.RecordBatch] = []
        self._delivered: Reasons = Counter()

    def start(self) -> set[tuple[Any, ...]]:
        """Nothing is remembered."""
        return set()

    def restart(self) -> None:
        """Nothing to forget."""

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Show or keep."""
        if not isinstance(rows, Cleared):
            raise TypeError("a sink takes only what core.clear let through.")
        batch = rows.item.select(RESULTS.names)
        self._delivered.update(batch["reason"].to_pylist())
        if self._show is not None:
            self._show(batch)
        else:
            self._kept.append(batch)

    def finish(self, listed: Iterable[str]) -> Reasons:  # noqa: ARG002  all was delivered at once
        """Give the counts."""
        return self._delivered

    @property
    def table(self) -> pa.Table | None:
        """The rows that were kept, sorted by row_id; None where they were shown."""
        if self._show is not None:
            return None
        return pa.Table.from_batches(self._kept, RESULTS).sort_by("row_id")
