"""Running a stage over what remains of a run: the loop that predict and ingest share."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa

from pixelmine.core import FAILED, Reason
from pixelmine.core.progress import Progress
from pixelmine.engine import EngineOptions, Keys, Run, Stage, open_engine
from pixelmine.output import Delivered

__all__ = ["Commits", "Counts", "work_through"]


@dataclass
class Counts:
    """How many rows came to what. `rows` = `ok` + `failed`, always.

    `items`: files and members, of which one may be several rows (frames).
    """

    rows: int = 0
    items: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, delivered: Delivered) -> Self:
        """From what a sink delivered."""
        reasons = delivered.reasons
        failed = Counter({str(name): n for name, n in reasons.items() if name is not None})
        return cls(reasons.total(), delivered.items, failed.total(), failed)

    @property
    def ok(self) -> int:
        """Rows with an answer."""
        return self.rows - self.failed

    def add(self, rows: pa.RecordBatch | pa.Table) -> int:
        """Count a batch with `status` and `reason`; gives the number that failed."""
        failed = Counter(reason for reason in rows["reason"].to_pylist() if reason is not None)
        self.rows += rows.num_rows
        self.items += rows["frame"].to_pylist().count(0)
        self.failed += failed.total()
        self.reasons.update(failed)
        return failed.total()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        reasons = {str(Reason(name)): count for name, count in self.reasons.most_common()}
        return {"rows": self.rows, "ok": self.ok, "failed": self.failed, "reasons": reasons}


def work_through(
    run: Run,
    stage: Stage,
    done: Callable[[], Iterable[pa.RecordBatch]],
    engine: EngineOptions,
    progress: Progress,
    phase: str,
    flush: Callable[[], None],
) -> Iterator[pa.RecordBatch]:
    """Run the stage over the rows of a run that are not done, telling how far it is.

    `done`: gives the DONE_KEY of rows whose results are committed. `flush`: commits all batches
    that were given; a group of shards is then done for good.
    """
    keys = Keys(done())
    left = run.left()
    progress.start(phase, left)
    with open_engine(stage, left, engine) as run_shards:
        for shards in run.groups():
            with run.remaining(shards, keys) as (paths, rows):
                progress.advance(run.rows_of(shards) - rows)
                for batch in run_shards(paths) if rows else ():
                    yield batch
                    bad = sum(status == FAILED for status in batch["status"].to_pylist())
                    progress.advance(batch["frame"].to_pylist().count(0), bad)
            flush()
            run.mark(shards)
    progress.finish()


class Commits:
    """Batches that are committed together: at most `ROWS` rows or `SECONDS` at a time.

    Each commit is a version of a table; too many small ones make it slow to open.
    """

    ROWS = 5_000
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
