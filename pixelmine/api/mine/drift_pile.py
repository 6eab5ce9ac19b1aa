"""A collection's pictures as one side of a comparison, and how a collection is divided into two."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from pixelmine.core.errors import UsageError
from pixelmine.core.progress import Progress
from pixelmine.mine.drift_counts import Pile
from pixelmine.mine.items import as_numbers
from pixelmine.mine.principal import Basis
from pixelmine.mine.together import units_of
from pixelmine.store import Collection

from .attributes import attributes, meta_columns, times
from .duplicates import FINDING as DUPLICATES
from .found import read_found
from .measures import measures_of
from .pile import Embedded, embed, predicted_labels

__all__ = ["Side", "Sides", "day", "divide", "make_pile", "make_piles"]

_LEFT_OUT = frozenset({"month", "quality", "hour", "weekday", "group", "source"})
"""Attributes that differ between two times, senders or folders by their nature, or whose thresholds
come from each side itself."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side: its `pile`, and `rows` of COLUMNS for its pictures, in the same order.

    `basis`: what its vectors were reduced by, if they were.
    """

    pile: Pile
    rows: pa.Table = field(repr=False)
    basis: Basis | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """How a collection is divided: by SQL conditions over images, or by days of `meta`'s time.

    `before`, `after`: a condition, or a day as 2026-05-01; None: what the other does not take.
    """

    before: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise UsageError(
                "Drift compares two sides: name another collection, or give --before or --after, "
                "each a day (2026-05-01) or a condition in SQL over the images table."
            )
        if self.before and self.after and (day(self.before) is None) != (day(self.after) is None):
            raise UsageError("--before and --after must both be days or both be conditions.")


def day(text: str) -> datetime | None:
    """The day that a text names, as 2026-05-01; None for anything else."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d")
    except ValueError:
        return None


def divide(
    collection: Collection, sides: Sides, model: str, columns: Sequence[str], progress: Progress
) -> tuple[Side, Side]:
    """The two sides of one collection. Pictures without a time are on neither side of a day."""
    first, second = sides.before, sides.after
    if day(first or second or "") is not None:
        whole = embed(collection, model, progress=progress)
        until = day(first) if first else day(second or "")
        since = day(second) if second else until
        taken = times(whole.rows)
        if not any(taken):
            raise UsageError(
                "No picture says when it was taken (EXIF, or a column `time`): divide them by "
                "conditions instead, as in --before \"uri LIKE '%/2025/%'\"."
            )
        parts = (
            [time is not None and until is not None and time < until for time in taken],
            [time is not None and since is not None and time >= since for time in taken],
        )
    else:
        first = first or f"NOT ({second})"
        second = second or f"NOT ({first})"
        old, new = _embed_both((collection, first), (collection, second), model, progress)
        if set(old.pictures) & set(new.pictures):
            _refuse_overlap(set(old.pictures) & set(new.pictures), first, second)
        return _side(collection, old, columns), _side(collection, new, columns)
    old, new = (_part(whole, np.array(part, bool)) for part in parts)
    return _side(collection, old, columns), _side(collection, new, columns)


def make_piles(
    before: tuple[Collection, str | None],
    after: tuple[Collection, str | None],
    model: str,
    columns: Sequence[str],
    progress: Progress,
) -> tuple[Side, Side]:
    """Two collections, or what a condition holds for in each, as sides; reduced by one basis."""
    old, new = _embed_both(before, after, model, progress)
    return _side(before[0], old, columns), _side(after[0], new, columns)


def make_pile(
    collection: Collection,
    model: str,
    where: str | None,
    columns: Sequence[str],
    progress: Progress,
    *,
    basis: Basis | None = None,
    whole: bool = False,
) -> tuple[Side, str]:
    """A whole collection, or what a condition holds for, as a side; and what made its vectors.

    `basis`, `whole`: see `embed`.
    """
    found = embed(collection, model, where=where, basis=basis, whole=whole, progress=progress)
    return _side(collection, found, columns), found.stage.bundle.card.embedding_digest


def _embed_both(
    before: tuple[Collection, str | None],
    after: tuple[Collection, str | None],
    model: str,
    progress: Progress,
) -> tuple[Embedded, Embedded]:
    """In one space: that of the first of the two that is so large that it has to be reduced."""
    old = embed(before[0], model, where=before[1], progress=progress)
    new = embed(after[0], model, where=after[1], basis=old.basis, progress=progress)
    return old.beside(new), new


def _refuse_overlap(both: set[str], first: str, second: str) -> None:
    raise UsageError(
        f"{len(both):,} pictures are on both sides: --before {first!r} and --after {second!r} "
        "must not hold for the same picture."
    )


def _part(whole: Embedded, mask: np.ndarray) -> Embedded:
    rows = whole.rows.filter(pa.array(mask)).combine_chunks()
    return replace(whole, rows=rows, vectors=whole.vectors[mask])


def _side(collection: Collection, found: Embedded, columns: Sequence[str]) -> Side:
    rows = found.rows
    labels = predicted_labels(collection, found)[0] if found.pictures else []
    known = attributes(collection, rows, labels, columns, _names_only)
    kept = [one for one in known if one.name not in _LEFT_OUT]
    pile = Pile(
        pictures=found.pictures,
        vectors=found.vectors,
        attributes=kept,
        measures=_measures(collection, rows, columns),
        groups=_groups(collection, rows),
    )
    return Side(pile=pile, rows=rows, basis=found.basis)


def _groups(collection: Collection, rows: pa.Table) -> list[str | None]:
    """What each picture belongs to: its group, and the copies that were found of it, if they were.

    Named for a group, so that it has that name in another collection too; None: to nothing.
    """
    found = read_found(collection, DUPLICATES)
    copies: dict[str, int] = {}
    if found is not None:
        names = found.rows["picture_id"].to_pylist()
        copies = dict(zip(names, found.rows["group_id"].to_pylist(), strict=True))
    pictures = rows["picture_id"].to_pylist()
    groups = [group or None for group in rows["group"].to_pylist()]
    units = units_of(len(pictures), groups, [copies.get(name) for name in pictures]).tolist()
    names_of: dict[int, str] = {}
    for unit, group in zip(units, groups, strict=True):
        if group is not None:
            names_of[unit] = min(group, names_of.get(unit, group))
    many = Counter(units)
    for unit, picture in zip(units, pictures, strict=True):
        if many[unit] > 1:
            names_of.setdefault(unit, picture)
    return [names_of.get(unit) for unit in units]


def _measures(
    collection: Collection, rows: pa.Table, columns: Sequence[str]
) -> dict[str, np.ndarray]:
    pictures = rows["picture_id"].to_pylist()
    found = measures_of(collection, pictures)
    for name, values in meta_columns(rows, columns).items():
        numbers = as_numbers(values)
        if numbers is not None:
            found[name] = numbers
    return found


def _names_only(values: Sequence[str | None]) -> list[str | None]:
    """A column as it is; one of numbers is a measure, and becomes nothing here."""
    return list(values) if as_numbers(values) is None else [None] * len(values)
