"""The values of a column as places in their order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Values", "read_values"]


@dataclass(frozen=True, kw_only=True)
class Values:
    """A column as codes.

    `codes`: int32 (N,), places among the M different values in ascending order; null is a value of
    its own, and the first where there is one (`nulls` is then 1, else 0). `distinct`: those that
    are not null. `ordered`: numbers and times, whose differences mean something; text and yes/no
    are not.
    """

    codes: np.ndarray
    distinct: "pa.Array"
    nulls: int
    ordered: bool

    @property
    def size(self) -> int:
        """M."""
        return len(self.distinct) + self.nulls

    def positions(self) -> np.ndarray:
        """Numbers in seconds, days or what they count, float64, of the values but null."""
        import pyarrow as pa

        kind = self.distinct.type
        if pa.types.is_temporal(kind):
            small = pa.types.is_date32(kind) or pa.types.is_time32(kind)
            whole = self.distinct.cast(pa.int32() if small else pa.int64())
            return np.asarray(whole.to_numpy(zero_copy_only=False), dtype=np.float64)
        return np.asarray(self.distinct.cast(pa.float64()).to_numpy(zero_copy_only=False))

    def texts(self) -> list[str]:
        """The values but null, as text."""
        import pyarrow as pa

        return [str(text) for text in self.distinct.cast(pa.string()).to_pylist()]


def read_values(column: "pa.ChunkedArray", name: str) -> Values:
    """Codes of a column of text, numbers, times or booleans; NaN counts as null.

    Raises UsageError for another kind: lists, maps and bytes have no order to speak of.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    time = pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind)
    if not (text or number or time or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise UsageError(
            f"The column {name!r} is of {kind}, which cannot be grouped: give text, numbers, times "
            "or booleans."
        )
    if pa.types.is_floating(kind):
        column = column.cast(pa.float64())
        column = pc.add(column, 0.0)  # -0.0 is 0.0
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    elif not (number or time):
        column = column.cast(pa.large_string())
    distinct = pc.unique(column).drop_null()
    distinct = distinct.take(pc.sort_indices(distinct))
    codes = pc.fill_null(pc.index_in(column, value_set=distinct), -1)
    found = np.asarray(codes.to_numpy(), dtype=np.int32)
    nulls = int(column.null_count > 0)
    return Values(codes=found + nulls, distinct=distinct, nulls=nulls, ordered=number or time)
