"""Where a stream of LZW codes ends: what stands behind it in the same block is not the picture.

Sources: GIF89a, appendix F (CompuServe, 1990); TIFF 6.0, section 13 (Adobe, 1992).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from .stripped import MustEncode

__all__ = ["cut_lzw"]

_WIDEST = 12


def cut_lzw(coded: bytes, bits: int, size: int, *, gif: bool) -> bytes:
    """The codes of exactly `size` symbols of `bits` bits, and the end code where it follows.

    Bits behind them are 0. GIF packs from the lowest bit, TIFF from the highest and widens its
    codes one earlier. Raises MustEncode for another number of symbols, or broken codes.
    """
    if not 1 <= bits <= 8:
        raise MustEncode("Its LZW codes have an impossible width.")
    used = int(_scanner()(np.frombuffer(coded, np.uint8), bits, size, gif))
    if used < 0:
        raise MustEncode("Its LZW codes do not give the number of pixels that it says.")
    cut = bytearray(coded[: (used + 7) // 8])
    if used % 8:
        cut[-1] &= (1 << used % 8) - 1 if gif else 0xFF << (8 - used % 8) & 0xFF
    return bytes(cut)


@lru_cache(maxsize=1)
def _scanner() -> Any:
    """Compiled when first needed, which takes a second."""
    from numba import njit

    return njit(nogil=True)(_scan)


def _scan(coded: Any, bits: Any, size: Any, gif: Any) -> Any:
    """Bits used, -1 where the codes are wrong."""
    clear = 1 << bits
    lengths = np.zeros(4097, np.int64)
    lengths[:clear] = 1
    following, width, before, at, total = clear + 2, bits + 1, -1, 0, 0
    early = 0 if gif else 1
    while at + width <= 8 * len(coded):
        code = 0
        for bit in range(at, at + width):
            if gif:
                code |= ((coded[bit >> 3] >> (bit & 7)) & 1) << (bit - at)
            else:
                code = code << 1 | ((coded[bit >> 3] >> (7 - (bit & 7))) & 1)
        if code == clear + 1:
            return at + width if total == size else -1
        if total == size:
            return at
        at += width
        if code == clear:
            following, width, before = clear + 2, bits + 1, -1
            continue
        if before < 0:
            if code > clear:
                return -1
        else:
            if code > following or (code == following and following >= 4096):
                return -1
            if following < 4096:
                lengths[following] = lengths[before] + 1
                following += 1
                if following + early == 1 << width and width < _WIDEST:
                    width += 1
        total += lengths[code]
        before = code
        if total > size:
            return -1
    return at if total == size else -1
