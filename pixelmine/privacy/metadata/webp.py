"""WebP: coded frames, transparency, animation. Source: RFC 9649."""

from collections.abc import Iterator

from pixelmine.core import Reason

from .exif import orientation_block, orientation_of
from .icc import refuse_needed
from .stripped import Allowed, MustEncode, Rewritten, TooMany, check_pixels

__all__ = ["rewrite"]

_ANIMATED, _ALPHA, _EXIF = 0x02, 0x10, 0x08
_NAMES = {b"ICCP": "ICC profile", b"EXIF": "EXIF", b"XMP ": "XMP"}
_FRAME = 16
_MAX_CHUNKS = 100_000

Chunk = tuple[bytes, bytes]


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what is broken."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise MustEncode("It ends before it says.")
    removed: set[str] = set()
    if len(data) > end:
        removed.add("trailing bytes")
    chunks = list(_chunks(data, 12, end, removed))
    exif = next((body for name, body in chunks if name == b"EXIF"), None)
    orientation = orientation_of(exif) if exif else None
    for name, body in chunks:
        if name == b"ICCP":
            refuse_needed(body, "RGB")
    if not chunks:
        raise MustEncode("It holds no picture.")
    if chunks[0][0] == b"VP8X":
        kept = _extended(chunks, allow, removed)
    else:
        kept = _picture(chunks[:1], removed, alpha=False)
        _name(chunks[1:], removed)
        _check_size(kept[0], allow)
    if allow.orientation == "keep" and orientation not in (None, 1) and kept[0][0] == b"VP8X":
        flags = kept[0][1]
        kept[0] = (b"VP8X", bytes((flags[0] | _EXIF,)) + flags[1:])
        block = orientation_block(orientation or 1)
        kept.append((b"EXIF", block))
        if exif == block and sum(name == b"EXIF" for name, _ in chunks) == 1:
            removed.discard("EXIF")
    body = b"WEBP" + b"".join(_chunk(*one) for one in kept)
    made = b"RIFF" + len(body).to_bytes(4, "little") + body
    return Rewritten(data=made, removed=removed, orientation=orientation)


def _extended(chunks: list[Chunk], allow: Allowed, removed: set[str]) -> list[Chunk]:
    header = chunks[0][1]
    if len(header) < 10:
        raise MustEncode("Its header is broken.")
    flags = header[0] & (_ANIMATED | _ALPHA)
    width, height = (int.from_bytes(header[at : at + 3], "little") + 1 for at in (4, 7))
    check_pixels(width, height, allow.limits)
    if any(header[1:4]) or header[10:]:
        removed.add("reserved fields")
    kept = [(b"VP8X", bytes((flags, 0, 0, 0)) + header[4:10])]
    if not flags & _ANIMATED:
        _name(chunks[1:], removed)
        picture = [one for one in chunks[1:] if one[0] in (b"ALPH", b"VP8 ", b"VP8L")]
        return kept + _picture(picture, removed, alpha=True)
    _name(chunks[1:], removed, also=(b"ANIM", b"ANMF"))
    frames = [body for name, body in chunks if name == b"ANMF"]
    loops = [body[:6] for name, body in chunks if name == b"ANIM"]
    if len(frames) > allow.limits.max_frames:
        raise TooMany(Reason.TOO_MANY_FRAMES)
    if not frames or len(loops) != 1 or len(loops[0]) != 6:
        raise MustEncode("Its animation is broken.")
    kept.append((b"ANIM", loops[0]))
    return kept + [(b"ANMF", _animated(frame, removed)) for frame in frames]


def _animated(frame: bytes, removed: set[str]) -> bytes:
    chunks = list(_chunks(frame, _FRAME, len(frame), removed))
    _name(chunks, removed)
    picture = [one for one in chunks if one[0] in (b"ALPH", b"VP8 ", b"VP8L")]
    flags = bytes((frame[15] & 3,)) if len(frame) >= _FRAME else b""
    return (
        frame[:15]
        + flags
        + b"".join(_chunk(*one) for one in _picture(picture, removed, alpha=True))
    )


def _picture(chunks: list[Chunk], removed: set[str], *, alpha: bool) -> list[Chunk]:
    """One coded picture, with its transparency in front of it where that is apart."""
    names = [name for name, _ in chunks]
    if names == [b"VP8L"] or names == [b"VP8 "] or (alpha and names == [b"ALPH", b"VP8 "]):
        return chunks
    if alpha and names == [b"ALPH", b"VP8L"]:
        removed.add("unused transparency")
        return chunks[1:]
    raise MustEncode("It does not hold one picture where it should.")


def _check_size(chunk: Chunk, allow: Allowed) -> None:
    name, body = chunk
    if name == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        check_pixels((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, allow.limits)
    elif name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        check_pixels(width, height, allow.limits)
    else:
        raise MustEncode("Its coded picture is broken.")


def _chunks(data: bytes, at: int, end: int, removed: set[str]) -> Iterator[Chunk]:
    for _ in range(_MAX_CHUNKS):
        if at + 8 > end:
            if at < end:
                removed.add("trailing bytes")
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise MustEncode("A chunk ends behind the file.")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length
        if length % 2 and at < end:
            if data[at]:
                removed.add("padding")
            at += 1
    raise MustEncode("It has more chunks than any picture needs.")


def _name(chunks: list[Chunk], removed: set[str], also: tuple[bytes, ...] = ()) -> None:
    for name, _ in chunks:
        if name not in (b"ALPH", b"VP8 ", b"VP8L", *also):
            removed.add(_NAMES.get(name, "unknown chunk"))


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
