"""The nearest vectors of a sealed table: opened into memory, and each compared.

An index on the disk would tell the vectors, so that there is none. What is in memory is kept as
long as the table stays as it is.
"""

from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import UsageError
from pixelmine.store import Table

__all__ = ["LIMIT_BYTES", "InMemory"]

LIMIT_BYTES = 4 * 2**30
"""Of vectors in memory: 838,860 of 1,280 numbers. To open so many takes about a minute and a half
for each process that searches (9,000 a second, one core, 2026-11)."""


class InMemory(NamedTuple):
    """`names`: picture ids. `units`: float32 (N, D), of length 1, of zeros where a vector was."""

    names: pa.Array
    units: np.ndarray
    version: int

    @classmethod
    def of(cls, table: Table) -> Self:
        """All vectors of a table. Raises UsageError for more than LIMIT_BYTES, TamperedError."""
        version, count = table.version, table.count()
        size = table.schema.field("values").type.list_size
        if count * size * 4 > LIMIT_BYTES:
            raise UsageError(
                "The collection is encrypted, so that its vectors are searched in memory: "
                f"{count:,} of {size:,} numbers are more than {LIMIT_BYTES / 2**30:g} GiB. "
                "Divide the pictures among several collections."
            )
        names, units = [pa.array([], pa.string())], [np.empty((0, size), np.float32)]
        for batch in table.scan(["picture_id", "values"]):
            values = batch["values"].flatten().to_numpy().reshape(batch.num_rows, size)
            length = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
            names.append(batch["picture_id"])
            units.append((values / np.maximum(length, 1e-30)).astype(np.float32))
        return cls(pa.concat_arrays(names), np.concatenate(units), version)

    def nearest(self, query: np.ndarray, k: int, wanted: pa.Array | None = None) -> pa.Table:
        """`picture_id` and `_distance` (1 - cosine, NaN for a vector of zeros), in no order.

        The `k` most alike to a (D,) vector, and those as alike as the last of them. `wanted`: ids.
        """
        query = query.astype(np.float64)
        unit = (query / max(float(np.linalg.norm(query)), 1e-30)).astype(np.float32)
        cosines = self.units @ unit
        cosines[~self.units.any(axis=1)] = np.nan
        places = np.flatnonzero(np.isfinite(cosines))
        if wanted is not None:
            inside = pc.is_in(self.names, value_set=wanted).to_numpy(zero_copy_only=False)
            places = places[inside[places]]
        if len(places) > k:
            least = np.partition(cosines[places], -k)[-k]
            places = places[cosines[places] >= least]
        distances = pa.array(1 - cosines[places].astype(np.float64))
        return pa.table([self.names.take(pa.array(places)), distances], ["picture_id", "_distance"])
