"""Grouping: a table in which every row looks like at least k - 1 others.

    grouped = group(table, quasi=["place", "time"], sensitive=["label"], k=5, l=2, t=0.2)
    grouped.table      # "north .. south", "2026-01-03 .. 2026-02-11", "cat"

Quasi-identifiers are generalised to ranges, or to groups of a hierarchy, as little as the search of
`cuts` finds; rows are suppressed where that keeps the others more precise. The same table and
options give the same answer. l and t hold in the table as it is released, without the suppressed
rows, and are measured again before it is given out.

What it does not promise: two releases of one table can tell more together than either does, who
knows how it was made may reason backwards from that, and k says nothing where a person has several
rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.errors import PrivacyError, UsageError

from .axes import Axis, Hierarchy, axis_of
from .loss import ColumnLoss, release
from .measure import Measured, measure
from .values import Values, read_values

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Grouped", "group"]


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """A table that may be released.

    `table`: the kept rows in their order: quasi-identifiers as text, the rest as it was. `kept`:
    bool (N,), for the rows that came in. `measured`: what the table keeps to. `columns`: what each
    quasi-identifier lost. `lost`: of all values of all rows, suppressed ones counting as 1.
    `discernibility`: the sum of the squares of the groups' sizes, and N for each suppressed row.
    """

    table: "pa.Table"
    kept: np.ndarray
    measured: Measured
    columns: tuple[ColumnLoss, ...]

    @property
    def suppressed(self) -> int:
        """Rows that are not released."""
        return int(len(self.kept) - np.count_nonzero(self.kept))

    @property
    def suppressed_share(self) -> float:
        """Of the rows that came in, 0 to 1."""
        return self.suppressed / len(self.kept)

    @property
    def lost(self) -> float:
        """0 (as it was) to 1 (nothing is left)."""
        mean = sum(column.lost for column in self.columns) / len(self.columns)
        return mean * (1 - self.suppressed_share) + self.suppressed_share

    @property
    def discernibility(self) -> int:
        """The lower the better, N at least."""
        return self.measured.discernibility + self.suppressed * len(self.kept)


def group(
    table: "pa.Table",
    *,
    quasi: Sequence[str],
    sensitive: Sequence[str] = (),
    k: int = 5,
    l: int | None = None,  # noqa: E741  # the field's name for it
    t: float | None = None,
    hierarchies: Mapping[str, Hierarchy] | None = None,
    max_suppressed: float = 0.1,
    max_one_value: int | None = None,
    others: Sequence[str] = (),
) -> Grouped:
    """Reach k-anonymity, and l-diversity and t-closeness where they are given (see `measure`).

    `quasi`: columns by which someone might be known. `sensitive`: what must not come out. `others`:
    columns that go along as they are; what is named nowhere is left out, for a column that tells
    rows apart would undo it all. `hierarchies`: for some of `quasi`, value -> its group or groups;
    without one text is put together by the alphabet. `max_suppressed`: the share of rows that may
    be. `max_one_value`: columns that may come to say the same of every row (None: any number).

    Raises UsageError for options that do not fit the table, and PrivacyError, with the reason,
    where the table cannot be released so.
    """
    _check(table, (quasi, sensitive, others), k, l, t, max_suppressed, hierarchies or {})
    axes = {
        name: axis_of(read_values(table[name], name), name, (hierarchies or {}).get(name))
        for name in quasi
    }
    hidden = {name: read_values(table[name], name) for name in sensitive}
    _refuse_impossible(table.num_rows, hidden, k, l)
    budget = int(max_suppressed * table.num_rows)
    columns = [name for name in table.column_names if name in {*quasi, *sensitive, *others}]
    plain = table.select(columns)

    def attempt(close: float | None, rows: int) -> Grouped:
        return _released(plain, axes, sensitive, _search(axes, hidden, k, l, close, rows))

    found = [attempt(t, budget)]
    over = 0.0 if t is None else (found[0].measured.t or 0.0) - t
    if t is not None and over > 0:
        # Without the suppressed rows the whole is another: aim below by twice what it is off.
        found.append(attempt(max(t - 2 * over, 0), budget))
    if budget:
        found.append(attempt(t, 0))
    good = [one for one in found if one.measured.keeps(k, l, t)]
    if not good:
        raise PrivacyError("No grouping was found that keeps what is asked, though one exists.")
    best = min(good, key=lambda one: one.lost)
    said = [column.name for column in best.columns if column.one_value]
    if max_one_value is not None and len(said) > max_one_value:
        raise PrivacyError(
            f"The table can be released only if {', '.join(said)} say the same of every row, and "
            f"{max_one_value} such columns are allowed. Ask for less, or name fewer columns."
        )
    return best


def _check(
    table: "pa.Table",
    named: tuple[Sequence[str], Sequence[str], Sequence[str]],
    k: int,
    l: int | None,  # noqa: E741  # as above
    t: float | None,
    max_suppressed: float,
    hierarchies: Mapping[str, Hierarchy],
) -> None:
    quasi, sensitive, others = named
    names = [*quasi, *sensitive, *others]
    if not quasi:
        raise UsageError("Name at least one quasi-identifier: a column by which one may be known.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(
            f"A column is a quasi-identifier, sensitive or other, and named once. Got {twice}."
        )
    if missing := sorted({*names, *hierarchies} - set(table.column_names)):
        raise UsageError(f"The table has no column {', '.join(missing)}.")
    if unused := sorted(set(hierarchies) - set(quasi)):
        raise UsageError(f"Only quasi-identifiers have a hierarchy. Got one for {unused}.")
    if k < 1 or (l is not None and l < 1):
        raise UsageError(f"k and l must be 1 or more. Got k = {k}, l = {l}.")
    if t is not None and not 0 <= t <= 1:
        raise UsageError(f"t must be 0 to 1. Got {t:g}.")
    if not 0 <= max_suppressed < 1:
        raise UsageError(f"max_suppressed must be 0 to below 1. Got {max_suppressed:g}.")
    if not sensitive and not (l is None and t is None):
        raise UsageError("l and t are about sensitive columns: name one.")


def _refuse_impossible(
    rows: int,
    hidden: Mapping[str, Values],
    k: int,
    l: int | None,  # noqa: E741  # as above
) -> None:
    """What one group of all rows does not keep, no grouping does."""
    if rows < k:
        raise PrivacyError(
            f"The table has {rows} rows: no row can look like {k - 1} others. "
            "Release more rows together, or nothing."
        )
    for name, values in hidden.items():
        if l is not None and values.size < l:
            raise PrivacyError(
                f"The column {name!r} has {values.size} different values, so that no group can "
                f"have l = {l} of them."
            )


def _search(
    axes: Mapping[str, Axis],
    hidden: Mapping[str, Values],
    k: int,
    l: int | None,  # noqa: E741  # as above
    t: float | None,
    budget: int,
) -> np.ndarray:
    """Each row's group, int32 (N,)."""
    from .cuts import cut  # here, for Numba takes half a second to load

    codes = np.stack([axis.codes for axis in axes.values()])
    rows = codes.shape[1]
    found = list(hidden.values())
    values = [one.codes for one in found] or [np.zeros(rows, np.int32)]
    sizes = np.array([one.size for one in found] or [1])
    orders = np.stack([np.argsort(one, kind="stable").astype(np.int32) for one in values])
    share = _padded([np.bincount(one) / rows for one in values])
    cumulated = np.cumsum(share, axis=1)
    prefix = np.concatenate((np.zeros((len(values), 1)), np.cumsum(cumulated, axis=1)), axis=1)
    groups = np.empty(rows, np.int32)
    cut(
        codes,
        _padded([axis.low for axis in axes.values()]),
        _padded([axis.high for axis in axes.values()]),
        _padded([axis.apart for axis in axes.values()]).astype(np.int32),
        np.stack(values),
        orders,
        np.array([one.ordered for one in found] or [False]),
        sizes,
        share,
        cumulated,
        prefix,
        k,
        l or 1,
        2.0 if t is None else max(t - 1e-9, 1e-12),
        budget,
        groups,
    )
    return groups


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of different lengths as one float64 array, filled with 0."""
    whole = np.zeros((len(rows), max((len(row) for row in rows), default=0) + 1))
    for place, row in enumerate(rows):
        whole[place, : len(row)] = row
    return whole


def _released(
    plain: "pa.Table", axes: Mapping[str, Axis], sensitive: Sequence[str], groups: np.ndarray
) -> Grouped:
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = groups >= 0
    rows = np.flatnonzero(kept)
    order = rows[np.argsort(groups[rows], kind="stable")]
    _, starts, which = np.unique(groups[order], return_index=True, return_inverse=True)
    group_of = np.empty(len(groups), np.int64)
    group_of[order] = which
    table = plain.filter(pa.array(kept))
    losses = []
    for name, axis in axes.items():
        found = release(name, axis, order, starts)
        texts = pa.array(found.texts, pa.string())
        column = pc.take(texts, pa.array(found.names[group_of[rows]]))
        table = table.set_column(table.column_names.index(name), name, column)
        losses.append(found.loss)
    return Grouped(
        table=table,
        kept=kept,
        measured=measure(table, list(axes), sensitive),
        columns=tuple(losses),
    )
