"""JPEG, by libjpeg-turbo: at full size or, far cheaper, at a half, a quarter or an eighth of it."""

import re
from functools import partial
from math import ceil

import numpy as np
import simplejpeg
from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.core.budget import expect

from .colour import to_grey
from .decode_pillow import decode_still
from .exif import read_exif
from .icc import changes_colours, jpeg_profile, to_srgb
from .orient import orient
from .picture import DecodeOptions, Picture, Still

__all__ = ["describe_jpeg", "jpeg_scale", "open_jpeg"]

_SHORT_SIDE = 256
_START_OF_SCAN = b"\xff\xda"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MAX_SCANS = 100
"""A progressive JPEG has about ten; each goes over all pixels again, so that a small file with
thousands would take hours (libjpeg-turbo, "libjpeg-turbo fuzzing", warns of the same)."""


def open_jpeg(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> Still:
    """One picture; of several in one file (MPO) the first."""
    return Still(partial(_decode, data, name, options, limits))


def describe_jpeg(data: bytes, limits: Limits) -> Picture | Reason | None:
    """What a JPEG's header says, without pixels; None where it must be decoded to tell."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):
        return None
    if width * height > limits.max_pixels:
        return Reason.TOO_MANY_PIXELS
    nothing = np.empty((0, 0, 3), np.uint8)
    return Picture(nothing, "jpeg", width, height, *read_exif(data))


def jpeg_scale(width: int, height: int) -> int:
    """The divisor 8, 4, 2 or 1 of the rule `scaled-256`."""
    short = min(width, height)
    return next((s for s in (8, 4, 2) if ceil(short / s) >= _SHORT_SIDE), 1)


def _decode(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> Picture | Reason:
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):  # a variant libjpeg-turbo does not know: Pillow says what it is
        return decode_still(data, name, options, limits)
    if width * height > limits.max_pixels:
        return Reason.TOO_MANY_PIXELS
    if data.count(_START_OF_SCAN) > _MAX_SCANS and _has_many_scans(data):
        return Reason.DECODER_TIMEOUT
    scale = jpeg_scale(width, height) if options.rule == "scaled-256" else 1
    if space not in ("RGB", "YCbCr", "Gray", "GRAY"):
        return decode_still(data, name, options, limits, scale)
    expect(width * height)
    stored_grey = space in ("Gray", "GRAY")
    profile = jpeg_profile(data)
    if profile and not changes_colours(profile, "L" if stored_grey else "RGB"):
        profile = None
    grey = stored_grey if profile else options.colour == "grey"
    pixels = simplejpeg.decode_jpeg(
        data,
        colorspace="GRAY" if grey else "RGB",
        min_height=ceil(height / scale) if scale > 1 else 0,
        min_width=ceil(width / scale) if scale > 1 else 0,
    )
    if profile:
        pixels = _with_profile(pixels, profile, options.colour)
    orientation, meta = read_exif(data)
    return Picture(orient(pixels, orientation), name, width, height, orientation, meta)


def _with_profile(pixels: np.ndarray, profile: bytes, colour: str) -> np.ndarray:
    """(H, W, C) as stored to sRGB, or to the luma of that."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    found = np.asarray(to_srgb(image, profile))
    return to_grey(found) if colour == "grey" else found


def _has_many_scans(data: bytes) -> bool:
    """Count in the picture alone: the two bytes may stand in a video that a phone put behind it."""
    scans, at = 0, 2
    while scans <= _MAX_SCANS and (found := _MARKER.search(data, at)) and found[0] != b"\xff\xd9":
        scans += found[0] == _START_OF_SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans > _MAX_SCANS
