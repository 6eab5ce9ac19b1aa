"""The few EXIF fields that are kept: an allow-list, so that no place, name or serial gets in."""

import struct

from PIL import Image

from .quiet import quiet

__all__ = ["FIELDS", "read_exif"]

ORIENTATION = 274
FIELDS = {271: "make", 272: "model", 305: "software", 306: "time"}
"""Tags of the main directory that `meta` holds. GPS, serial numbers, owner and artist never are."""

_MAX_TEXT = 100
_SEARCHED = 256 * 1024


def read_exif(picture: bytes | Image.Image) -> tuple[int, dict[str, str]]:
    """Orientation (1 where there is none or it is nonsense) and the allowed fields as text.

    For a JPEG's bytes only the first 256 kB are searched, which hold four full-size segments.
    """
    try:
        with quiet():
            exif = _exif_of(picture)
            orientation = exif.get(ORIENTATION, 1) if exif else 1
            found = {name: _text(exif[tag]) for tag, name in FIELDS.items() if exif and tag in exif}
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, struct.error, AttributeError):
        return 1, {}  # broken EXIF costs the EXIF, not the picture
    if not isinstance(orientation, int) or not 1 <= orientation <= 8:
        orientation = 1
    return orientation, {name: text for name, text in found.items() if text}


def _exif_of(picture: bytes | Image.Image) -> Image.Exif | None:
    if isinstance(picture, Image.Image):
        return picture.getexif()
    start = picture.find(b"Exif\x00\x00", 0, _SEARCHED)
    if start < 4:
        return None
    length = int.from_bytes(picture[start - 2 : start], "big")
    exif = Image.Exif()
    exif.load(picture[start : start - 2 + length])
    return exif


def _text(value: object) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return "".join(c for c in text if c.isprintable()).strip()[:_MAX_TEXT]
