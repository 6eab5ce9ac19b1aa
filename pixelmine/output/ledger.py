"""What was delivered to a place that cannot be asked: numbered parts in the run's state folder.

A part is written after the place has taken the rows, so that a kill between the two delivers them
once more, under the same ids, and never loses one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import ids

from .items import item_keys
from .parts import FILED, Parts, read_part
from .prefix import Names, places, prefixes
from .sink import Delivered

__all__ = ["LEDGER", "Ledger"]

_KEY = ["row_id", "model_digest"]
_NAMES = ("row_id", "item", "frame", "size", "mtime_ns", "reason", "model_digest")

LEDGER = pa.schema(
    [
        *(FILED.field(name) for name in _NAMES),
        pa.field("refused", pa.bool_()),
    ]
)
"""A row for each delivery. `refused`: the receiver would not take it; it is tried again by the next
run."""


class Ledger:
    """Deliveries, oldest first; for an item that was delivered twice the last one counts."""

    def __init__(self, folder: Path) -> None:
        self._parts = Parts(folder, LEDGER)
        self._before = Parts(folder / "before", LEDGER)

    def append(
        self, rows: pa.Table, refused: np.ndarray | None = None, number: int | None = None
    ) -> None:
        """Note rows (FILED) as delivered, all frames of an item in one call, as the next part."""
        mask = np.zeros(rows.num_rows, bool) if refused is None else refused
        noted = rows.append_column("refused", pa.array(mask)).select(LEDGER.names)
        self._parts.folder.mkdir(parents=True, exist_ok=True)
        self._parts.put(1 + self.highest() if number is None else number, noted)

    def highest(self) -> int:
        """The newest part's number; 0 without any."""
        return self._parts.highest()

    def clear(self) -> None:
        """Forget that rows are done; `stale` still knows of them."""
        for path in self._parts.paths():
            self._before.folder.mkdir(exist_ok=True)
            path.rename(self._before.folder / f"{1 + self._before.highest():06d}.parquet")

    def wipe(self) -> None:
        """Forget all."""
        self._parts.clear()
        self._before.clear()

    def done(self) -> Iterator[pa.RecordBatch]:
        """DONE of the frames 0 of items that need not be delivered again."""
        again = [np.empty(0, "S16")]
        for path, right in self._parts.current():
            rows = read_part(path, ["row_id", "item", "refused"]).filter(pa.array(right))
            again.append(item_keys(rows.filter(rows["refused"])))
        refused = np.unique(np.concatenate(again))
        for batch in self._parts.done():
            yield batch.filter(pa.array(places(refused, prefixes(batch["row_id"])) < 0))

    def rows(self) -> Iterator[pa.Table]:
        """All deliveries that were taken, oldest first."""
        for path in self._parts.paths():
            rows = read_part(path, LEDGER.names)
            yield rows.filter(pc.invert(rows["refused"]))

    def delivered(self, listed: Names) -> Delivered:
        """Counts of the rows that are right and whose items are listed."""
        counts = Delivered()
        for path, right in self._parts.current(listed):
            rows = read_part(path, ["frame", "reason", "refused"]).filter(pa.array(right))
            counts.add(rows)
            counts.refused += pc.sum(rows["refused"]).as_py() or 0
        return counts

    def stale(self, listed: Names | None) -> Iterator[pa.Table]:
        """`row_id` and `model_digest` of rows that were delivered and are not of the result now.

        Without `listed`: that are of no item's last delivery.
        """
        current = list(self._parts.current(listed))
        before = (
            self._before.paths() if listed is not None else []
        )  # its rows may be on their way again
        if not before and all(right.all() for _, right in current):
            return
        keep = [np.empty(0, "S16")]
        keep += [_keys(read_part(path, _KEY))[right] for path, right in current]
        kept = np.sort(np.concatenate(keep))
        for path in [*before, *(path for path, right in current if not right.all())]:
            rows = read_part(path, _KEY)
            yield rows.filter(pa.array(places(kept, _keys(rows)) < 0))

    def forget(self, listed: Names | None) -> None:
        """Drop what `stale` gives."""
        if listed is not None:
            self._before.clear()
        for path, right in list(self._parts.current(listed)):
            if not right.any():
                path.unlink()
            elif not right.all():
                rows = read_part(path, LEDGER.names).filter(pa.array(right))
                self._parts.put(int(path.stem), rows)


def _keys(rows: pa.Table) -> np.ndarray:
    pairs = zip(*(rows[name].to_pylist() for name in _KEY), strict=True)
    return prefixes(pa.array([ids.digest(row, model or "") for row, model in pairs], pa.string()))
