"""PNG and APNG: what decodes the pixels, and colours as numbers. Source: W3C PNG, third edition."""

import zlib
from dataclasses import dataclass, field

from pixelmine.core import Reason

from .exif import orientation_block, orientation_of
from .icc import refuse_needed
from .inflated import exact_zlib
from .png_colours import kept_colours
from .stripped import Allowed, MustEncode, Rewritten, TooMany, check_pixels

__all__ = ["rewrite"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""Adam7: first column and row, and their steps."""
_NAMES = {
    **dict.fromkeys((b"tEXt", b"zTXt", b"iTXt"), "text"),
    b"eXIf": "EXIF",
    b"tIME": "time",
    b"iCCP": "ICC profile",
    b"pHYs": "resolution",
}
_COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_MAX_CHUNKS = 1_000_000
_MAX_PROFILE = 8 * 2**20


@dataclass
class _Frame:
    """One picture of the file: its control chunk (None for the still one) and coded pixels."""

    control: bytes | None
    still: bool
    parts: list[bytes] = field(default_factory=list)


@dataclass
class _Read:
    header: bytes = b""
    palette: bytes = b""
    transparent: bytes | None = None
    colours: dict[bytes, bytes] = field(default_factory=dict)
    profile: bytes | None = None
    exif: list[bytes] = field(default_factory=list)
    animation: bytes | None = None
    frames: list[_Frame] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what is broken."""
    read = _read(data, allow)
    kind = read.header[9]
    parts = [_SIGNATURE, _chunk(b"IHDR", read.header)]
    if read.profile is not None:
        refuse_needed(read.profile, "L" if kind in (0, 4) else "RGB")
    colours = kept_colours(read.colours, read.profile is not None)
    if read.profile is None and colours != read.colours:
        read.removed.add("colours out of their range")
    parts += [_chunk(name, body) for name, body in colours.items()]
    parts += _palette(read)
    orientation = orientation_of(read.exif[0]) if read.exif else None
    block = b""
    if allow.orientation == "keep" and orientation not in (None, 1):
        block = orientation_block(orientation or 1)
        parts.append(_chunk(b"eXIf", block))
    if read.exif and read.exif != [block]:
        read.removed.add("EXIF")
    parts += _pictures(read)
    parts.append(_chunk(b"IEND", b""))
    return Rewritten(data=b"".join(parts), removed=read.removed, orientation=orientation)


def _read(data: bytes, allow: Allowed) -> _Read:
    read = _Read()
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        length = int.from_bytes(data[at : at + 4], "big")
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        end = at + 12 + length
        if end > len(data):
            raise MustEncode("It ends inside a chunk.")
        if zlib.crc32(name + body) != int.from_bytes(data[end - 4 : end], "big"):
            raise MustEncode("A chunk's check sum is wrong.")
        if not read.header and name != b"IHDR":
            raise MustEncode("It does not begin with its header.")
        if name == b"IEND":
            if end < len(data):
                read.removed.add("trailing bytes")
            if length:
                read.removed.add("bytes in the last chunk")
            if not any(frame.still for frame in read.frames):
                raise MustEncode("It has no coded pixels.")
            return read
        _take(name, body, allow, read)
        at = end
    raise MustEncode("It has more chunks than any picture needs.")


def _take(name: bytes, body: bytes, allow: Allowed, read: _Read) -> None:
    seen = bool(read.frames)
    if name == b"IHDR":
        _header(body, allow, read)
    elif name == b"PLTE" and not seen and not read.palette:
        read.palette = body
    elif name == b"tRNS" and not seen and read.transparent is None:
        read.transparent = body
    elif name in _COLOURS and not seen and name not in read.colours:
        read.colours[name] = body
    elif name == b"acTL" and not seen and read.animation is None and len(body) == 8:
        read.animation = body
    elif name == b"fcTL" and read.animation is not None:
        _control(body, allow, read)
    elif name == b"IDAT":
        _still(body, read)
    elif name == b"fdAT" and read.animation is not None and read.frames:
        if read.frames[-1].still:
            raise MustEncode("Its animation is broken.")
        read.frames[-1].parts.append(body[4:])
    else:
        _drop(name, body, read)


def _header(body: bytes, allow: Allowed, read: _Read) -> None:
    if read.header or len(body) != 13 or body[8] not in _DEPTHS.get(body[9], ()):
        raise MustEncode("Its header is broken.")
    if any(body[10:12]) or body[12] > 1:
        raise MustEncode("It is coded in a way that is not known.")
    check_pixels(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"), allow.limits)
    read.header = body


def _control(body: bytes, allow: Allowed, read: _Read) -> None:
    if len(body) != 26 or body[24] > 2 or body[25] > 1:
        raise MustEncode("Its animation is broken.")
    width, height = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
    check_pixels(width, height, allow.limits)
    if len(read.frames) >= allow.limits.max_frames:
        raise TooMany(Reason.TOO_MANY_FRAMES)
    read.frames.append(_Frame(control=body[4:], still=False))


def _still(body: bytes, read: _Read) -> None:
    """What every reader shows; a control chunk in front makes it the animation's first."""
    if not read.frames:
        read.frames.append(_Frame(control=None, still=True))
    frame = read.frames[-1]
    if len(read.frames) > 1 or (frame.parts and not frame.still):
        raise MustEncode("Its coded pixels are apart.")
    frame.still = True
    frame.parts.append(body)


def _drop(name: bytes, body: bytes, read: _Read) -> None:
    if name[:1].isupper() and name not in (b"IHDR", b"PLTE"):
        raise MustEncode("It has a chunk that is needed and not known.")
    if name == b"eXIf":
        read.exif.append(body)
        return
    if name == b"iCCP" and read.profile is None:
        read.profile = _inflated_profile(body)
    read.removed.add(_NAMES.get(name, "unknown chunk"))


def _inflated_profile(body: bytes) -> bytes:
    _, _, coded = body.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(coded[1:], _MAX_PROFILE + 1)
    except zlib.error:
        return b""


def _palette(read: _Read) -> list[bytes]:
    """A palette where colours are indexes, and transparency of the length that it has."""
    kind, depth = read.header[9], read.header[8]
    parts = []
    if kind == 3:
        if not read.palette or len(read.palette) % 3:
            raise MustEncode("Its palette is missing or broken.")
        kept = read.palette[: 3 << depth]
        if kept != read.palette:
            read.removed.add("unused palette")
        parts.append(_chunk(b"PLTE", kept))
    elif read.palette:
        read.removed.add("unused palette")
    if read.transparent is not None:
        longest = {0: 2, 2: 6, 3: len(read.palette) // 3}.get(kind, 0)
        kept = read.transparent[: min(longest, 256)]
        if kept != read.transparent:
            read.removed.add("unused transparency")
        if kept and (kind == 3 or len(kept) == longest):
            parts.append(_chunk(b"tRNS", kept))
    return parts


def _pictures(read: _Read) -> list[bytes]:
    """The coded frames, numbered anew."""
    parts, number = [], 0
    controlled = [frame for frame in read.frames if frame.control is not None]
    if read.animation is not None and controlled:
        parts.append(_chunk(b"acTL", len(controlled).to_bytes(4, "big") + read.animation[4:]))
    for frame in read.frames:
        size = read.header[:8]
        if frame.control is not None:
            parts.append(_chunk(b"fcTL", number.to_bytes(4, "big") + frame.control))
            number += 1
            size = frame.control[:8]
        stream, cut = exact_zlib(b"".join(frame.parts), _raw_size(read.header, size))
        pieces = frame.parts
        if cut:
            read.removed.add("bytes behind the pixels")
            pieces = [stream]
        for piece in pieces:
            if frame.still:
                parts.append(_chunk(b"IDAT", piece))
            else:
                parts.append(_chunk(b"fdAT", number.to_bytes(4, "big") + piece))
                number += 1
    return parts


def _raw_size(header: bytes, size: bytes) -> int:
    """Bytes of the rows, each with its filter in front."""
    width, height = int.from_bytes(size[:4], "big"), int.from_bytes(size[4:8], "big")
    bits = header[8] * _SAMPLES[header[9]]
    passes = _PASSES if header[12] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + name + body + crc
