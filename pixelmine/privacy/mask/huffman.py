"""Huffman tables of JPEG: read, looked up, and made to fit. Source: ITU-T T.81, annexes C and K."""

import heapq
from dataclasses import dataclass

import numpy as np

from .refused import RefusedError

__all__ = ["Table", "fitting"]

_LONGEST = 16


@dataclass(frozen=True)
class Table:
    """`counts`: of codes of 1 to 16 bits, int64 (16,). `symbols`: uint8 (n,), in order of codes."""

    counts: np.ndarray
    symbols: np.ndarray

    @classmethod
    def read(cls, payload: bytes) -> list[tuple[int, "Table"]]:
        """The tables of one DHT segment; with each its slot, 0 to 3 for DC and 16 to 19 for AC."""
        found = []
        at = 0
        while at < len(payload):
            slot = payload[at]
            counts = np.frombuffer(payload[at + 1 : at + 17], np.uint8).astype(np.int64)
            total = int(counts.sum())
            symbols = np.frombuffer(payload[at + 17 : at + 17 + total], np.uint8)
            if len(counts) < _LONGEST or len(symbols) < total or slot & 0xEF > 3 or total > 256:
                raise RefusedError("a Huffman table is broken")
            found.append((slot, cls(counts, symbols)))
            at += 17 + total
        return found

    def written(self, slot: int) -> bytes:
        """As it stands in a DHT segment."""
        return bytes([slot]) + self.counts.astype(np.uint8).tobytes() + self.symbols.tobytes()

    @property
    def lengths(self) -> np.ndarray:
        """In bits, of each symbol's code, int64 (n,)."""
        return np.repeat(np.arange(1, _LONGEST + 1), self.counts)

    def lookup(self) -> np.ndarray:
        """By the next 16 bits: length * 256 + symbol, uint16 (65536,); 0 where no code fits."""
        lengths = self.lengths
        spans = 1 << (_LONGEST - lengths)
        filled = int(spans.sum())
        if filled > 1 << _LONGEST:
            raise RefusedError("a Huffman table has more codes than bits")
        table = np.zeros(1 << _LONGEST, np.uint16)
        table[:filled] = np.repeat((lengths * 256 + self.symbols).astype(np.uint16), spans)
        return table

    def codes(self) -> np.ndarray:
        """By symbol: length * 65536 + code, int64 (256,); 0 where there is no code."""
        lengths = self.lengths
        spans = 1 << (_LONGEST - lengths)
        starts = np.cumsum(spans) - spans
        codes = np.zeros(256, np.int64)
        codes[self.symbols] = lengths * 65536 + (starts >> (_LONGEST - lengths))
        return codes


def fitting(frequencies: np.ndarray) -> Table:
    """The table with the fewest bits for symbols of these frequencies, int64 (256,).

    None of its codes is all ones, and none is over 16 bits. Source: T.81, K.2 and K.3.
    """
    used = np.flatnonzero(frequencies)
    if not len(used):
        used = np.zeros(1, np.int64)  # a table holds a code at least
    # One more symbol takes the code of all ones.
    counts = _lengths([1, *frequencies[used].tolist()])
    for bits in range(len(counts) - 1, _LONGEST, -1):
        while counts[bits]:
            shorter = bits - 2
            while not counts[shorter]:
                shorter -= 1
            counts[bits] -= 2
            counts[bits - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    longest = max(bits for bits, count in enumerate(counts) if count)
    counts[longest] -= 1
    order = np.argsort(-frequencies[used], kind="stable")
    kept = (counts + [0] * _LONGEST)[1 : _LONGEST + 1]
    return Table(np.array(kept, np.int64), used[order].astype(np.uint8))


def _lengths(frequencies: list[int]) -> list[int]:
    """How many symbols have a code of 0, 1, 2... bits, without a limit to the bits."""
    heap: list[tuple[int, int]] = [(count, place) for place, count in enumerate(frequencies)]
    heapq.heapify(heap)
    parents = [0] * (2 * len(frequencies))
    next_place = len(frequencies)
    while len(heap) > 1:
        first, one = heapq.heappop(heap)
        second, other = heapq.heappop(heap)
        parents[one] = parents[other] = next_place
        heapq.heappush(heap, (first + second, next_place))
        next_place += 1
    depth = [0] * next_place
    for place in range(next_place - 2, -1, -1):
        depth[place] = depth[parents[place]] + 1
    leaves = depth[: len(frequencies)]
    counts = [0] * (max(leaves) + 1)
    for bits in leaves:
        counts[bits] += 1
    return counts
