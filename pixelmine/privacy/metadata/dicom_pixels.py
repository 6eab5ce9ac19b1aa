"""DICOM's pixels: as many bytes as they take, coded frames without their own metadata."""

from typing import Any

from pixelmine.core import Reason

from .jpeg import rewrite_coded
from .packbits import cut_packbits
from .stripped import Allowed, MustEncode, TooMany, check_pixels

__all__ = ["rewrite_pixels"]

_NAMES = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_JPEG = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70))
"""Baseline, extended, and the two lossless ones of T.81."""
_RLE = "1.2.840.10008.1.2.5"
_HALVED = ("YBR_FULL_422", "YBR_PARTIAL_422")
_HEADER, _MAX_SEGMENTS = 64, 15


def rewrite_pixels(before: Any, after: Any, syntax: Any, allow: Allowed, removed: set[str]) -> None:
    """Add the pixels. Raises MustEncode for a coding whose own metadata are not known here."""
    names = [name for name in _NAMES if name in before]
    if len(names) != 1:
        raise MustEncode("It holds no pixels, or two kinds of them.")
    rows, columns = int(after.Rows), int(after.Columns)
    frames = int(after.get("NumberOfFrames", 1) or 1)
    check_pixels(columns, rows, allow.limits)
    if not 0 < frames <= allow.limits.max_frames:
        raise TooMany(Reason.TOO_MANY_FRAMES)
    element = before[names[0]]
    data = bytes(element.value)
    if not syntax.is_encapsulated:
        swapped = element.VR == "OW" and not syntax.is_little_endian
        made = _native(data, after, rows * columns * frames, swapped)
        if made != data:
            removed.add("bytes behind the pixels")
        after.add_new(element.tag, element.VR, made)
        return
    from pydicom.encaps import encapsulate, generate_frames

    coded = list(generate_frames(data, number_of_frames=frames))
    if len(coded) != frames:
        raise MustEncode("It does not hold as many frames as it says.")
    if syntax in _JPEG:
        made_frames = [_jpeg(frame, allow, removed) for frame in coded]
    elif syntax == _RLE:
        made_frames = [_rle(frame, rows * columns, removed) for frame in coded]
    else:
        raise MustEncode("Its pixels are coded in a way that is not rewritten.")
    after.add_new(element.tag, "OB", encapsulate(made_frames))
    after[element.tag].is_undefined_length = True


def _native(data: bytes, after: Any, pixels: int, swapped: bool) -> bytes:
    """An odd length has one byte more, which big-endian words have in front of the last one."""
    bits = pixels * int(after.SamplesPerPixel) * int(after.BitsAllocated)
    if after.get("PhotometricInterpretation") in _HALVED:
        bits = bits * 2 // 3
    size = (bits + 7) // 8
    if len(data) < size:
        raise MustEncode("It ends before its last pixel.")
    made = bytearray(data[:size].ljust(size + size % 2, b"\0"))
    if size % 2 and swapped and int(after.BitsAllocated) == 8:
        made[-2:] = b"\0" + data[size : size + 1]
    return bytes(made)


def _jpeg(frame: bytes, allow: Allowed, removed: set[str]) -> bytes:
    if frame[:2] != b"\xff\xd8":
        raise MustEncode("A frame is not the JPEG that it should be.")
    end = frame.rstrip(b"\0")  # a frame's length is even
    made, names = rewrite_coded(end, allow)
    removed |= names
    return made


def _rle(frame: bytes, pixels: int, removed: set[str]) -> bytes:
    """A header of offsets and a segment for each byte of a pixel. Source: PS3.5, annex G."""
    numbers = [int.from_bytes(frame[at : at + 4], "little") for at in range(0, _HEADER, 4)]
    count, *offsets = numbers
    if not 1 <= count <= _MAX_SEGMENTS or offsets[0] != _HEADER:
        raise MustEncode("The header of its coded pixels is broken.")
    ends = [*offsets[1:count], len(frame)]
    head, body = [count], b""
    for start, end in zip(offsets, ends, strict=False):
        segment = cut_packbits(frame[start:end], pixels)
        head.append(_HEADER + len(body))
        body += segment + b"\0" * (len(segment) % 2)
    head += [0] * (16 - len(head))
    made = b"".join(number.to_bytes(4, "little") for number in head) + body
    if made != frame:
        removed.add("bytes behind the pixels")
    return made
