"""A small stage, and listings for it."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from pixelmine.core.errors import ModelError
from pixelmine.core.schema import LISTING
from pixelmine.engine.stage import BATCH_ROWS

DONE = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("said", pa.string()),
        pa.field("halves", pa.list_(pa.float32(), 2)),
    ]
)


@dataclass(frozen=True)
class Say:
    """Says what a row holds. `fail`: `open`, or the row_id at which to raise.

    `frames`: so many rows come of each. `closed`: a file that `close` makes.
    """

    fail: str | None = None
    frames: int = 1
    closed: str | None = None

    @property
    def schema(self):
        return DONE

    def open(self):
        if self.fail == "open":
            raise ModelError("the model is broken: file:///ünï")
        return self

    def close(self):
        if self.closed:
            Path(self.closed).touch()

    def __call__(self, rows):
        if not rows.schema.equals(LISTING) or not 0 < rows.num_rows <= BATCH_ROWS:
            raise TypeError(f"{rows.num_rows} rows of {rows.schema}")
        out = []
        for row in rows.to_pylist():
            if row["row_id"] == self.fail:
                raise LookupError(f"{row['row_id']} is odd")
            for frame in range(self.frames):
                out.append(
                    {
                        "row_id": row["row_id"] + (f" {frame}" if frame else ""),
                        "frame": frame,
                        "size": row["size"],
                        "said": repr([row["uri"], row["meta"], row["group"], row["data"]]),
                        "halves": [row["frame"] / 2, 0.25] if row["frame"] else None,
                    }
                )
        return pa.RecordBatch.from_pylist(out, DONE)


@pytest.fixture
def say():
    return Say


@pytest.fixture
def batches():
    def make(count, start=0, **more):
        rows = [
            {
                "row_id": f"row {n:06d}",
                "uri": f"file:///{n}",
                "member": "",
                "frame": n % 3,
                "size": n if n % 5 else None,
                "mtime_ns": n * 10**12 if n % 5 else None,
                "group": "g\n" if n % 2 else None,
                "meta": [("ä", "b")] if n % 4 else None,
                "reason": None if n % 5 else "not_found",
                "data": None if n % 7 else b"bytes %d" % n,
                **more,
            }
            for n in range(start, start + count)
        ]
        return [
            pa.RecordBatch.from_pylist(rows[n : n + 999], LISTING) for n in range(0, count, 999)
        ]

    return make


@pytest.fixture
def shards(tmp_path, batches):
    """Write listings of so many rows, a file each, into a folder of that name."""
    import pyarrow.parquet as pq

    def write(*counts, name="listing"):
        folder, paths = tmp_path / name, []
        folder.mkdir()
        for number, count in enumerate(counts):
            paths.append(folder / f"{number:06d}.parquet")
            table = pa.Table.from_batches(batches(count, 10_000 * number), LISTING)
            pq.write_table(table, paths[-1])
        return paths

    return write
