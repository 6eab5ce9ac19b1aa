"""The search for groups, compiled: boxes of rows are cut in two while both halves may be released.

Mondrian (K. LeFevre, D. DeWitt, R. Ramakrishnan, "Mondrian multidimensional k-anonymity", ICDE
2006) with two changes. Of all cuts of all columns the one that makes the values most precise is
taken, not the median of the widest column; and a side that could not be released may be suppressed
where the rest gains more by it than it loses. k, l and t are conditions of a cut, which keeps them
in every box: a box that could not be cut keeps them since the whole does, and two boxes that keep
t also keep it together.

It is compiled when it is first called, which takes some seconds, and kept for the process alone.
"""

from typing import Any

import numpy as np
from numba import njit

__all__ = ["SUPPRESSED", "cut"]

SUPPRESSED = -1


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _stretch(cumulated: Any, prefix: Any, first: int, last: int, level: float) -> float:
    """The sum of |level - cumulated| from `first` to before `last`; `cumulated` rises."""
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if cumulated[middle] > level:
            high = middle
        else:
            low = middle + 1
    below = level * (low - first) - (prefix[low] - prefix[first])
    return float(below + (prefix[last] - prefix[low]) - level * (last - low))


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _sink(heap: Any, gains: Any, parent: int, size: int) -> None:
    """Let heap[parent] sink, so that the largest gain is on top, of equal ones the first.

    Here and below loops stand for what NumPy writes shorter: Numba compiles them in a third of the
    time.
    """
    while True:
        best = parent
        for child in (2 * parent + 1, 2 * parent + 2):
            if child < size:
                one, other = heap[child], heap[best]
                if gains[one] > gains[other] or (gains[one] == gains[other] and one < other):
                    best = child
        if best == parent:
            return
        heap[parent], heap[best] = heap[best], heap[parent]
        parent = best


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _fits(
    codes: Any,
    values: Any,
    order: Any,
    first: int,
    last: int,
    place: int,
    below: bool,
    number: int,
    ordered: bool,
    size: int,
    share: Any,
    cumulated: Any,
    prefix: Any,
    diverse: int,
    close: float,
) -> bool:
    """Whether one side of a cut, `number` rows, keeps l and t for one sensitive column.

    The rows are order[first:last] by ascending sensitive value; one side has codes up to `place`.
    """
    distinct, seen, run, value = 0, 0, 0, -1
    distance, covered = 0.0, 0.0
    for at in range(first, last):
        row = order[at]
        if (codes[row] <= place) != below:
            continue
        if values[row] != value:
            if ordered:
                distance += _stretch(cumulated, prefix, max(value, 0), values[row], seen / number)
            elif value >= 0:
                distance += abs(run / number - share[value])
                covered += share[value]
            distinct += 1
            value = values[row]
            run = 0
        run += 1
        seen += 1
    if distinct < diverse:
        return False
    if ordered:
        distance += _stretch(cumulated, prefix, value, size, 1.0)
        return bool(distance <= close * max(size - 1, 1))
    distance += abs(run / number - share[value])
    covered += share[value]
    return bool((distance + 1.0 - covered) / 2 <= close)


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _push(stack: Any, top: int, first: int, last: int, budget: int) -> int:
    stack[top, 0], stack[top, 1], stack[top, 2] = first, last, budget
    return top + 1


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _note(cuts: Any, at: int, column: int, place: int, drop: int, below: int, above: int) -> None:
    cuts[at, 0], cuts[at, 1], cuts[at, 2] = column, place, drop
    cuts[at, 3], cuts[at, 4] = below, above


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def cut(
    codes: Any,
    low: Any,
    high: Any,
    apart: Any,
    values: Any,
    orders: Any,
    ordered: Any,
    sizes: Any,
    share: Any,
    cumulated: Any,
    prefix: Any,
    k: int,
    diverse: int,
    close: float,
    budget: int,
    group: Any,
) -> int:
    """Write each row's group to `group`, int32 (N,), SUPPRESSED where it has none; gives how many.

    D quasi-identifiers: `codes` int32 (D, N), `low` and `high` float64 (D, M), `apart` int32
    (D, M) (see Axis). A sensitive columns: `values` int32 (A, N), `orders` int32 (A, N): the rows
    by ascending value, which is changed; `ordered` bool (A,); `sizes` int64 (A,): V values;
    `share`, `cumulated` float64 (A, V), `prefix` (A, V + 1): of the whole. `budget`: rows that may
    be suppressed.
    """
    columns, rows = codes.shape
    most = 3 * columns * low.shape[1] + 1
    gains = np.empty(most)
    cuts = np.empty((most, 5), np.int64)  # column, place, drop (0, 1 below, 2 above), below, above
    heap = np.empty(most, np.int64)
    counts = np.empty(low.shape[1] + 1, np.int64)
    bounds = np.empty((columns, 2), np.int64)
    failed = np.empty(columns, np.int64)
    part = np.empty(rows, np.int32)
    stack = np.empty((rows // k + 2, 3), np.int64)
    top, groups = _push(stack, 0, 0, rows, budget), 0
    while top:
        top -= 1
        first, last, budget = stack[top, 0], stack[top, 1], stack[top, 2]
        number = last - first
        width = 0.0
        for d in range(columns):
            least, most_code = codes[d, orders[0, first]], codes[d, orders[0, first]]
            for at in range(first, last):
                code = codes[d, orders[0, at]]
                least, most_code = min(least, code), max(most_code, code)
            bounds[d, 0], bounds[d, 1] = least, most_code
            width += high[d, most_code] - low[d, least]
        found = 0
        for d in range(columns):
            least, most_code = bounds[d, 0], bounds[d, 1]
            if least == most_code:
                continue
            depth = apart[d, least]
            for code in range(least, most_code):
                depth = min(depth, apart[d, code])
                counts[code - least] = 0
            counts[most_code - least] = 0
            for at in range(first, last):
                counts[codes[d, orders[0, at]] - least] += 1
            whole = high[d, most_code] - low[d, least]
            others = width - whole
            code, below = least, counts[0]
            while code < most_code:
                following = code + 1
                between = apart[d, code]
                while not counts[following - least]:
                    between = min(between, apart[d, following])
                    following += 1
                above = number - below
                left = high[d, code] - low[d, least]
                right = high[d, most_code] - low[d, following]
                if between == depth:
                    if below >= k and above >= k:
                        gains[found] = number * whole - below * left - above * right
                        _note(cuts, found, d, code, 0, below, above)
                        found += 1
                    if below <= budget and above >= k:
                        gains[found] = number * width - above * (others + right) - below * columns
                        _note(cuts, found, d, code, 1, below, above)
                        found += gains[found] > 0
                    if above <= budget and below >= k:
                        gains[found] = number * width - below * (others + left) - above * columns
                        _note(cuts, found, d, code, 2, below, above)
                        found += gains[found] > 0
                code = following
                below += counts[following - least]
        tries = 8 + 2_000_000 // number
        for d in range(columns):
            failed[d] = 0
        chosen = -1
        for waiting in range(found):
            heap[waiting] = waiting
        for parent in range(found // 2 - 1, -1, -1):
            _sink(heap, gains, parent, found)
        for waiting in range(found, 0, -1):
            candidate = heap[0]
            heap[0] = heap[waiting - 1]
            _sink(heap, gains, 0, waiting - 1)
            d, place, drop = cuts[candidate, 0], cuts[candidate, 1], cuts[candidate, 2]
            below, above = cuts[candidate, 3], cuts[candidate, 4]
            if failed[d] >= tries:
                continue
            good = True
            for a in range(len(values)):
                for side in range(2):
                    if good and drop != side + 1:
                        good = _fits(
                            codes[d], values[a], orders[a], first, last, place, side == 0,
                            below if side == 0 else above, ordered[a], sizes[a], share[a],
                            cumulated[a], prefix[a], diverse, close,
                        )  # fmt: skip
            if good:
                chosen = candidate
                break
            failed[d] += 1
        if chosen < 0:
            for at in range(first, last):
                group[orders[0, at]] = groups
            groups += 1
            continue
        d, place, drop = cuts[chosen, 0], cuts[chosen, 1], cuts[chosen, 2]
        below, above = cuts[chosen, 3], cuts[chosen, 4]
        for a in range(len(values)):
            left_at, right_at = first, first + below
            for at in range(first, last):
                row = orders[a, at]
                if codes[d, row] <= place:
                    part[left_at] = row
                    left_at += 1
                else:
                    part[right_at] = row
                    right_at += 1
            for at in range(first, last):
                orders[a, at] = part[at]
        middle = first + below
        if drop == 0:
            top = _push(stack, top, middle, last, budget * above // number)
            top = _push(stack, top, first, middle, budget * below // number)
        elif drop == 1:
            for at in range(first, middle):
                group[orders[0, at]] = SUPPRESSED
            top = _push(stack, top, middle, last, budget - below)
        else:
            for at in range(middle, last):
                group[orders[0, at]] = SUPPRESSED
            top = _push(stack, top, first, middle, budget - above)
    return groups
