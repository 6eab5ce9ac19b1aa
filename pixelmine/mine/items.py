"""What is known of N pictures as items: an attribute with a value, such as `camera = 7`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Attribute", "Item", "ItemOptions", "Items", "as_numbers", "binned", "make_items"]

Kind = Literal["label", "predicted", "quality", "circumstance"]

_NEARLY_ALL = 0.95
"""Share of the pictures above which an item says nothing: it goes with everything."""
_DETERMINED = 0.99
"""Share of the pictures of which one attribute must tell another to be called a function of it."""
_NUMBERS = 0.95
"""Share of the values of a column that must be numbers for it to be binned."""
_DISTINCT = 12
"""Different numbers up to which they are taken as they are: months are, prices are not."""
_KIN = (("size", "quality", "odd-size"), ("shape", "quality", "odd-aspect"))
"""An attribute, and an item of another that is computed from the same thing."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """What N pictures have of one kind. `values`: of each picture none, one or several.

    `kind`: `label` and `predicted` are what a picture shows, `quality` what is wrong with it,
    `circumstance` how it came about: metadata, time, source, format, size.
    """

    name: str
    kind: Kind
    values: Sequence[Sequence[str]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One attribute with one value. `count`: pictures that have it."""

    attribute: str
    kind: Kind
    value: str
    count: int

    def __str__(self) -> str:
        return f"{self.attribute} = {self.value}"


@dataclass(frozen=True, kw_only=True)
class ItemOptions:
    """What counts as an item.

    `support`: share of the pictures that an item must have, and a rule; .005, and never less than
    `least` pictures, 10, below which no exact test can pass a correction for thousands of rules.
    `items`: at most so many, the most frequent; 150, of which 1.6 million rules of three can be
    made, each of which the correction has to pay for.
    """

    support: float = 0.005
    least: int = 10
    items: int = 150

    def __post_init__(self) -> None:
        check_positive("support", self.support, 1)
        if self.least < 1 or self.items < 2:
            raise UsageError(
                "least must be at least 1 and items at least 2. "
                f"Got {self.least} and {self.items} instead."
            )

    def pictures(self, count: int) -> int:
        """How many of `count` pictures an item or a rule must have."""
        return max(self.least, int(np.ceil(self.support * count)))


@dataclass(frozen=True, kw_only=True)
class Items:
    """M items of N pictures. `matrix`: bool (N, M), sparse by column.

    `items`: sorted by attribute and value. `functions`: pairs of attributes the first of which
    tells the second. `several`: attributes of which a picture can have more than one value.
    `cut`: what was left out, a sentence each.
    """

    items: tuple[Item, ...]
    matrix: "scipy.sparse.csc_array" = field(repr=False)
    functions: tuple[tuple[str, str], ...]
    several: frozenset[str]
    cut: tuple[str, ...]

    def trivial(self, first: int, second: int) -> bool:
        """Whether two items go together, or not, for a reason that is no finding."""
        one, two = self.items[first], self.items[second]
        if one.attribute == two.attribute:
            return one.attribute not in self.several
        if {(one.attribute, two.attribute), (two.attribute, one.attribute)} & set(self.functions):
            return True
        return any(
            {one.attribute, two.attribute} == {size, issues} and value in (one.value, two.value)
            for size, issues, value in _KIN
        )


def make_items(attributes: Sequence[Attribute], options: ItemOptions | None = None) -> Items:
    """The items that are frequent enough, not in nearly all pictures, and not too many."""
    import scipy.sparse

    options = options or ItemOptions()
    pictures = len(attributes[0].values) if attributes else 0
    least, most = options.pictures(pictures), _NEARLY_ALL * pictures
    cut: list[str] = []
    kept: list[Item] = []
    for attribute in attributes:
        counts = Counter(value for values in attribute.values for value in set(values))
        same = [
            Item(attribute=attribute.name, kind=attribute.kind, value=value, count=count)
            for value, count in sorted(counts.items())
            if least <= count <= most
        ]
        kept += same
        if counts and not same:
            cut.append(_said(attribute.name, counts, least))
    if len(kept) > options.items:
        kept.sort(key=lambda item: (-item.count, item.attribute, item.value))
        cut.append(
            f"{len(kept) - options.items:,} of {len(kept):,} items, those with fewer than "
            f"{kept[options.items - 1].count:,} pictures or as many."
        )
        kept = kept[: options.items]
    kept.sort(key=lambda item: (item.attribute, item.value))
    place = {(item.attribute, item.value): number for number, item in enumerate(kept)}
    rows: list[int] = []
    columns: list[int] = []
    for attribute in attributes:
        for row, values in enumerate(attribute.values):
            found = {place.get((attribute.name, value), -1) for value in values} - {-1}
            rows += [row] * len(found)
            columns += sorted(found)
    shape = (pictures, len(kept))
    matrix = scipy.sparse.csc_array((np.ones(len(rows), bool), (rows, columns)), shape)
    functions = _functions(kept, matrix)
    return Items(
        items=tuple(kept),
        matrix=matrix,
        functions=functions,
        several=frozenset(a.name for a in attributes if any(len(set(v)) > 1 for v in a.values)),
        cut=tuple(cut),
    )


def binned(values: Sequence[str | None]) -> list[str | None]:
    """A column of text as it is, or, where it holds many different numbers, by its quarters."""
    numbers = as_numbers(values)
    if numbers is None:
        return list(values)
    edges = np.unique(np.quantile(numbers[np.isfinite(numbers)], [0, 0.25, 0.5, 0.75, 1]))
    names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    places = np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, len(names) - 1)
    return [
        names[place] if known else None
        for place, known in zip(places, np.isfinite(numbers), strict=True)
    ]


def as_numbers(values: Sequence[str | None]) -> np.ndarray | None:
    """A column that holds many different numbers, float64 (N,), NaN where it has none; else None.

    Few different ones are names, as months and classes are.
    """
    known = [value for value in values if value is not None]
    numbers = {value: _number(value) for value in set(known)}
    many = sum(numbers[value] is not None for value in known)
    if len(set(numbers.values())) <= _DISTINCT or many < _NUMBERS * len(known):
        return None
    found = [None if value is None else numbers[value] for value in values]
    return np.array([np.nan if number is None else number for number in found])


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _said(name: str, counts: Mapping[str, int], least: int) -> str:
    most = max(counts.values())
    if most < least:
        return f"{name}: none of its {len(counts):,} values has {least:,} pictures."
    return f"{name}: nearly all pictures have the same value."


def _functions(
    items: Sequence[Item], matrix: "scipy.sparse.csc_array"
) -> tuple[tuple[str, str], ...]:
    """Which attribute tells which: knowing the one, one is nearly always right about the other."""
    together = np.asarray((matrix.T.astype(np.int64) @ matrix.astype(np.int64)).todense())
    of: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        of.setdefault(item.attribute, []).append(number)
    found = []
    for first, mine in of.items():
        for second, theirs in of.items():
            if first == second or len(mine) < 2 or len(theirs) < 2:
                continue
            both = together[np.ix_(mine, theirs)]
            # A value of `first` whose pictures lack a kept value of `second` does not tell it.
            alone = sum(items[number].count for number in mine)
            if both.max(axis=1).sum() >= _DETERMINED * alone:
                found.append((first, second))
    return tuple(found)
