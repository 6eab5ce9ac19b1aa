"""Bytes to upright uint8 pixels, or the reason why there are none."""

import io
import re
from dataclasses import dataclass
from math import ceil

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from pixelmine.core import Limits, Reason
from pixelmine.core.checks import check_one_of

from .colour import to_grey, to_rgb
from .exif import read_exif
from .orient import orient
from .picture import Picture
from .quiet import quiet
from .sniff import sniff

__all__ = ["RULES", "DecodeOptions", "decode"]

RULES = ("full", "scaled-256")
_SHORT_SIDE = 256
_START_OF_SCAN = b"\xff\xda"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MAX_SCANS = 100
"""A progressive JPEG has about ten; each goes over all pixels again, so that a small file with
thousands would take hours (libjpeg-turbo, "libjpeg-turbo fuzzing", warns of the same)."""
_PILLOW = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "webp": "WEBP",
    "ico": "ICO",
    "ppm": "PPM",
    "jpeg2000": "JPEG2000",
    "avif": "AVIF",
}


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """How bytes become pixels; part of a model's card, since it changes the pixels a little.

    `rule`: `full`, or `scaled-256`: a JPEG is decoded at the smallest of the scales 1/8, 1/4, 1/2,
    1 whose short side is at least 256 pixels (libjpeg's other scales are slower than full size).
    `colour`: `rgb` or `grey` (ITU-R BT.601 luma). EXIF orientation is always applied.
    """

    rule: str = "full"
    colour: str = "rgb"

    def __post_init__(self) -> None:
        check_one_of("rule", self.rule, RULES)
        check_one_of("colour", self.colour, ("rgb", "grey"))


def decode(data: bytes, options: DecodeOptions, limits: Limits) -> Picture | Reason:
    """Decode the first frame. The format is read from the content; whatever is wrong is a reason.

    Alpha is laid over white; 16-bit samples keep their upper 8 bits.
    """
    if not data:
        return Reason.EMPTY
    if len(data) > limits.max_bytes:
        return Reason.TOO_LARGE_FILE
    name = sniff(data)
    if name is None:
        return Reason.NOT_AN_IMAGE
    if name not in _PILLOW:
        return Reason.UNSUPPORTED_FORMAT
    if name == "jpeg":
        return _decode_jpeg(data, options, limits)
    return _decode_pillow(data, name, options, limits)


def _decode_jpeg(data: bytes, options: DecodeOptions, limits: Limits) -> Picture | Reason:
    try:
        height, width, colour, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):  # a variant libjpeg-turbo does not know: Pillow says what it is
        return _decode_pillow(data, "jpeg", options, limits)
    if width * height > limits.max_pixels:
        return Reason.TOO_MANY_PIXELS
    if data.count(_START_OF_SCAN) > _MAX_SCANS and _has_many_scans(data):
        return Reason.DECODER_TIMEOUT
    if colour not in ("RGB", "YCbCr", "Gray", "GRAY"):
        return _decode_pillow(data, "jpeg", options, limits)
    scale = jpeg_scale(width, height) if options.rule == "scaled-256" else 1
    try:
        pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="GRAY" if options.colour == "grey" else "RGB",
            min_height=ceil(height / scale) if scale > 1 else 0,
            min_width=ceil(width / scale) if scale > 1 else 0,
        )
    except (ValueError, KeyError, RuntimeError) as error:
        return _jpeg_reason(str(error))
    orientation, meta = read_exif(data)
    return Picture(orient(pixels, orientation), "jpeg", width, height, orientation, meta)


def _has_many_scans(data: bytes) -> bool:
    """Count in the picture alone: the two bytes may stand in a video that a phone put behind it."""
    scans, at = 0, 2
    while scans <= _MAX_SCANS and (found := _MARKER.search(data, at)) and found[0] != b"\xff\xd9":
        scans += found[0] == _START_OF_SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans > _MAX_SCANS


def jpeg_scale(width: int, height: int) -> int:
    """The divisor 8, 4, 2 or 1 of the rule `scaled-256`."""
    short = min(width, height)
    return next((s for s in (8, 4, 2) if ceil(short / s) >= _SHORT_SIDE), 1)


def _jpeg_reason(message: str) -> Reason:
    if "remature end" in message:
        return Reason.TRUNCATED
    if "nsupported" in message:
        return Reason.UNSUPPORTED_FORMAT
    return Reason.CORRUPT


def _decode_pillow(
    data: bytes, name: str, options: DecodeOptions, limits: Limits
) -> Picture | Reason:
    try:
        with quiet(), Image.open(io.BytesIO(data), formats=[_PILLOW[name]]) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                return Reason.TOO_MANY_PIXELS
            turned = read_exif(image) if name == "tiff" else None
            image.load()  # which turns a TIFF upright, and forgets that it did
            orientation, meta = turned or read_exif(image)
            pixels = to_rgb(image)
    except UnidentifiedImageError:
        return Reason.CORRUPT
    except Image.DecompressionBombError:
        return Reason.TOO_MANY_PIXELS
    except NotImplementedError:
        return Reason.UNSUPPORTED_FORMAT
    except MemoryError:
        return Reason.TOO_MANY_PIXELS
    except Exception as error:  # noqa: BLE001  Pillow's decoders raise whatever a broken file provokes
        return _pillow_reason(error)
    if pixels is None:
        return Reason.UNSUPPORTED_FORMAT
    if options.colour == "grey":
        pixels = to_grey(pixels)
    if turned is None:
        pixels = np.ascontiguousarray(orient(pixels, orientation))
    elif orientation >= 5:
        width, height = height, width
    return Picture(pixels, name, width, height, orientation, meta)


def _pillow_reason(error: Exception) -> Reason:
    text = str(error).lower()
    if "truncated" in text or "unexpected end" in text or "not enough" in text:
        return Reason.TRUNCATED
    if isinstance(error, EOFError):
        return Reason.TRUNCATED
    if "unsupported" in text or "cannot handle" in text or "unknown" in text:
        return Reason.UNSUPPORTED_FORMAT
    return Reason.CORRUPT
