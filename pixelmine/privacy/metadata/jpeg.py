"""JPEG: the tables and the coded data byte for byte, and nothing else.

Source: ITU-T T.81, annex B; JFIF 1.02; Adobe technical note 5116 (the APP14 marker).
"""

import re
from dataclasses import dataclass, field

from .exif import orientation_of
from .icc import refuse_needed
from .jpeg_tables import Table, huffman, quantisation
from .stripped import Allowed, MustEncode, Rewritten, check_pixels

__all__ = ["rewrite", "rewrite_coded"]

_SOF = {0xC0, 0xC1, 0xC2}
_OTHER_SOF = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xDC, 0xDE, 0xDF}
_LOSSLESS = 0xC3
_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
"""Version 1.01, square pixels, no thumbnail."""
_ICC = b"ICC_PROFILE\0"
_MAX_SCANS, _MAX_SEGMENTS = 64, 20_000
"""A progressive file has about ten scans; each costs a pass over all pixels."""
_NAMES = (
    (0xE0, b"JFXX\0", "JFIF thumbnail"),
    (0xE1, b"Exif\0\0", "EXIF"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "extended XMP"),
    (0xE2, _ICC, "ICC profile"),
    (0xE2, b"MPF\0", "MPF"),
    (0xED, b"Photoshop 3.0\0", "IPTC"),
    (_COM, b"", "comment"),
)


@dataclass
class _Kept:
    """What of the file stays, in its order, and what was seen on the way."""

    whole: bool
    parts: list[bytes] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    exif: bytes | None = None
    profile: dict[int, bytes] = field(default_factory=dict)
    jfif: bool = False
    adobe: bytes = b""
    frame: bytes = b""
    scans: int = 0


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what is not a whole baseline or progressive JPEG of 8 bits."""
    kept = _read(data, allow, whole=True)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(kept.frame[5], "")
    if mode:
        refuse_needed(b"".join(part for _, part in sorted(kept.profile.items())), mode)
    orientation = orientation_of(kept.exif) if kept.exif else None
    block = _orientation(orientation) if allow.orientation == "keep" else b""
    if kept.exif is not None and (not block or kept.exif != block[4:]):
        kept.removed.add("EXIF")
    parts = [b"\xff\xd8", _JFIF if kept.jfif else b"", block, kept.adobe, *kept.parts, b"\xff\xd9"]
    made = b"".join(parts)
    _check_entropy(made, kept.frame)
    return Rewritten(data=made, removed=kept.removed, orientation=orientation)


def rewrite_coded(data: bytes, allow: Allowed) -> tuple[bytes, set[str]]:
    """The same for a JPEG stream inside another format: its tables may stand elsewhere."""
    kept = _read(data, allow, whole=False)
    parts = [b"\xff\xd8", kept.adobe, *kept.parts]
    parts += [_segment(table.marker, table.payload) for table in kept.tables]
    return b"".join((*parts, b"\xff\xd9")), kept.removed


def _orientation(orientation: int | None) -> bytes:
    from pixelmine.privacy.orientation import with_orientation

    return with_orientation(b"\xff\xd8", orientation or 1)[2:]


def _read(data: bytes, allow: Allowed, *, whole: bool) -> _Kept:
    kept = _Kept(whole=whole)
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            found = _NEXT.search(data, at)
            if found is None:
                raise MustEncode("It ends before its end marker.")
            kept.removed.add("bytes between markers")
            at = found.start()
        while data[at + 1 : at + 2] == b"\xff":
            at += 1
        marker = data[at + 1] if at + 1 < len(data) else 0
        if marker == _EOI:
            if at + 2 < len(data):
                kept.removed.add("trailing bytes")
            if whole and kept.tables:
                kept.removed.add("unused table")
            if whole and not kept.scans:
                raise MustEncode("It has no coded pixels.")
            return kept
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0, 1, _SOI) or 0xD0 <= marker <= 0xD7 or length < 2:
            raise MustEncode("A marker stands where none may stand.")
        end = at + 2 + length
        if end > len(data):
            raise MustEncode("It ends inside a marker.")
        payload = data[at + 4 : end]
        if marker == _SOS:
            at = _scan(data, end, payload, kept)
            continue
        _take(marker, payload, allow, kept)
        at = end
    raise MustEncode("It has more markers than any picture needs.")


def _scan(data: bytes, start: int, payload: bytes, kept: _Kept) -> int:
    """Keep a scan. Gives where the marker behind it stands."""
    if kept.whole and not kept.frame:
        raise MustEncode("Its coded pixels come before their size.")
    if len(payload) < 6 or len(payload) != 4 + 2 * payload[0]:
        raise MustEncode("The header of its coded pixels is broken.")
    kept.scans += 1
    if kept.scans > _MAX_SCANS:
        raise MustEncode("It has more scans than any picture needs.")
    found = _NEXT.search(data, start)
    if found is None:
        raise MustEncode("It ends before its end marker.")
    kept.parts += [_segment(table.marker, table.payload) for table in kept.tables]
    kept.tables.clear()
    kept.parts += [_segment(_SOS, payload), data[start : found.start()]]
    return found.start()


def _take(marker: int, payload: bytes, allow: Allowed, kept: _Kept) -> None:
    if marker in (_DQT, _DHT):
        _tables(marker, payload, kept)
    elif marker in _SOF or (marker == _LOSSLESS and not kept.whole):
        _frame(marker, payload, allow, kept)
    elif marker in _OTHER_SOF:
        raise MustEncode("It is coded in a way (lossless, arithmetic) that is not rewritten.")
    elif marker == _DRI:
        if len(payload) != 2:
            raise MustEncode("Its restart interval is broken.")
        _wait(Table(marker, (marker, 0), payload), kept)
    elif marker == 0xE0 and payload.startswith(b"JFIF\0"):
        _jfif(payload, kept)
    elif marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
        _adobe(payload, kept)
    else:
        _drop(marker, payload, kept)


def _tables(marker: int, payload: bytes, kept: _Kept) -> None:
    for table in (quantisation if marker == _DQT else huffman)(payload):
        _wait(table, kept)


def _wait(table: Table, kept: _Kept) -> None:
    """For the next scan. One that is told again before any scan was never used."""
    again = [one for one in kept.tables if one.key == table.key]
    if again:
        kept.tables.remove(again[0])
        kept.removed.add("unused table")
    kept.tables.append(table)


def _frame(marker: int, payload: bytes, allow: Allowed, kept: _Kept) -> None:
    if kept.frame or len(payload) < 9 or len(payload) != 6 + 3 * payload[5]:
        raise MustEncode("Its frame header is broken.")
    if kept.whole and payload[0] != 8:
        raise MustEncode("It has more than 8 bits a sample.")
    height, width = int.from_bytes(payload[1:3], "big"), int.from_bytes(payload[3:5], "big")
    check_pixels(width, height, allow.limits)
    kept.frame = payload
    _wait(Table(marker, (marker, 0), payload), kept)


def _jfif(payload: bytes, kept: _Kept) -> None:
    kept.jfif = kept.jfif or kept.whole
    if payload[12:14] != b"\0\0":
        kept.removed.add("JFIF thumbnail")
    elif len(payload) > 14:
        kept.removed.add("trailing bytes in JFIF")
    if payload[5:12] != _JFIF[9:16]:
        kept.removed.add("resolution")


def _adobe(payload: bytes, kept: _Kept) -> None:
    """Version 100, no flags, and how colours are coded: 0 as they are, 1 YCbCr, 2 YCCK."""
    if payload[11] > 2:
        raise MustEncode("Its Adobe marker says nothing that is known.")
    fixed = b"Adobe\0\x64" + bytes(4) + payload[11:12]
    if payload != fixed:
        kept.removed.add("fields of the Adobe marker")
    kept.adobe = _segment(0xEE, fixed)


def _drop(marker: int, payload: bytes, kept: _Kept) -> None:
    if marker == 0xE1 and payload.startswith(b"Exif\0\0"):
        if kept.exif is not None:
            kept.removed.add("EXIF")
        else:
            kept.exif = payload
        return
    if marker == 0xE2 and payload.startswith(_ICC) and len(payload) > 14:
        kept.profile[payload[12]] = payload[14:]
    for known, start, name in _NAMES:
        if marker == known and payload.startswith(start):
            kept.removed.add(name)
            return
    kept.removed.add(f"APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else "unknown marker")


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _check_entropy(data: bytes, frame: bytes) -> None:
    """Raise MustEncode where a decoder finds more or less coded data than the pixels take.

    libjpeg warns of bytes in front of a marker; simplejpeg makes errors of its warnings.
    """
    import simplejpeg

    try:
        if frame[5] == 4:
            simplejpeg.decode_jpeg(data, "CMYK", min_factor=8, strict=True)
        else:
            simplejpeg.decode_jpeg(data, "GRAY", min_factor=8, strict=True)
    except ValueError as error:
        raise MustEncode("Its coded data are not exactly those of its pixels.") from error
