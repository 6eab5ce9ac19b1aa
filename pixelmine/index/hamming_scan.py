"""The counting of bits, compiled: which of two sides' hashes are near each other.

NumPy counts some 1.2e8 pairs a second, this on two cores 1e9: see ADR 13. It is compiled when it is
first called, which takes about a second, and kept for the process alone.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["scan", "two_nearest"]

_SIXTEEN = np.uint64(0xFFFF)


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _ones(_context: Any, _bits: Any) -> Any:
    """How many of 64 bits are set: one instruction."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def scan(
    words: np.ndarray,
    keys: np.ndarray,
    others: np.ndarray,
    starts: np.ndarray,
    mask: int,
    same: bool,
    band: int,
    apart: int,
    radius: int,
    last: int,
    state: np.ndarray,
    found: np.ndarray,
) -> int:
    """Write near pairs to `found`, int64 (M, 3): row, other row, distance; gives how many.

    `words`: uint64 (N, 4), sorted by `keys`, uint16 (N,). `others`: uint64 (O, 4), sorted by key;
    those of key k are rows starts[k] to below starts[k + 1]. A row is compared with the others of
    key ^ mask; where both sides are the `same`, each pair once. Pairs that agree within `apart`
    bits in one of the first `band` bands of 16 bits are left out: they were found there.

    `state`: int64 (2,), the row and other row to begin with (-1: its first); at the end where to go
    on, which is row `last` where all is done, and less where `found` is full.
    """
    count = 0
    here = band // 4
    # A band's own word says least: two other words tell nearly all strangers apart.
    first, second, third = (here + 1) % 4, (here + 2) % 4, (here + 3) % 4
    row = state[0]
    while row < last:
        key = np.int64(keys[row])
        other = key ^ mask
        low, high = starts[other], starts[other + 1]
        if same:
            if other < key:
                high = low
            elif other == key:
                low = row + 1
        if state[1] >= 0:
            low = state[1]
            state[1] = -1
        a, b, c, d = words[row, first], words[row, second], words[row, third], words[row, here]
        for j in range(low, high):
            far = _ones(a ^ others[j, first]) + _ones(b ^ others[j, second])
            if far > radius:
                continue
            far += _ones(c ^ others[j, third]) + _ones(d ^ others[j, here])
            if far > radius:
                continue
            new = True
            for before in range(band):
                bits = words[row, before // 4] ^ others[j, before // 4]
                if _ones((bits >> np.uint64(16 * (before % 4))) & _SIXTEEN) <= apart:
                    new = False
                    break
            if not new:
                continue
            if count == len(found):
                state[0], state[1] = row, j
                return count
            found[count, 0], found[count, 1], found[count, 2] = row, j, far
            count += 1
        row += 1
    state[0] = last
    return count


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def two_nearest(words: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each of uint64 (N, 4) the nearest of `others`, uint64 (O, 4), as int64 (N, 3).

    Its place, of equally near ones the first; how far it is; and how far the next one is, 256 where
    there is none.
    """
    found = np.empty((len(words), 3), np.int64)
    for i in range(len(words)):
        a, b, c, d = words[i, 0], words[i, 1], words[i, 2], words[i, 3]
        place, best, second = -1, np.int64(256), np.int64(256)
        for j in range(len(others)):
            far = np.int64(_ones(a ^ others[j, 0]) + _ones(b ^ others[j, 1]))
            if far >= second:
                continue
            far += np.int64(_ones(c ^ others[j, 2]) + _ones(d ^ others[j, 3]))
            if far < best:
                place, best, second = j, far, best
            elif far < second:
                second = far
        found[i, 0], found[i, 1], found[i, 2] = place, best, second
    return found
