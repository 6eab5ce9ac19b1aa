"""All pairs of 256-bit hashes that differ in few bits: an exact join.

Multi-index hashing (Norouzi, Punjani and Fleet, "Fast exact search in Hamming space with
multi-index hashing", 2014): a hash is cut into 16 bands of 16 bits. Of two hashes at most r bits
apart, some band is at most r // 16 apart, so that only pairs which agree that far in a band are
compared: for evenly spread hashes and r = 31 one of 240. Where the bands would give as many pairs
as there are, because the hashes crowd together or r is large, each is compared with each.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.core.processors import processors

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
_WHOLE = -1
"""The piece of a join that is not cut into bands."""
_FEW = 1 << 26
"""Pairs that NumPy compares sooner, in some .6 s, than the counting is compiled."""
_CACHED = 1 << 16
"""Pairs of a block, at most: 1.5 MB for each of the tasks that run at once."""


class _Side(NamedTuple):
    """The hashes of one side: `words` uint64 (N, 4), `keys` uint16 (N, 16)."""

    words: np.ndarray
    keys: np.ndarray


class _Layout(NamedTuple):
    """Both sides sorted by one band's key: what `scan` takes, and the places in the hashes."""

    words: np.ndarray
    keys: np.ndarray
    others: np.ndarray
    starts: np.ndarray
    mine: np.ndarray
    theirs: np.ndarray
    same: bool


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
    check_join(hashes, radius, others)
    if memory_bytes < _CANDIDATE_BYTES:
        raise UsageError(f"memory_bytes must be at least {_CANDIDATE_BYTES}. Got {memory_bytes}.")
    left = _side(hashes)
    right = left if others is None else _side(others)
    most = min(memory_bytes // _CANDIDATE_BYTES, _CACHED)
    every = len(left.words) * len(right.words)
    if every <= _FEW:
        yield from _all(left, right, radius, most)
        return
    masks = _masks(left, right, radius)
    if masks is None:
        yield from _scan(_one_block(left, right), (0,), -1, 0, radius, most)
        return
    for band in range(_BANDS):
        yield from _band(left, right, radius, band, masks, most)


def check_join(hashes: np.ndarray, radius: int, others: np.ndarray | None) -> None:
    """Raise UsageError for what cannot be joined."""
    _check("hashes", hashes)
    if others is not None:
        _check("others", others)
    if not 0 <= radius <= BITS:
        raise UsageError(f"radius must be 0 to {BITS} bits. Got {radius} instead.")


def pieces(hashes: np.ndarray, radius: int, others: np.ndarray | None = None) -> list[int]:
    """The numbers of the pieces that a join falls into, for `piece`: each can run elsewhere."""
    left = _side(hashes)
    right = left if others is None else _side(others)
    every = len(left.words) * len(right.words)
    few = every <= _FEW or _masks(left, right, radius) is None
    return [_WHOLE] if few else list(range(_BANDS))


def piece(
    hashes: np.ndarray, radius: int, number: int, others: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The blocks of one piece; all pieces together give what `near_pair_blocks` gives."""
    left = _side(hashes)
    right = left if others is None else _side(others)
    if number == _WHOLE:
        yield from _scan(_one_block(left, right), (0,), -1, 0, radius, _CACHED)
        return
    masks = _masks(left, right, radius)
    if masks is not None:
        yield from _band(left, right, radius, number, masks, _CACHED)


def _check(name: str, hashes: np.ndarray) -> None:
    if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != BITS // 8:
        raise UsageError(
            f"{name} must be uint8 (N, {BITS // 8}). Got {hashes.dtype} {hashes.shape} instead."
        )


def _side(hashes: np.ndarray) -> _Side:
    hashes = np.ascontiguousarray(hashes)
    return _Side(hashes.view(np.uint64), hashes.view(np.uint16))


def _masks(left: _Side, right: _Side, radius: int) -> tuple[int, ...] | None:
    """The masks of the keys to look under; None where all pairs are fewer to compare."""
    apart = radius // _BANDS
    if apart > 3:
        return None
    bits = range(_KEYS.bit_length() - 1)
    masks = tuple(
        sum(1 << bit for bit in some) for n in range(apart + 1) for some in combinations(bits, n)
    )
    candidates, keys = 0, np.arange(_KEYS)
    for band in range(_BANDS):
        here = np.bincount(left.keys[:, band], minlength=_KEYS)
        there = np.bincount(right.keys[:, band], minlength=_KEYS)
        candidates += sum(int(here @ there[keys ^ mask]) for mask in masks)
    return masks if candidates < len(left.words) * len(right.words) else None


def _all(
    left: _Side, right: _Side, radius: int, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of few hashes each with each, before anything could be compiled."""
    same, step = left is right, max(1, most // max(1, len(right.words)))
    for start in range(0, len(left.words), step):
        bits = np.bitwise_count(left.words[start : start + step, None] ^ right.words[None])
        apart = bits.sum(axis=2, dtype=np.int64)
        i, j = np.nonzero(apart <= radius)
        far = apart[i, j]
        kept = j > i + start if same else np.ones(len(i), bool)
        for at in range(0, len(i), most):
            some = np.flatnonzero(kept[at : at + most]) + at
            yield np.stack([i[some] + start, j[some]], axis=1), far[some]


def _band(
    left: _Side, right: _Side, radius: int, band: int, masks: tuple[int, ...], most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs that agree in this band and in none before it."""
    mine = _order(left.keys[:, band])
    theirs = mine if left is right else _order(right.keys[:, band])
    counts = np.bincount(right.keys[:, band], minlength=_KEYS)
    words = left.words[mine]
    layout = _Layout(
        words=words,
        keys=left.keys[mine, band],
        others=words if left is right else right.words[theirs],
        starts=np.concatenate([[0], np.cumsum(counts)]),
        mine=mine,
        theirs=theirs,
        same=left is right,
    )
    yield from _scan(layout, masks, band, radius // _BANDS, radius, most)


def _one_block(left: _Side, right: _Side) -> _Layout:
    """All hashes under one key: each is compared with each."""
    return _Layout(
        words=left.words,
        keys=np.zeros(len(left.words), np.uint16),
        others=right.words,
        starts=np.array([0, len(right.words)]),
        mine=np.arange(len(left.words)),
        theirs=np.arange(len(right.words)),
        same=left is right,
    )


def _order(keys: np.ndarray) -> np.ndarray:
    order = np.argsort(keys, kind="stable")
    return order.astype(np.int32) if len(order) < 2**31 else order


def _scan(
    layout: _Layout, masks: tuple[int, ...], band: int, apart: int, radius: int, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Look under all masks, the rows cut into enough tasks to keep every core busy."""
    from .hamming_scan import scan

    def look(mask: int, state: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
        found = np.empty((most, 3), np.int64)
        count = scan(
            layout.words, layout.keys, layout.others, layout.starts,
            mask, layout.same, max(band, 0), apart, radius, last, state, found,
        )  # fmt: skip
        return found[:count].copy(), state

    cores = processors()
    edges = np.linspace(0, len(layout.words), 8 * cores + 1).astype(np.int64)
    tasks = ((mask, np.array([low, -1]), int(high))
             for mask in masks for low, high in pairwise(edges))  # fmt: skip
    waiting: deque[tuple[int, int, Future[tuple[np.ndarray, np.ndarray]]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        while True:
            while len(waiting) <= cores and (task := next(tasks, None)) is not None:
                mask, state, last = task
                waiting.append((mask, last, pool.submit(look, mask, state, last)))
            if not waiting:
                return
            mask, last, future = waiting.popleft()
            found, state = future.result()
            if state[0] < last:
                waiting.appendleft((mask, last, pool.submit(look, mask, state, last)))
            if len(found):
                yield _places(layout, found), found[:, 2]


def _places(layout: _Layout, found: np.ndarray) -> np.ndarray:
    pairs = np.stack([layout.mine[found[:, 0]], layout.theirs[found[:, 1]]], axis=1)
    return (np.sort(pairs, axis=1) if layout.same else pairs).astype(np.int64)
