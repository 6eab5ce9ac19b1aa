"""BMP: header, palette and pixels, close together. Source: Microsoft, BITMAPINFOHEADER."""

import struct

from .icc import refuse_needed
from .stripped import Allowed, MustEncode, Rewritten, check_pixels

__all__ = ["rewrite"]

_CORE, _INFO = 12, (40, 52, 56, 108, 124)
_RGB, _BITFIELDS = 0, 3
_SRGB, _EMBEDDED = b"BGRs", b"DEBM"
_FILE = 14


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for compressed or broken files."""
    if len(data) < _FILE + _CORE:
        raise MustEncode("Its header is cut off.")
    offset, size = struct.unpack_from("<II", data, 10)
    if size == _CORE:
        width, height, planes, bits = struct.unpack_from("<HHHH", data, 18)
        compression, used, entry = _RGB, 0, 3
    elif size in _INFO and len(data) >= _FILE + size:
        width, height, planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        used = struct.unpack_from("<I", data, 46)[0]
        entry = 4
    else:
        raise MustEncode("Its header is of an unknown kind.")
    check_pixels(width, abs(height), allow.limits)
    if planes != 1 or bits not in (1, 4, 8, 16, 24, 32):
        raise MustEncode("Its pixels have an unknown depth.")
    if compression not in (_RGB, _BITFIELDS) or (compression == _BITFIELDS and bits < 16):
        raise MustEncode("It is compressed, which is not rewritten.")
    outside = 12 if size == 40 and compression == _BITFIELDS else 0
    masks = data[54 : 54 + outside]
    colours = min(used or 1 << bits, 1 << bits) if bits <= 8 else 0
    start = _FILE + size + outside
    palette = bytearray(data[start : start + entry * colours])
    stride = (width * bits + 31) // 32 * 4
    pixels = data[offset : offset + stride * abs(height)]
    if offset < start or len(palette) < entry * colours or len(pixels) < stride * abs(height):
        raise MustEncode("It ends before its last pixel, or its palette lies in its pixels.")
    if offset < start + len(palette):
        raise MustEncode("Its palette lies in its pixels.")
    if entry == 4:
        palette[3::4] = bytes(colours)
    removed = _removed(data, offset, start + entry * colours, stride * abs(height), size)
    body = _without_padding(pixels, width, bits, compression, stride)
    if body != pixels:
        removed.add("padding")
    header = _header(data, size, colours, len(body))
    begins = _FILE + len(header) + outside + len(palette)
    whole = b"BM" + struct.pack("<IHHI", begins + len(body), 0, 0, begins)
    made = b"".join((whole, header, masks, bytes(palette), body))
    if size > _CORE and data[34:46] != made[34:46]:
        removed.add("resolution")
    return Rewritten(data=made, removed=removed)


def _removed(data: bytes, offset: int, palette_end: int, length: int, size: int) -> set[str]:
    removed = set()
    if offset > palette_end:
        removed.add("gap before the pixels")
    if len(data) > offset + length:
        removed.add("trailing bytes")
    if any(data[6:10]):
        removed.add("reserved fields")
    if size == 124 and int.from_bytes(data[_FILE + 116 : _FILE + 120], "little"):
        removed.add("ICC profile")
        if data[_FILE + 56 : _FILE + 60] == _EMBEDDED:
            at, length = struct.unpack_from("<II", data, _FILE + 112)
            refuse_needed(data[_FILE + at : _FILE + at + length], "RGB")
    return removed


def _header(data: bytes, size: int, colours: int, length: int) -> bytes:
    """As it was as far as it decodes pixels; colours are sRGB's."""
    if size == _CORE:
        return data[_FILE : _FILE + _CORE]
    numbers = struct.pack("<IIIII", length, 0, 0, colours, 0)
    header = data[_FILE : _FILE + 20] + numbers + data[_FILE + 40 : _FILE + min(size, 56)]
    if size > 56:
        header += _SRGB + bytes(size - 60)
    return header


def _without_padding(pixels: bytes, width: int, bits: int, compression: int, stride: int) -> bytes:
    """Rows end at a multiple of four bytes, 32-bit pixels of three colours in one unused byte."""
    import numpy as np

    rows = np.frombuffer(pixels, np.uint8).reshape(-1, stride).copy()
    full, rest = divmod(width * bits, 8)
    if rest:
        rows[:, full] &= 0xFF << (8 - rest) & 0xFF
        full += 1
    rows[:, full:] = 0
    if bits == 32 and compression == _RGB:
        rows[:, 3::4] = 0
    return rows.tobytes()
