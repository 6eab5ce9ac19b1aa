"""The format of a picture or video by its content, never by its name."""

import re

__all__ = ["FORMATS", "sniff"]

FORMATS = (
    *("jpeg", "png", "gif", "bmp", "tiff", "webp", "ico", "ppm", "jpeg2000", "avif", "heic"),
    *("dicom", "mp4", "mov", "mkv", "webm", "avi", "array"),
)
"""Formats that are recognised. Those without a decoder here are `unsupported_format`."""

_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
)
_RIFF = {b"WEBP": "webp", b"AVI ": "avi"}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "heic"),
    b"qt  ": "mov",
    **dict.fromkeys((b"isom", b"avc1", b"mp41", b"mp42", b"mp71", b"MSNV", b"dash"), "mp4"),
    **dict.fromkeys((b"M4V ", b"M4VP", b"M4VH", b"f4v ", b"XAVC", b"mmp4"), "mp4"),
}
_FAMILIES = ((b"iso", "mp4"), (b"3g", "mp4"))
"""isom to iso9; 3gp4 to 3gp9, 3g2a and so on."""
_ARRAY = re.compile(rb"[|<>=][a-zA-Z]\d{1,3}\|[0-9x]{0,200}\|")
_VR = (
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT"),
    *(b"OB", b"OD", b"OF", b"OL", b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"TM"),
    *(b"UC", b"UI", b"UL", b"UN", b"UR", b"US", b"UT"),
)
_SEARCHED = 4096


def sniff(data: bytes) -> str | None:
    """One of FORMATS, or None. Reads at most the first 4 kB.

    Two-letter marks are weak: `bmp` also asks for zero reserved fields or a sane file size, and
    `ppm` for white space behind its number.
    """
    if data[128:132] == b"DICM":  # what stands in front of it is free, and is often a TIFF's start
        return "dicom"
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:2] == b"BM" and (not any(data[6:10]) or _little(data[2:6]) <= len(data)):
        return "bmp"
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _by_brand(data)
    if data[4:8] in (b"moov", b"mdat", b"wide"):
        return "mov"  # QuickTime before it had brands
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"\x42\x82\x84webm" in data[:_SEARCHED] else "mkv"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "ppm"
    if _ARRAY.match(data):
        return "array"
    return "dicom" if _is_bare_dicom(data) else None


def _by_brand(data: bytes) -> str | None:
    """ISO/IEC 14496-12, 4.3: by the major brand, else by those that are said to fit."""
    end = min(int.from_bytes(data[:4], "big"), _SEARCHED)
    compatible = {data[at : at + 4] for at in range(16, end, 4)}
    major = data[8:12]
    if major in (b"mif1", b"msf1") and compatible & {b"avif", b"avis"}:
        return "avif"
    for brand in (major, *sorted(compatible)):
        if brand in _BRANDS:
            return _BRANDS[brand]
        for family, name in _FAMILIES:
            if brand.startswith(family):
                return name
    return None


def _is_bare_dicom(data: bytes) -> bool:
    """Data elements from the start, as files of before 1993 have them, in either byte order.

    Asks that the first two tags are of groups 0002 or 0008 and grow, and that the first is of a
    known type or, with the type left out, as short as identifying elements are.
    """
    for order in ("little", "big"):
        tag, length, header = _element(data, 0, order)
        if tag >> 16 not in (2, 8) or header + length + 4 > len(data):
            continue
        if data[4:6] not in _VR and (length > 64 or length % 2):
            continue
        following, _, _ = _element(data, header + length, order)
        if following >> 16 in (tag >> 16, 8) and following > tag:
            return True
    return False


def _element(data: bytes, at: int, order: str) -> tuple[int, int, int]:
    """DICOM PS3.5, 7.1: tag, length of the value, and of what stands in front of it."""

    def number(start: int, size: int) -> int:
        return int.from_bytes(data[start : start + size], order)  # type: ignore[arg-type]  # one of two

    tag = number(at, 2) << 16 | number(at + 2, 2)
    if data[at + 4 : at + 6] not in _VR:
        return tag, number(at + 4, 4), 8
    if data[at + 4 : at + 6] in (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN"):
        return tag, number(at + 8, 4), 12
    return tag, number(at + 6, 2), 8


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
