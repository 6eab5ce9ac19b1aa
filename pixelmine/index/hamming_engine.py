"""The Hamming join on an engine: a piece of it is a row, wherever that is worked on.

The hashes lie in files that every worker can read; a piece gives its near pairs as one row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core.schema import LISTING
from pixelmine.engine import EngineOptions, open_engine

from .hamming import PDQ_RADIUS, check_join, piece, pieces

__all__ = ["JoinPieces", "near_pairs_by_engine"]

_FOUND = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("first", pa.list_(pa.int64())),
        pa.field("second", pa.list_(pa.int64())),
        pa.field("distance", pa.list_(pa.int64())),
    ]
)


@dataclass(frozen=True, kw_only=True)
class JoinPieces:
    """Stage: rows whose `frame` is the number of a piece, to rows of its near pairs.

    `hashes`, `others`: .npy files of uint8 (N, 32).
    """

    hashes: str
    others: str | None
    radius: int

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that come out."""
        return _FOUND

    def open(self) -> "_Joining":
        """Map the hashes into memory, where it will run."""
        return _Joining(self)


class _Joining:
    def __init__(self, stage: JoinPieces) -> None:
        self.radius = stage.radius
        self.hashes = np.load(stage.hashes, mmap_mode="r", allow_pickle=False)
        self.others = (
            np.load(stage.others, mmap_mode="r", allow_pickle=False) if stage.others else None
        )

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        found = [
            {"row_id": name, **self._piece(number)}
            for name, number in zip(
                rows["row_id"].to_pylist(), rows["frame"].to_pylist(), strict=True
            )
        ]
        return pa.RecordBatch.from_pylist(found, _FOUND)

    def _piece(self, number: int) -> dict[str, np.ndarray]:
        pairs, distances = [np.empty((0, 2), np.int64)], [np.empty(0, np.int64)]
        for some, far in piece(self.hashes, self.radius, number, self.others):
            pairs.append(some)
            distances.append(far)
        first, second = np.concatenate(pairs).T
        return {"first": first, "second": second, "distance": np.concatenate(distances)}

    def close(self) -> None:
        """Nothing is open."""


def near_pairs_by_engine(
    hashes: np.ndarray,
    radius: int = PDQ_RADIUS,
    *,
    others: np.ndarray | None = None,
    folder: Path,
    engine: EngineOptions,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What `near_pair_blocks` gives, a block a piece, worked out by an engine.

    `folder`: an empty one that every worker can read and that can go afterwards. On one machine
    `near_pair_blocks` is as fast: it takes all cores itself. Raises UsageError.
    """
    check_join(hashes, radius, others)
    np.save(folder / "hashes.npy", np.ascontiguousarray(hashes), allow_pickle=False)
    if others is not None:
        np.save(folder / "others.npy", np.ascontiguousarray(others), allow_pickle=False)
    stage = JoinPieces(
        hashes=str(folder / "hashes.npy"),
        others=str(folder / "others.npy") if others is not None else None,
        radius=radius,
    )
    shards = []
    for number in pieces(hashes, radius, others):
        row = {"row_id": f"piece {number}", "uri": "", "member": "", "frame": number}
        shards.append(folder / f"piece-{number}.parquet")
        pq.write_table(pa.Table.from_pylist([row], LISTING), shards[-1])
    with open_engine(stage, len(shards), engine) as run:
        for batch in run(shards):
            for row in batch.to_pylist():
                pairs = np.array([row["first"], row["second"]], np.int64).T
                yield pairs, np.array(row["distance"], np.int64)
