"""Whether a file is longer by its own account than it is.

Asked when a decoder has failed without saying why, so that a file that was cut off is told from one
that contradicts itself. Nothing here decodes.
"""

import struct

from .tiff import Tiff

__all__ = ["frames_are_missing", "is_cut_off"]

_MAX_BOXES = 100_000


def is_cut_off(data: bytes, name: str) -> bool:
    """Whether bytes are missing at the end. False where the format does not tell."""
    match name:
        case "webp" | "avi":
            return 8 + int.from_bytes(data[4:8], "little") > len(data)
        case "avif" | "heic" | "mp4" | "mov":
            return _boxes_are_cut(data)
        case "jpeg2000":
            return not data.startswith(b"\xff\x4f") and _boxes_are_cut(data)
        case "mkv" | "webm":
            return _segment_is_cut(data)
        case "ico":
            return _icons_are_cut(data)
        case "tiff":
            return _tiff_is_cut(Tiff(data))
    return False


def frames_are_missing(data: bytes, name: str) -> bool:
    """Whether more frames were meant to come behind the last one that can be found."""
    if name == "tiff":
        return Tiff(data).chain_is_cut
    return name in ("mp4", "mov", "mkv", "webm", "avi") and is_cut_off(data, name)


def _boxes_are_cut(data: bytes) -> bool:
    """ISO/IEC 14496-12, 4.2: boxes of a size and a type one after the other; size 0: to the end."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return at != len(data)
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            return False
        at += size
    return False


def _segment_is_cut(data: bytes) -> bool:
    """RFC 8794 and 9559: the EBML header, then the Segment, each behind its length."""
    at = 0
    for mark in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):
        if data[at : at + 4] != mark or at + 5 > len(data):
            return at + 5 > len(data)
        width = 9 - data[at + 4].bit_length()
        length = int.from_bytes(data[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
        if length == (1 << 7 * width) - 1:
            return False  # a length that was not known when the file was written
        at += 4 + width + length
    return at > len(data)


def _icons_are_cut(data: bytes) -> bool:
    count = int.from_bytes(data[4:6], "little")
    entries = [data[6 + 16 * i : 22 + 16 * i] for i in range(count)]
    return any(
        len(entry) < 16 or sum(struct.unpack("<II", entry[8:])) > len(data) for entry in entries
    )


def _tiff_is_cut(tiff: Tiff) -> bool:
    return tiff.chain_is_cut or tiff.pixels_end() > len(tiff.data)
