"""Which rows are done: 16 bytes a row, however many there are."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import pyarrow as pa

__all__ = ["DONE_KEY", "Keys"]

DONE_KEY = ("row_id", "size", "mtime_ns")
"""A row is done when its results were committed for a file of this size and time."""


class Keys:
    """A set of (row_id, size, mtime_ns), kept as sorted 128-bit digests (BLAKE2b).

    Two different rows share a digest with a probability of about n^2 / 2^129 among n rows: below
    1e-20 for 10^9.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        parts = [_digests(batch) for batch in batches]
        found = np.concatenate([np.empty((0, 2), np.uint64), *parts])
        order = np.argsort(found[:, 0], kind="stable")
        self._high, self._low = found[order, 0], found[order, 1]

    def __len__(self) -> int:
        return len(self._high)

    def contains(self, rows: pa.RecordBatch) -> np.ndarray:
        """(N,) bool: whether each row's DONE_KEY is in the set."""
        asked = _digests(rows)
        at = np.searchsorted(self._high, asked[:, 0])
        found = np.zeros(len(asked), bool)
        open_ = at < len(self)
        while open_.any():  # once, but for a chance of 2^-64 that two begin alike
            open_[open_] = self._high[at[open_]] == asked[open_, 0]
            found[open_] |= self._low[at[open_]] == asked[open_, 1]
            at += 1
            open_ &= ~found & (at < len(self))
        return found


def _digests(rows: pa.RecordBatch) -> np.ndarray:
    columns = (rows[name].to_pylist() for name in DONE_KEY)
    keys = (repr(key).encode() for key in zip(*columns, strict=True))
    data = b"".join(blake2b(key, digest_size=16).digest() for key in keys)
    return np.frombuffer(data, np.uint64).reshape(-1, 2)
