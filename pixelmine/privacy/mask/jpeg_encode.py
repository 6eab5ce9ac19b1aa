"""A JPEG put together again from its quantised coefficients."""

from collections.abc import Sequence

import numpy as np

from .huffman import fitting
from .jpeg_bits_out import count, emit
from .jpeg_decode import Decoded
from .jpeg_frame import Frame
from .refused import RefusedError

__all__ = ["encode"]

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_LARGEST_DIRECT = 11
_LARGEST_OTHER = 10
"""Bits of a coefficient in baseline JPEG of 8 bits; a decoder need not take more."""


def encode(decoded: Decoded, headers: Sequence[tuple[int, bytes]]) -> bytes:
    """One scan, with Huffman tables made for what is in it now.

    Those of the file would tell of coefficients that are gone. `headers`: markers and payloads that
    come first.

    Raises RefusedError for coefficients that the format has no code for.
    """
    frame = decoded.frame
    members = _members(frame)
    wide, high = frame.mcus_wide, frame.mcus_high
    interval = decoded.interval or wide * high
    scan = (decoded.blocks, decoded.blocks.view(np.int64), members, wide, high, interval)
    found, codes = np.zeros((2, 4, 256), np.int64)
    count(*scan, found)
    by_size = found[1::2].reshape(2, 16, 16)
    if found[::2, _LARGEST_DIRECT + 1 :].any() or by_size[..., _LARGEST_OTHER + 1 :].any():
        raise RefusedError("a coefficient is beyond what baseline JPEG can hold")
    slots = range(4 if len(members) > 1 else 2)
    tables = [fitting(found[slot]) for slot in slots]
    for slot, table in zip(slots, tables, strict=True):
        codes[slot] = table.codes()
    out = np.empty(_room(found, codes, wide * high // interval), np.uint8)
    size = emit(*scan, codes, out)
    names = [(slot % 2) << 4 | slot // 2 for slot in slots]
    written = b"".join(table.written(name) for name, table in zip(names, tables, strict=True))
    parts = [_SOI, *(_segment(marker, payload) for marker, payload in headers)]
    parts += _quantisation(decoded)
    if decoded.interval:
        parts.append(_segment(0xDD, decoded.interval.to_bytes(2, "big")))
    parts += [_segment(0xC4, written), _scan_header(frame), out[:size].tobytes(), _EOI]
    return b"".join(parts)


def _members(frame: Frame) -> np.ndarray:
    """As `decode_scan` takes them: the first component has tables of its own."""
    rows = []
    for place, one in enumerate(frame.components):
        table = 2 if place else 0
        rows.append((one.first, one.wide, one.across, one.down, table, table + 1))
    return np.array(rows, np.int64)


def _room(found: np.ndarray, codes: np.ndarray, restarts: int) -> int:
    """Bytes that are enough, were each of them stuffed."""
    extra = np.arange(256)[None] & 15
    bits = int((found * ((codes >> 16) + extra)).sum())
    return 2 * (bits // 8 + 2) + 4 * (restarts + 1)


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def _quantisation(decoded: Decoded) -> list[bytes]:
    """DQT and SOF; SOF0 where the tables have 8 bits, as baseline JPEG asks, else SOF1."""
    slots = sorted({one.quantised_by for one in decoded.frame.components})
    wide = False
    payload = b""
    for slot in slots:
        table = decoded.quantisation[slot]
        is_wide = bool((table > 255).any())
        wide |= is_wide
        payload += bytes([is_wide << 4 | slot])
        payload += table.astype(">u2" if is_wide else np.uint8).tobytes()
    return [_segment(0xDB, payload), _segment(0xC1 if wide else 0xC0, decoded.frame.payload)]


def _scan_header(frame: Frame) -> bytes:
    payload = bytes([len(frame.components)])
    for place, one in enumerate(frame.components):
        payload += bytes([one.name, 0x11 if place else 0])
    return _segment(0xDA, payload + bytes([0, 63, 0]))
