"""TIFF: directories written anew, with the tags that decode the pixels.

Every page of full size stays, in its order: pages are pictures. Reduced ones (previews, thumbnails)
and masks go, with what SubIFDs point to. Source: TIFF 6.0 (Adobe, 1992) and technical note 2.
"""

import struct
from dataclasses import dataclass
from typing import Literal

from pixelmine.core import Reason

from .icc import refuse_needed
from .stripped import Allowed, MustEncode, Rewritten, TooMany, check_pixels
from .tiff_strips import Layout, exact_strip

__all__ = ["rewrite"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_LETTERS = {1: "B", 3: "H", 4: "I"}
_SUBTYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_ORDER, _OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _COUNTS = 266, 273, 274, 277, 278, 279
_PLANAR, _PREDICTOR, _MAP, _EXTRA, _FORMAT, _JPEG_TABLES = 284, 317, 320, 338, 339, 347
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_INKS, _INK_COUNT, _SUBSAMPLING, _POSITIONING = 332, 334, 530, 531
_MOST = {
    **dict.fromkeys((_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _ORDER, _SAMPLES, _ROWS), 1),
    **dict.fromkeys((_PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _INKS, _INK_COUNT), 1),
    _BITS: 8,
    _EXTRA: 8,
    _FORMAT: 8,
    _SUBSAMPLING: 2,
    _POSITIONING: 1,
    _MAP: 3 * 65536,
}
"""How many whole numbers each tag may have that says how pixels are decoded."""
_RATIONALS = {529: 3, 532: 6}
"""YCbCrCoefficients, ReferenceBlackWhite."""
_NAMES = {
    34665: "EXIF",
    34853: "GPS",
    700: "XMP",
    33723: "IPTC",
    34377: "Photoshop",
    330: "SubIFDs",
    34675: "ICC profile",
    282: "resolution",
    283: "resolution",
    296: "resolution",
}
_POINTERS = (_OFFSETS, _COUNTS, _TILE_OFFSETS, _TILE_COUNTS)
_MAX_ENTRIES, _MAX_STRIPS = 1000, 1_000_000
Order = Literal["<", ">"]
Tags = dict[int, tuple[int, bytes]]


@dataclass(frozen=True)
class _File:
    data: bytes
    order: Order
    allow: Allowed
    removed: set[str]


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what is broken or compressed in a way that hides where it ends."""
    order: Order = "<" if data[:2] == b"II" else ">"
    file = _File(data, order, allow, set())
    pages: list[tuple[Tags, list[bytes]]] = []
    orientation: int | None = None
    at = _number(data[4:8], order)
    seen: set[int] = set()
    while at:
        if at in seen or at + 2 > len(data):
            raise MustEncode("Its directories are broken.")
        if len(seen) >= allow.limits.max_frames:
            raise TooMany(Reason.TOO_MANY_FRAMES)
        seen.add(at)
        tags, at = _directory(file, at)
        subtype = _one(tags, _SUBTYPE, 0, order)
        if subtype & 5 or (subtype == 0 and _one(tags, 255, 1, order) == 2):
            file.removed.add("preview")
            continue
        turned = _one(tags, _ORIENTATION, 0, order)
        orientation = orientation or (turned if 1 <= turned <= 8 else None)
        pages.append(_page(file, tags))
    if not pages:
        raise MustEncode("It holds no picture of full size.")
    made = _write(pages, order)
    if len(made) < len(data) and not file.removed:
        file.removed.add("gaps")
    return Rewritten(data=made, removed=file.removed, orientation=orientation)


def _directory(file: _File, at: int) -> tuple[Tags, int]:
    data, order = file.data, file.order
    count = _number(data[at : at + 2], order)
    end = at + 2 + 12 * count
    if count > _MAX_ENTRIES or end + 4 > len(data):
        raise MustEncode("A directory is cut off.")
    tags: Tags = {}
    for entry in range(at + 2, end, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, entry)
        if tag in tags:
            raise MustEncode("A tag stands twice in a directory.")
        size = _SIZES.get(kind, 0) * values
        if size > len(data):
            raise MustEncode("A tag's value is longer than the file.")
        start = entry + 8 if size <= 4 else _number(data[entry + 8 : entry + 12], order)
        body = data[start : start + size]
        if len(body) < size:
            raise MustEncode("A tag's value is cut off.")
        tags[tag] = kind, body
    return tags, _number(data[end : end + 4], order)


def _page(file: _File, tags: Tags) -> tuple[Tags, list[bytes]]:
    order = file.order
    width, height = _one(tags, _WIDTH, 0, order), _one(tags, _HEIGHT, 0, order)
    check_pixels(width, height, file.allow.limits)
    photometric = _one(tags, _PHOTOMETRIC, 0, order)
    if 34675 in tags:
        refuse_needed(tags[34675][1], {0: "L", 1: "L", 5: "CMYK"}.get(photometric, "RGB"))
    kept = _kept(file, tags)
    layout = _layout(tags, order)
    tiled = _TILE_WIDTH in tags
    names = (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_OFFSETS, _COUNTS)
    offsets, counts = (_all(tags, name, order) for name in names)
    expected = layout.strips()
    if len(offsets) != expected or len(counts) != expected or expected > _MAX_STRIPS:
        raise MustEncode("Its strips are not those of its size.")
    if sum(counts) > 4 * len(file.data):
        raise MustEncode("Its strips lie on each other.")
    strips = []
    for index, (start, length) in enumerate(zip(offsets, counts, strict=True)):
        strip = file.data[start : start + length]
        if len(strip) < length or not start:
            raise MustEncode("It ends before its last pixel.")
        strips.append(exact_strip(strip, index, layout, file.allow, file.removed))
    if file.allow.orientation == "keep":
        turned = _one(tags, _ORIENTATION, 1, order)
        if 2 <= turned <= 8:
            kept[_ORIENTATION] = 3, struct.pack(order + "H", turned)
    if _JPEG_TABLES in kept:
        kept[_JPEG_TABLES] = 7, layout.tables(kept[_JPEG_TABLES][1], file.allow, file.removed)
    return kept, strips


def _kept(file: _File, tags: Tags) -> Tags:
    kept: Tags = {}
    for tag, (kind, body) in tags.items():
        if tag in _MOST and kind in _LETTERS:
            if 0 < len(body) <= _MOST[tag] * _SIZES[kind]:
                kept[tag] = kind, body
                continue
            raise MustEncode("A tag has more or fewer values than it can have.")
        rational = tag in _RATIONALS and kind == 5 and len(body) == 8 * _RATIONALS[tag]
        if rational or (tag == _JPEG_TABLES and kind in (1, 7)):
            kept[tag] = kind, body
        elif tag in _MOST or tag == _JPEG_TABLES:
            raise MustEncode("A tag is of another kind than it can be.")
        elif tag not in (*_POINTERS, _ORIENTATION, _SUBTYPE, 255):
            file.removed.add(_NAMES.get(tag, "tags"))
    if _one(tags, _ORIENTATION, 1, file.order) != 1 and file.allow.orientation != "keep":
        file.removed.add("orientation")
    return kept


def _layout(tags: Tags, order: Order) -> Layout:
    bits = _all(tags, _BITS, order) or [1]
    samples = _one(tags, _SAMPLES, 1, order)
    if not 1 <= samples <= 8 or len(set(bits)) != 1 or not 1 <= bits[0] <= 64:
        raise MustEncode("Its samples are of an unknown kind.")
    width, height = _one(tags, _WIDTH, 0, order), _one(tags, _HEIGHT, 0, order)
    tiled = _TILE_WIDTH in tags
    rows = _one(tags, _TILE_HEIGHT if tiled else _ROWS, height, order)
    layout = Layout(
        width=width,
        height=height,
        across=_one(tags, _TILE_WIDTH, 0, order) if tiled else width,
        down=rows if tiled else min(rows, height),
        bits=bits[0],
        samples=samples,
        planar=_one(tags, _PLANAR, 1, order) == 2,
        tiled=tiled,
        compression=_one(tags, _COMPRESSION, 1, order),
        subsampled=_one(tags, _PHOTOMETRIC, 0, order) == 6,
    )
    if layout.across <= 0 or layout.down <= 0:
        raise MustEncode("Its strips have no size.")
    check_pixels(layout.across, layout.down, Allowed().limits)
    return layout


def _all(tags: Tags, tag: int, order: Order) -> list[int]:
    kind, body = tags.get(tag, (0, b""))
    if kind not in _LETTERS:
        return []
    return list(struct.unpack(f"{order}{len(body) // _SIZES[kind]}{_LETTERS[kind]}", body))


def _one(tags: Tags, tag: int, otherwise: int, order: Order) -> int:
    found = _all(tags, tag, order)
    return found[0] if found else otherwise


def _number(data: bytes, order: Order) -> int:
    return int.from_bytes(data, "little" if order == "<" else "big")


def _write(pages: list[tuple[Tags, list[bytes]]], order: Order) -> bytes:
    """Header, then for each page its directory, its values, its strips."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8))
    for index, (tags, strips) in enumerate(pages):
        tiled = _TILE_WIDTH in tags
        where, lengths = (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_OFFSETS, _COUNTS)
        count = len(strips)
        tags = dict(tags)
        tags[where] = 4, bytes(4 * count)
        tags[lengths] = 4, struct.pack(f"{order}{count}I", *map(len, strips))
        values = len(out) + 2 + 12 * len(tags) + 4
        size = sum(len(body) + len(body) % 2 for _, body in tags.values() if len(body) > 4)
        starts, at = [], values + size
        for strip in strips:
            starts.append(at)
            at += len(strip) + len(strip) % 2
        if at >= 2**32:
            raise MustEncode("It is too long for its own offsets.")
        tags[where] = 4, struct.pack(f"{order}{count}I", *starts)
        outside = bytearray()
        out += struct.pack(order + "H", len(tags))
        for tag, (kind, body) in sorted(tags.items()):
            out += struct.pack(order + "HHI", tag, kind, len(body) // _SIZES[kind])
            if len(body) <= 4:
                out += body.ljust(4, b"\0")
            else:
                out += struct.pack(order + "I", values + len(outside))
                outside += body + b"\0" * (len(body) % 2)
        out += struct.pack(order + "I", at if index + 1 < len(pages) else 0)
        out += outside
        for strip in strips:
            out += strip + b"\0" * (len(strip) % 2)
    return bytes(out)
