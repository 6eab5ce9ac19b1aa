"""GIF: frames, delays, the loop. Source: GIF89a (CompuServe, 1990)."""

from pixelmine.core import Reason

from .lzw import cut_lzw
from .stripped import Allowed, MustEncode, Rewritten, TooMany, check_pixels

__all__ = ["rewrite"]

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT, _APPLICATION, _TEXT = 0xF9, 0xFE, 0xFF, 0x01
_NAMES = {_COMMENT: "comment", _APPLICATION: "application extension", _TEXT: "plain text"}
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_MAX_BLOCKS = 100_000


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what is broken."""
    if len(data) < 13:
        raise MustEncode("Its header is cut off.")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    check_pixels(width, height, allow.limits)
    removed: set[str] = set()
    if data[12]:
        removed.add("aspect")
    at = 13 + _palette(data[10])
    parts = [data[:12] + b"\0" + data[13:at]]
    control, frames, pixels = b"", 0, 0
    for _ in range(_MAX_BLOCKS):
        kind = data[at] if at < len(data) else _TRAILER
        if kind == _TRAILER:
            if at + 1 < len(data):
                removed.add("trailing bytes")
            break
        if kind == _EXTENSION:
            label = data[at + 1] if at + 1 < len(data) else 0
            blocks, at = _blocks(data, at + 2)
            if label == _CONTROL:
                control = _control(blocks, removed)
            elif label == _APPLICATION and blocks[:1] and blocks[0] in _LOOPS:
                parts.append(_loop(blocks, removed))
            else:
                removed.add(_NAMES.get(label, "unknown extension"))
                control = b"" if label == _TEXT else control
        elif kind == _IMAGE:
            head = data[at : at + 10]
            if len(head) < 10:
                raise MustEncode("It ends inside a frame.")
            size = int.from_bytes(head[5:7], "little") * int.from_bytes(head[7:9], "little")
            frames, pixels = frames + 1, pixels + size
            if frames > allow.limits.max_frames:
                raise TooMany(Reason.TOO_MANY_FRAMES)
            if size > allow.limits.max_pixels:
                raise TooMany(Reason.TOO_MANY_PIXELS)
            start = at + 10 + _palette(head[9])
            if start >= len(data) or not size:
                raise MustEncode("It ends inside a frame.")
            blocks, end = _blocks(data, start + 1)
            coded = b"".join(blocks)
            cut = cut_lzw(coded, data[start], size, gif=True)
            if coded != cut:
                removed.add("bytes behind the pixels")
            parts += [control, data[at : start + 1], _in_blocks(cut)]
            control, at = b"", end
        else:
            raise MustEncode("A block of an unknown kind stands in it.")
    else:
        raise MustEncode("It has more blocks than any picture needs.")
    if not frames:
        raise MustEncode("It holds no picture.")
    return Rewritten(data=b"".join((*parts, b"\x3b")), removed=removed)


def _palette(flags: int) -> int:
    """Bytes of the palette that follows."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> tuple[list[bytes], int]:
    blocks: list[bytes] = []
    while at < len(data):
        length = data[at]
        if not length:
            return blocks, at + 1
        blocks.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    raise MustEncode("It ends inside a block.")


def _in_blocks(data: bytes) -> bytes:
    pieces = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def _control(blocks: list[bytes], removed: set[str]) -> bytes:
    """How the next frame follows: its delay, its transparent colour, what becomes of it."""
    if not blocks or len(blocks[0]) < 4:
        raise MustEncode("A frame's control block is broken.")
    if len(blocks) > 1 or len(blocks[0]) > 4:
        removed.add("bytes behind a control block")
    flags, *rest = blocks[0][:4]
    return bytes((_EXTENSION, _CONTROL, 4, flags & 0x1F, *rest, 0))


def _loop(blocks: list[bytes], removed: set[str]) -> bytes:
    """How often the animation runs."""
    if len(blocks) < 2 or len(blocks[1]) < 3 or blocks[1][0] != 1:
        removed.add("application extension")
        return b""
    if len(blocks) > 2 or len(blocks[1]) > 3:
        removed.add("application extension")
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + blocks[1][1:3] + b"\0"
