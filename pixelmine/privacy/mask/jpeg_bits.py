"""Huffman codes to coefficients, compiled.

A block is int16 (64,), quantised, in zigzag order. Source: ITU-T T.81, annexes F and G. It is
compiled when it is first called, which takes seconds, and kept for the process alone.
"""

from typing import Any

import numpy as np
from numba import njit

__all__ = ["BROKEN", "CUT_OFF", "LOOKAHEAD", "decode_scan"]

BROKEN, CUT_OFF = 1, 2
"""What `decode_scan` answers besides 0."""

LOOKAHEAD = 512
"""Bytes that stand behind the coded data: a block reads on for less than that before it stops."""

_BEYOND = np.int64(32767)
_Number = Any
"""int64, which is NumPy's to mypy and an int to numba."""


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _next(data: np.ndarray, at: _Number) -> _Number:
    """The 32 bits from bit `at` on."""
    byte = at >> 3
    word = (
        (np.int64(data[byte]) << 32)
        | (np.int64(data[byte + 1]) << 24)
        | (np.int64(data[byte + 2]) << 16)
        | (np.int64(data[byte + 3]) << 8)
        | np.int64(data[byte + 4])
    )
    return (word >> (8 - (at & 7))) & 0xFFFFFFFF


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _value(word: _Number, used: _Number, bits: _Number) -> _Number:
    """The signed number in `bits` bits of 32, after those that are used."""
    number = (word >> (32 - used - bits)) & ((1 << bits) - 1)
    return number if number >> (bits - 1) else number - (1 << bits) + 1


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _direct(
    data: np.ndarray,
    at: _Number,
    table: np.ndarray,
    block: np.ndarray,
    before: _Number,
    low: _Number,
) -> _Number:
    """The first coefficient, which is told as the difference to `before`. Gives where it ends."""
    word = _next(data, at)
    entry = np.int64(table[word >> 16])
    length, bits = entry >> 8, entry & 255
    if length == 0 or bits > 15:
        return -1
    level = before
    if bits:
        level += _value(word, length, bits)
    if abs(level << low) > _BEYOND:
        return -1
    block[0] = level << low
    return at + length + bits


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _others(
    data: np.ndarray,
    at: _Number,
    table: np.ndarray,
    block: np.ndarray,
    first: _Number,
    last: _Number,
    low: _Number,
    ends: np.ndarray,
) -> _Number:
    """Coefficients first to last. `ends[0]`: blocks after this one that have none of them."""
    k = first
    while k <= last:
        word = _next(data, at)
        entry = np.int64(table[word >> 16])
        length, run, bits = entry >> 8, (entry >> 4) & 15, entry & 15
        if length == 0:
            return -1
        at += length
        if bits:
            k += run
            level = _value(word, length, bits)
            if k > last or abs(level << low) > _BEYOND:
                return -1
            block[k] = level << low
            k += 1
            at += bits
        elif run == 15:
            k += 16
        else:
            if run:
                ends[0] = (1 << run) - 1 + ((word >> (32 - length - run)) & ((1 << run) - 1))
                at += run
            break
    return at


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _refined(
    data: np.ndarray,
    at: _Number,
    table: np.ndarray,
    block: np.ndarray,
    first: _Number,
    last: _Number,
    low: _Number,
    ends: np.ndarray,
) -> _Number:
    """One more bit of the coefficients first to last that are not 0, and those that become so."""
    unit: _Number = 1 << low
    k: _Number = first
    ended = ends[0] > 0
    if ended:
        ends[0] -= 1
    while k <= last:
        run = np.int64(64)  # after the end of a block every coefficient is passed by
        level: _Number = 0
        if not ended:
            word = _next(data, at)
            entry = np.int64(table[word >> 16])
            length, run, bits = entry >> 8, (entry >> 4) & 15, entry & 15
            if length == 0 or bits > 1:
                return -1
            at += length
            if bits:
                level = unit if (word >> (31 - length)) & 1 else -unit
                at += 1
            elif run < 15:
                if run:
                    ends[0] = (1 << run) - 1 + ((word >> (32 - length - run)) & ((1 << run) - 1))
                    at += run
                ended = True
                run = np.int64(64)
        while k <= last:
            known = np.int64(block[k])
            if known == 0:
                if run == 0:
                    break
                run -= 1
            else:
                if (data[at >> 3] >> (7 - (at & 7))) & 1 and not known & unit:
                    block[k] = known + unit if known > 0 else known - unit
                at += 1
            k += 1
        if level:
            if k > last:
                return -1
            block[k] = level
        k += 1
    return at


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def decode_scan(
    data: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    members: np.ndarray,
    wide: int,
    high: int,
    interval: int,
    tables: np.ndarray,
    progressive: bool,
    first: int,
    last: int,
    refine: bool,
    low: int,
    blocks: np.ndarray,
) -> int:
    """Add what one scan says to `blocks`, int16 (N, 64). Gives 0, BROKEN or CUT_OFF.

    `data`: uint8, without stuffing and restart markers, and LOOKAHEAD more bytes. `starts`,
    `stops`: int64, the bits where each restart segment begins and ends. `members`: int64 (C, 6), of
    each component its first block, blocks in a row, blocks of an MCU across and down, and places of
    the DC and AC tables in `tables`, uint16 (T, 65536). `wide`, `high`: of the scan, in MCUs.
    `interval`: MCUs from one restart to the next.
    """
    before = np.zeros(len(members), np.int64)
    ends = np.zeros(1, np.int64)
    segment = -1
    at: _Number = np.int64(0)
    stop = np.int64(0)
    for mcu in range(wide * high):
        if mcu % interval == 0:
            segment += 1
            if segment == len(starts):
                return CUT_OFF
            at, stop = starts[segment], stops[segment]
            before[:] = 0
            ends[0] = 0
        row, column = mcu // wide, mcu % wide
        for c in range(len(members)):
            across, down = members[c, 2], members[c, 3]
            direct, others = tables[members[c, 4]], tables[members[c, 5]]
            for y in range(down):
                for x in range(across):
                    place = (row * down + y) * members[c, 1] + column * across + x
                    block = blocks[members[c, 0] + place]
                    if first == 0:
                        if refine:
                            if (data[at >> 3] >> (7 - (at & 7))) & 1:
                                block[0] |= 1 << low
                            at += 1
                        else:
                            at = _direct(data, at, direct, block, before[c], low)
                            before[c] = np.int64(block[0]) >> low
                        if at >= 0 and not progressive:
                            at = _others(data, at, others, block, 1, 63, 0, ends)
                            if ends[0]:
                                return BROKEN
                    elif refine:
                        at = _refined(data, at, others, block, first, last, low, ends)
                    elif ends[0]:
                        ends[0] -= 1
                    else:
                        at = _others(data, at, others, block, first, last, low, ends)
                    if at < 0:
                        return BROKEN
                    if at > stop:
                        return CUT_OFF
    return 0
