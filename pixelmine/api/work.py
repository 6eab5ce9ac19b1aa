"""Running a stage over what remains of a run: the loop that predict and ingest share."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa

from pixelmine.core import FAILED, Reason
from pixelmine.core.progress import Progress
from pixelmine.engine import Run, Stage, run_stage
from pixelmine.output import Reasons

__all__ = ["Commits", "Counts", "work_through"]


@dataclass
class Counts:
    """How many rows came to what. `rows` = `ok` + `failed`, always."""

    rows: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, reasons: Reasons) -> Self:
        """From how many rows were delivered for each reason (None: with an answer)."""
        failed = Counter({str(name): n for name, n in reasons.items() if name is not None})
        return cls(reasons.total(), failed.total(), failed)

    @property
    def ok(self) -> int:
        """Rows with an answer."""
        return self.rows - self.failed

    def add(self, rows: pa.RecordBatch | pa.Table) -> int:
        """Count a batch with `status` and `reason`; gives the number that failed."""
        failed = Counter(reason for reason in rows["reason"].to_pylist() if reason is not None)
        self.rows += rows.num_rows
        self.failed += failed.total()
        self.reasons.update(failed)
        return failed.total()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        reasons = {str(Reason(name)): count for name, count in self.reasons.most_common()}
        return {"rows": self.rows, "ok": self.ok, "failed": self.failed, "reasons": reasons}


def work_through(
    run: Run, stage: Stage, done: Set[tuple[Any, ...]], engine: str, progress: Progress, phase: str
) -> Iterator[pa.RecordBatch]:
    """Run the stage over the rows of a run that are not done, telling how far it is."""
    with run.remaining(done) as (shards, rows):
        progress.start(phase, rows)
        for batch in run_stage(stage, shards, rows, engine) if rows else ():
            yield batch
            bad = sum(status == FAILED for status in batch["status"].to_pylist())
            progress.advance(batch.num_rows, bad)
        progress.finish()


class Commits:
    """Batches that are committed together: at most `ROWS` rows or `SECONDS` at a time.

    Each commit is a version of a table; too many small ones make it slow to open.
    """

    ROWS = 50_000
    SECONDS = 30.0

    def __init__(self, commit: Callable[[pa.Table], None]) -> None:
        self._commit = commit
        self._pending: list[pa.RecordBatch] = []
        self._since = time.monotonic()

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows; commit when enough have come together."""
        self._pending.append(rows)
        waiting = sum(batch.num_rows for batch in self._pending)
        if waiting >= self.ROWS or time.monotonic() - self._since >= self.SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit what is pending."""
        if self._pending:
            self._commit(pa.Table.from_batches(self._pending))
        self._pending, self._since = [], time.monotonic()
