"""Results for whoever called: shown as they come, or kept in memory."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.schema import RESULTS

from .sink import Delivered, cleared

__all__ = ["CallerSink"]


class CallerSink:
    """Hands each batch of RESULTS to `show`; without one it keeps them in `table`."""

    def __init__(self, show: Callable[[pa.RecordBatch], None] | None) -> None:
        self._show = show
        self._kept: list[pa.RecordBatch] = []
        self._delivered = Delivered()

    def start(self) -> Iterator[pa.RecordBatch]:
        """Nothing is remembered."""
        return iter(())

    def restart(self) -> None:
        """Nothing to forget."""

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Show or keep."""
        batch = cleared(rows).select(RESULTS.names)
        self._delivered.add(batch)
        if self._show is not None:
            self._show(batch)
        else:
            self._kept.append(batch)

    def flush(self) -> None:
        """All was delivered at once."""

    def close(self) -> None:
        """Nothing is open."""

    def finish(self, listed: Iterable[str]) -> Delivered:  # noqa: ARG002  all was delivered at once
        """Give the counts."""
        return self._delivered

    @property
    def table(self) -> pa.Table | None:
        """The rows that were kept, sorted by row_id; None where they were shown."""
        if self._show is not None:
            return None
        return pa.Table.from_batches(self._kept, RESULTS).sort_by("row_id")
