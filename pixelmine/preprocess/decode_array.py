"""An array's own bytes, `dtype|shape|data` (`core.ids.array_bytes`)."""

import re
from functools import partial

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.budget import expect

from .colour import over_white, to_grey, upper_bits
from .picture import DecodeOptions, Picture, Still

__all__ = ["open_array"]

_HEAD = re.compile(rb"([|<>=][a-zA-Z]\d{1,3})\|([0-9x]{0,200})\|")
_SHAPE = re.compile(r"[1-9]\d{0,8}(x[1-9]\d{0,8}){1,2}")
_DTYPES = ("|u1", "<u2", ">u2")


def open_array(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> Still:
    """uint8 or uint16 of shape HxW or HxWx1 (grey), HxWx3 (RGB) or HxWx4 (with alpha).

    16-bit samples keep their upper 8 bits; alpha is laid over white. Any other dtype or number of
    channels is `unsupported_format`; bytes that are missing are `truncated`, too many `corrupt`.
    """
    return Still(partial(_decode, data, name, options, limits))


def _decode(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> Picture | Reason:
    head = _HEAD.match(data)
    if head is None:
        return Reason.CORRUPT
    dtype, shape = head[1].decode(), head[2].decode()
    if dtype not in _DTYPES:
        return Reason.UNSUPPORTED_FORMAT
    if not _SHAPE.fullmatch(shape):
        return Reason.UNSUPPORTED_FORMAT if shape.count("x") != 2 else Reason.CORRUPT
    height, width, *channels = map(int, shape.split("x"))
    if channels not in ([], [1], [3], [4]):
        return Reason.UNSUPPORTED_FORMAT
    if width * height > limits.max_pixels:
        return Reason.TOO_MANY_PIXELS
    expect(width * height)
    samples = width * height * (channels[0] if channels else 1)
    missing = head.end() + samples * np.dtype(dtype).itemsize - len(data)
    if missing:
        return Reason.TRUNCATED if missing > 0 else Reason.CORRUPT
    pixels = np.frombuffer(data, dtype, samples, head.end()).reshape(height, width, -1)
    return Picture(_colours(upper_bits(pixels), options.colour), name, width, height)


def _colours(pixels: np.ndarray, colour: str) -> np.ndarray:
    if pixels.shape[2] == 4:
        pixels = over_white(pixels[..., :3], pixels[..., 3])
    if pixels.shape[2] == 1:
        return pixels.copy() if colour == "grey" else np.repeat(pixels, 3, axis=2)
    return to_grey(pixels) if colour == "grey" else pixels.copy()
