"""Coefficients to Huffman codes, compiled: one scan with all components, as baseline JPEG has it.

Source: ITU-T T.81, annex F. The members of the scan are told as `jpeg_bits.decode_scan` takes them.
"""

import numpy as np
from numba import njit

__all__ = ["count", "emit"]


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _bits(level: int) -> int:
    """How many bits the size of a number has."""
    size = abs(level)
    bits = 0
    while size:
        size >>= 1
        bits += 1
    return bits


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def count(
    blocks: np.ndarray,
    quarters: np.ndarray,
    members: np.ndarray,
    wide: int,
    high: int,
    interval: int,
    found: np.ndarray,
) -> None:
    """Add to `found`, int64 (T, 256), how often each table's symbols come.

    `blocks`: int16 (N, 64); `quarters`: the same memory as int64 (N, 16).
    """
    before = np.zeros(len(members), np.int64)
    for mcu in range(wide * high):
        if mcu % interval == 0:
            before[:] = 0
        row, column = mcu // wide, mcu % wide
        for c in range(len(members)):
            across, down = members[c, 2], members[c, 3]
            direct, others = members[c, 4], members[c, 5]
            for y in range(down):
                for x in range(across):
                    place = (row * down + y) * members[c, 1] + column * across + x
                    b = members[c, 0] + place
                    level = np.int64(blocks[b, 0])
                    found[direct, _bits(level - before[c])] += 1
                    before[c] = level
                    run = 0
                    k = 1
                    while k < 64:
                        if k & 3 == 0 and quarters[b, k >> 2] == 0:
                            run += 4
                            k += 4
                            continue
                        level = np.int64(blocks[b, k])
                        k += 1
                        if level == 0:
                            run += 1
                            continue
                        found[others, 240] += run >> 4
                        found[others, (run & 15) << 4 | _bits(level)] += 1
                        run = 0
                    if run:
                        found[others, 0] += 1


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _put(out: np.ndarray, at: int, word: int, held: int, more: int, bits: int) -> tuple:  # type: ignore[type-arg]  # numba's
    """Append up to 32 bits to the `held` ones in `word`; whole bytes go out, stuffed."""
    word = (word << bits) | more
    held += bits
    while held >= 8:
        held -= 8
        byte = (word >> held) & 255
        out[at] = byte
        at += 1
        if byte == 255:
            out[at] = 0
            at += 1
    return at, word & ((1 << held) - 1), held


@njit(nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def emit(
    blocks: np.ndarray,
    quarters: np.ndarray,
    members: np.ndarray,
    wide: int,
    high: int,
    interval: int,
    codes: np.ndarray,
    out: np.ndarray,
) -> int:
    """Write the coded data to `out`, uint8, which is long enough; gives how many bytes.

    `codes`: int64 (T, 256), length * 65536 + code; the rest as `count` takes it.
    """
    before = np.zeros(len(members), np.int64)
    at, word, held = 0, 0, 0
    for mcu in range(wide * high):
        if mcu % interval == 0:
            before[:] = 0
            if mcu:
                if held:
                    fill = 8 - held
                    at, word, held = _put(out, at, word, held, (1 << fill) - 1, fill)
                out[at] = 0xFF
                out[at + 1] = 0xD0 + (mcu // interval - 1) % 8
                at += 2
        row, column = mcu // wide, mcu % wide
        for c in range(len(members)):
            across, down = members[c, 2], members[c, 3]
            direct, others = codes[members[c, 4]], codes[members[c, 5]]
            for y in range(down):
                for x in range(across):
                    place = (row * down + y) * members[c, 1] + column * across + x
                    b = members[c, 0] + place
                    level = np.int64(blocks[b, 0])
                    apart = level - before[c]
                    before[c] = level
                    bits = _bits(apart)
                    code = direct[bits]
                    more = apart if apart >= 0 else apart + (1 << bits) - 1
                    more |= (code & 0xFFFF) << bits
                    at, word, held = _put(out, at, word, held, more, (code >> 16) + bits)
                    run = 0
                    k = 1
                    while k < 64:
                        if k & 3 == 0 and quarters[b, k >> 2] == 0:
                            run += 4
                            k += 4
                            continue
                        level = np.int64(blocks[b, k])
                        k += 1
                        if level == 0:
                            run += 1
                            continue
                        while run > 15:
                            code = others[240]
                            at, word, held = _put(out, at, word, held, code & 0xFFFF, code >> 16)
                            run -= 16
                        bits = _bits(level)
                        code = others[run << 4 | bits]
                        more = level if level >= 0 else level + (1 << bits) - 1
                        more |= (code & 0xFFFF) << bits
                        at, word, held = _put(out, at, word, held, more, (code >> 16) + bits)
                        run = 0
                    if run:
                        code = others[0]
                        at, word, held = _put(out, at, word, held, code & 0xFFFF, code >> 16)
    if held:
        fill = 8 - held
        at, word, held = _put(out, at, word, held, (1 << fill) - 1, fill)
    return at
