"""Rules that hold in a collection more often than chance would make them: associations.

Frequent sets of items by FP-growth (J. Han, J. Pei, Y. Yin, "Mining frequent patterns without
candidate generation", SIGMOD 2000). Of a set, each item can be what the others point at. A rule
counts only where it is productive, that is better than every rule that asks for less (G. I. Webb,
"Discovering significant patterns", Machine Learning 68 (2007), 1-33): its p-value is the largest of
one-sided exact tests (Fisher) against its consequent at large and against each of these.

The correction pays for all rules that could have been formed of the items, not for those alone that
turned out to be frequent: which ones are is known only from the same data. Each length of rule gets
an equal part of the level (layered critical values, Webb 2008), within which Holm's method steps
down. Pictures are taken as independent of each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from pixelmine.core.checks import check_fraction
from pixelmine.core.errors import UsageError

from .exact import enriched
from .items import Item, ItemOptions, Items

__all__ = ["Associations", "Rule", "RuleOptions", "find_rules"]

_POINTED_AT = ("label", "predicted", "quality", "circumstance")
"""Of items that go together, the first in this order is what the others point at."""


@dataclass(frozen=True, kw_only=True)
class RuleOptions:
    """What counts as a rule.

    `level`: chance of any false rule. `length`: items of a rule, what it points at included; 3,
    since each more multiplies the rules that must be paid for by the number of items. `items`: see
    ItemOptions.
    """

    level: float = 0.05
    length: int = 3
    items: ItemOptions = field(default_factory=ItemOptions)

    def __post_init__(self) -> None:
        check_fraction("level", self.level)
        if self.length not in (2, 3, 4):
            raise UsageError(f"length must be 2, 3 or 4. Got {self.length} instead.")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`antecedent` -> `consequent`, as places in `Items.items`, of N pictures.

    `both`, `covered`, `hits`: pictures that have all of it, the antecedent, the consequent.
    `p_value`: exact, one-sided, the largest against all that asks for less. `corrected`: for all
    rules that could have been. `shortcut`: how a picture came about points at what it shows.
    """

    antecedent: tuple[int, ...]
    consequent: int
    both: int
    covered: int
    hits: int
    pictures: int
    p_value: float
    corrected: float
    shortcut: bool

    @property
    def support(self) -> float:
        """Share of all pictures that have all of it."""
        return self.both / self.pictures

    @property
    def confidence(self) -> float:
        """Share of those with the antecedent that have the consequent."""
        return self.both / self.covered

    @property
    def lift(self) -> float:
        """How many times as often as at large."""
        return self.both * self.pictures / (self.covered * self.hits)

    @property
    def leverage(self) -> float:
        """Share of all pictures by which it is above chance."""
        return self.support - self.covered * self.hits / self.pictures**2


@dataclass(frozen=True, kw_only=True)
class Associations:
    """Rules with a corrected p-value below the level, the least likely by chance first.

    `tested`: rules that the correction pays for. `frequent`: those of them that were frequent
    enough to be looked at. `redundant`: frequent ones that are no better than a rule that asks for
    less, at the level before correction.
    """

    items: Items
    rules: tuple[Rule, ...]
    tested: int
    frequent: int
    redundant: int

    @cached_property
    def _columns(self) -> list[np.ndarray]:
        return _columns(self.items)

    def having(self, items: Sequence[int], without: int | None = None) -> np.ndarray:
        """Places of the pictures that have all of these items, and lack another one; sorted."""
        found = self._columns[items[0]]
        for item in items[1:]:
            found = np.intersect1d(found, self._columns[item], assume_unique=True)
        if without is not None:
            found = np.setdiff1d(found, self._columns[without], assume_unique=True)
        return found


@dataclass(frozen=True)
class _Candidate:
    antecedent: tuple[int, ...]
    consequent: int
    both: int
    covered: int
    tests: list[tuple[int, int, int, int]] = field(default_factory=list)


def find_rules(items: Items, options: RuleOptions | None = None) -> Associations:
    """Find the rules among items; nothing where there are fewer than two."""
    options = options or RuleOptions()
    pictures, many = items.matrix.shape
    nothing = Associations(items=items, rules=(), tested=0, frequent=0, redundant=0)
    if many < 2:
        return nothing
    allowed = _allowed(items)
    counts = _frequent(items, options)
    candidates = _candidates(items, counts, allowed)
    possible = {size: _possible(allowed, size) for size in range(2, options.length + 1)}
    p_values = _p_values(candidates)
    corrected = _corrected(candidates, p_values, possible)
    found = [
        Rule(
            antecedent=one.antecedent,
            consequent=one.consequent,
            both=one.both,
            covered=one.covered,
            hits=items.items[one.consequent].count,
            pictures=pictures,
            p_value=float(p),
            corrected=float(c),
            shortcut=_is_shortcut(items.items, one),
        )
        for one, p, c in zip(candidates, p_values, corrected, strict=True)
        if c < options.level
    ]
    return Associations(
        items=items,
        rules=tuple(_one_of_each_set(items, found)),
        tested=sum(possible.values()),
        frequent=len(candidates),
        redundant=int(sum(p >= options.level for p in p_values)),
    )


def _allowed(items: Items) -> np.ndarray:
    """Whether, bool (M, M), two items may stand in one rule."""
    many = len(items.items)
    allowed = np.zeros((many, many), bool)
    for first, second in combinations(range(many), 2):
        allowed[first, second] = allowed[second, first] = not items.trivial(first, second)
    return allowed


def _possible(allowed: np.ndarray, size: int) -> int:
    """How many rules of `size` items can be formed; of a pair one, for its test is symmetric."""
    number = allowed.astype(np.float64)
    pairs = float(number.sum()) / 2
    if size == 2:
        return round(pairs)
    triangles = float(((number @ number) * number).sum()) / 6
    if size == 3:
        return round(3 * triangles)
    cliques = 0.0
    for first in range(len(number)):
        near = np.flatnonzero(allowed[first, first + 1 :]) + first + 1
        inside = number[np.ix_(near, near)]
        cliques += float(((inside @ inside) * inside).sum()) / 6
    return round(4 * cliques)


def _frequent(items: Items, options: RuleOptions) -> dict[frozenset[int], int]:
    """Sets of items to the pictures that have them all."""
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth

    pictures, many = items.matrix.shape
    frame = pd.DataFrame.sparse.from_spmatrix(items.matrix, columns=range(many))
    least = options.items.pictures(pictures)
    found = fpgrowth(frame, min_support=(least - 0.5) / pictures, max_len=options.length)
    counts = np.rint(found["support"].to_numpy() * pictures).astype(int)
    return dict(zip(found["itemsets"], counts.tolist(), strict=True))


def _candidates(
    items: Items, counts: dict[frozenset[int], int], allowed: np.ndarray
) -> list[_Candidate]:
    """Every rule of a frequent set that is above chance, with the tables that it is tested by."""
    pictures = items.matrix.shape[0]
    found = []
    for whole, both in sorted(counts.items(), key=lambda pair: (len(pair[0]), sorted(pair[0]))):
        members = sorted(whole)
        if len(members) < 2 or not all(allowed[a, b] for a, b in combinations(members, 2)):
            continue
        for consequent in _consequents(items.items, members):
            antecedent = tuple(item for item in members if item != consequent)
            covered = counts[frozenset(antecedent)]
            hits = items.items[consequent].count
            one = _Candidate(
                antecedent, consequent, both, covered, [(both, covered, hits, pictures)]
            )
            for left_out in antecedent if len(antecedent) > 1 else ():
                less = frozenset(antecedent) - {left_out}
                one.tests.append((both, covered, counts[less | {consequent}], counts[less]))
            found.append(one)
    return found


def _consequents(items: Sequence[Item], members: list[int]) -> list[int]:
    """Of a pair the one that is pointed at; of more items each."""
    if len(members) > 2:
        return members
    return [min(members, key=lambda m: (_POINTED_AT.index(items[m].kind), -items[m].count, m))]


def _p_values(candidates: list[_Candidate]) -> np.ndarray:
    if not candidates:
        return np.empty(0)
    tests = np.array([test for one in candidates for test in one.tests], np.int64)
    owner = np.repeat(np.arange(len(candidates)), [len(one.tests) for one in candidates])
    largest = np.zeros(len(candidates))
    np.maximum.at(largest, owner, enriched(*tests.T))
    return largest


def _corrected(
    candidates: list[_Candidate], p_values: np.ndarray, possible: dict[int, int]
) -> np.ndarray:
    """Holm within each length, over the rules that could be, of an equal part of the level."""
    sizes = np.array([len(one.antecedent) + 1 for one in candidates])
    corrected = np.ones(len(candidates))
    for size, many in possible.items():
        mine = np.flatnonzero(sizes == size)
        order = mine[np.argsort(p_values[mine], kind="stable")]
        left = np.maximum(many - np.arange(len(order)), 1)
        steps = np.minimum(len(possible) * left * p_values[order], 1)
        corrected[order] = np.maximum.accumulate(steps)
    return corrected


def _is_shortcut(items: Sequence[Item], one: _Candidate) -> bool:
    shows = items[one.consequent].kind in ("label", "predicted")
    return shows and all(items[m].kind in ("circumstance", "quality") for m in one.antecedent)


def _one_of_each_set(items: Items, rules: list[Rule]) -> list[Rule]:
    """Of the rules of one set the one that points at most; the least likely by chance first."""
    best: dict[frozenset[int], Rule] = {}
    for rule in sorted(
        rules,
        key=lambda r: (
            _POINTED_AT.index(items.items[r.consequent].kind),
            r.corrected,
            r.consequent,
        ),
    ):
        best.setdefault(frozenset((*rule.antecedent, rule.consequent)), rule)
    return sorted(
        best.values(),
        key=lambda r: (r.p_value, -r.lift, r.antecedent, r.consequent),
    )


def _columns(items: Items) -> list[np.ndarray]:
    matrix = items.matrix
    return [
        np.sort(matrix.indices[matrix.indptr[m] : matrix.indptr[m + 1]]).astype(np.int64)
        for m in range(matrix.shape[1])
    ]
