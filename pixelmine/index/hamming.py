"""All pairs of 256-bit hashes that differ in few bits: an exact join.

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast exact search in Hamming space with
multi-index hashing", 2014): a hash is cut into 16 bands of 16 bits. Of two hashes at most r bits
apart, some band is at most r // 16 apart, so that only pairs which agree that far in a band are
compared: for evenly spread hashes and r = 31 one of 240. Where the bands would give as many pairs
as there are, because the hashes crowd together or r is large, each is compared with each.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["BITS", "PDQ_RADIUS", "distinct", "near_pair_blocks", "near_pairs"]

BITS = 256
PDQ_RADIUS = 31
"""Bits: what Meta recommends for PDQ ("The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm", 2019)."""

_BANDS, _KEYS = 16, 1 << 16
_CANDIDATE_BYTES = 128
"""Of working memory for each pair that is compared."""
_PAIR_BYTES = 48
"""Of a found pair and its distance, twice: in pieces and joined."""
_FEW = 1 << 20
"""Pairs that are compared sooner than the bands are laid out."""
_CACHED = 1 << 17
"""Pairs compared at once, at most: 16 MB, which larger blocks only push out of the cache."""


class _Side(NamedTuple):
    """The hashes of one side: `words` uint64 (N, 4), `keys` uint16 (N, 16)."""

    words: np.ndarray
    keys: np.ndarray


class _Ranges(NamedTuple):
    """Candidates: each of the rows `left` with the rows `low` to below `high` of the other side."""

    left: np.ndarray
    low: np.ndarray
    high: np.ndarray


def distinct(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of uint8 (N, 32), as (U, 32), and the place of each in them, int64 (N,).

    Join these, not the hashes themselves, where many may be equal: 100,000 equal hashes are 5e9
    pairs.
    """
    _check("hashes", hashes)
    rows = np.ascontiguousarray(hashes).view("V32").ravel()
    _, first, place = np.unique(rows, return_index=True, return_inverse=True)
    return hashes[first], place.astype(np.int64)


def near_pairs(
    hashes: np.ndarray,
    radius: int = PDQ_RADIUS,
    *,
    others: np.ndarray | None = None,
    memory_bytes: int = 2**30,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs at most `radius` bits apart, int64 (P, 2), and how far each is, int64 (P,).

    `hashes`: uint8 (N, 32). A pair (i, j) has i < j; with `others`, uint8 (M, 32), i is a place in
    `hashes` and j one in `others`. Sorted. Raises UsageError where the pairs would take more than
    `memory_bytes`: take `near_pair_blocks` then, or join the `distinct` hashes.
    """
    pairs, distances, count = [np.empty((0, 2), np.int64)], [np.empty(0, np.int64)], 0
    blocks = near_pair_blocks(hashes, radius, others=others, memory_bytes=memory_bytes)
    for some, apart in blocks:
        count += len(some)
        if count * _PAIR_BYTES > memory_bytes:
            raise UsageError(
                f"More than {count:,} pairs of hashes lie within {radius} bits, which is more than "
                f"{memory_bytes:,} bytes hold. Take a smaller radius, or the distinct hashes alone."
            )
        pairs.append(some)
        distances.append(apart)
    found, far = np.concatenate(pairs), np.concatenate(distances)
    order = np.lexsort((found[:, 1], found[:, 0]))
    return found[order], far[order]


def near_pair_blocks(
    hashes: np.ndarray,
    radius: int = PDQ_RADIUS,
    *,
    others: np.ndarray | None = None,
    memory_bytes: int = 2**30,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pairs of `near_pairs` in blocks and in no order, each pair once.

    Beside the hashes and their order (about 200 bytes each), no more than `memory_bytes` is held.
    """
    _check("hashes", hashes)
    if others is not None:
        _check("others", others)
    if not 0 <= radius <= BITS:
        raise UsageError(f"radius must be 0 to {BITS} bits. Got {radius} instead.")
    if memory_bytes < _CANDIDATE_BYTES:
        raise UsageError(f"memory_bytes must be at least {_CANDIDATE_BYTES}. Got {memory_bytes}.")
    left = _side(hashes)
    right = left if others is None else _side(others)
    most = min(memory_bytes // _CANDIDATE_BYTES, _CACHED)
    reach = _reach(left, right, radius)
    if reach is None:
        yield from _all(left, right, radius, most)
    else:
        for band in range(_BANDS):
            yield from _band(left, right, radius, most, band, reach)


def _check(name: str, hashes: np.ndarray) -> None:
    if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != BITS // 8:
        raise UsageError(
            f"{name} must be uint8 (N, {BITS // 8}). Got {hashes.dtype} {hashes.shape} instead."
        )


def _side(hashes: np.ndarray) -> _Side:
    hashes = np.ascontiguousarray(hashes)
    return _Side(hashes.view(np.uint64), hashes.view(np.uint16))


def _reach(left: _Side, right: _Side, radius: int) -> np.ndarray | None:
    """The masks of the keys to look under, uint16; None where all pairs are fewer to compare."""
    every = len(left.words) * len(right.words)
    apart = radius // _BANDS
    if every <= _FEW or apart > 3:
        return None
    bits = (sum(1 << bit for bit in bits) for n in range(apart + 1) for bits in _of_16(n))
    masks = np.array(list(bits), np.uint16)
    candidates, keys = 0, np.arange(_KEYS, dtype=np.uint16)
    for band in range(_BANDS):
        here = np.bincount(left.keys[:, band], minlength=_KEYS)
        there = np.bincount(right.keys[:, band], minlength=_KEYS)
        candidates += sum(int(here @ there[keys ^ mask]) for mask in masks)
    return masks if candidates < every else None


def _of_16(count: int) -> Iterator[tuple[int, ...]]:
    return combinations(range(_KEYS.bit_length() - 1), count)


def _all(
    left: _Side, right: _Side, radius: int, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = np.arange(len(left.words))
    low = rows + 1 if left is right else np.zeros_like(rows)
    ranges = _Ranges(rows, low, np.full_like(rows, len(right.words)))
    for i, j in _candidates(ranges, most):
        i, j, apart = _near(left.words, right.words, i, j, radius)
        yield np.stack([i, j], axis=1), apart


def _band(
    left: _Side, right: _Side, radius: int, most: int, band: int, masks: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs that agree in this band and in none before it."""
    mine = np.argsort(left.keys[:, band], kind="stable")
    theirs = mine if left is right else np.argsort(right.keys[:, band], kind="stable")
    keys = left.keys[mine, band]
    starts = np.concatenate([[0], np.cumsum(np.bincount(right.keys[:, band], minlength=_KEYS))])
    words = left.words[mine]
    other_words = words if left is right else right.words[theirs]
    for mask in masks:
        ranges = _ranges(keys, starts, mask, left is right)
        for i, j in _candidates(ranges, most):
            i, j, apart = _near(words, other_words, i, j, radius)
            i, j = mine[i], theirs[j]
            new = ~_agree(left.keys[i, :band], right.keys[j, :band], radius // _BANDS)
            pairs = np.stack([i[new], j[new]], axis=1)
            yield np.sort(pairs, axis=1) if left is right else pairs, apart[new]


def _ranges(keys: np.ndarray, starts: np.ndarray, mask: int, same: bool) -> _Ranges:
    """Rows sorted by key, and those with key ^ mask; on one side, each pair from one row only."""
    rows = np.arange(len(keys))
    target = keys ^ mask
    low, high = starts[target], starts[target.astype(np.int64) + 1]
    if same:
        low = np.maximum(low, rows + 1)
    some = low < high
    return _Ranges(rows[some], low[some], high[some])


def _candidates(ranges: _Ranges, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The places of both, at most `most` at a time; a long range is cut."""
    counts = np.maximum(ranges.high - ranges.low, 0)
    ends = np.cumsum(counts)
    begins = ends - counts
    total = int(ends[-1]) if len(ends) else 0
    for start in range(0, total, most):
        stop = min(start + most, total)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        some = np.arange(first, last + 1)
        inside = np.minimum(ends[some], stop) - np.maximum(begins[some], start)
        row = np.repeat(some, inside)
        yield ranges.left[row], np.arange(start, stop) + (ranges.low - begins)[row]


def _near(
    words: np.ndarray, others: np.ndarray, i: np.ndarray, j: np.ndarray, radius: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those of the candidates that are near enough, and how far they are."""
    bits = np.bitwise_count(words.take(i, 0) ^ others.take(j, 0))
    apart = (bits[:, 0] + bits[:, 1]).astype(np.int64) + (bits[:, 2] + bits[:, 3])
    near = np.flatnonzero(apart <= radius)
    return i[near], j[near], apart[near]


def _agree(keys: np.ndarray, others: np.ndarray, apart: int) -> np.ndarray:
    """Whether uint16 (P, B) keys are within `apart` bits of the others in any band: bool (P,)."""
    return np.asarray((np.bitwise_count(keys ^ others) <= apart).any(axis=1))
