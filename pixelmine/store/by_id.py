"""Rows by their ids: those of a list, or the one whose id starts as somebody has typed."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from pixelmine.core import OK
from pixelmine.core.errors import UsageError

from .collection import Collection
from .table import Table

__all__ = ["check_row_id", "find_row", "read_by_id"]

_TOGETHER = 500
"""Ids that one query names: an index is asked for each, and the query stays short."""


def read_by_id(
    table: Table, column: str, ids: Iterable[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows of a table whose `column` is one of `ids`, in no order; `columns`: None for all.

    What is no id, as a cell that somebody typed, is in no row.
    """
    wanted = [name for name in dict.fromkeys(ids) if name.isalnum()]
    names = list(columns) if columns is not None else table.schema.names
    found = [pa.schema([table.schema.field(name) for name in names]).empty_table()]
    for start in range(0, len(wanted), _TOGETHER):
        inside = ", ".join(f"'{name}'" for name in wanted[start : start + _TOGETHER])
        found.append(table.read(names, f"{column} IN ({inside})"))
    return pa.concat_tables(found)


def find_row(
    collection: Collection,
    prefix: str,
    columns: Sequence[str] | None = None,
    *,
    good: bool = False,
) -> dict[str, Any]:
    """The one row of images whose row_id starts with `prefix`; `good`: of good pictures only.

    Raises UsageError for what is no row_id, and where no row or several start so.
    """
    check_row_id(prefix)
    where = f"starts_with(row_id, '{prefix}')" + (f" AND status = '{OK}'" if good else "")
    rows = collection.images.read(columns, where).to_pylist()
    if len(rows) != 1:
        raise UsageError(
            f"{len(rows)} {'good pictures' if good else 'pictures'} have a row id that "
            f"starts with {prefix}."
        )
    return dict(rows[0])


def check_row_id(prefix: str) -> None:
    """Raises UsageError where it is not at least 6 digits of a row_id: of 10^6, 16 start so."""
    if not re.fullmatch(r"[0-9a-f]{6,64}", prefix):
        raise UsageError(f"A row id is at least 6 hexadecimal digits. Got {prefix!r} instead.")
