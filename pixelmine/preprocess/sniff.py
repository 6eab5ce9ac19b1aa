"""The format of a picture by its first bytes, never by its name."""

__all__ = ["FORMATS", "sniff"]

FORMATS = ("jpeg", "png", "gif", "bmp", "tiff", "webp", "ico", "ppm", "jpeg2000", "avif", "heic")
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
_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}


def sniff(data: bytes) -> str | None:
    """One of FORMATS, or None. Reads at most the first 16 bytes.

    Two-letter marks are weak: `bmp` also asks for zero reserved fields or a sane file size, and
    `ppm` for white space behind its number.
    """
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:2] == b"BM" and (not any(data[6:10]) or _little(data[2:6]) <= len(data)):
        return "bmp"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12])
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "ppm"
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
