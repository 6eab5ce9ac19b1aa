"""Masks in a JPEG's coefficients: all that is not masked is left as it is, to the last bit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.limits import Limits
from pixelmine.detect.box import Box

from .areas import Area, areas
from .options import MaskOptions
from .refused import RefusedError

if TYPE_CHECKING:
    from .jpeg_decode import Decoded
    from .jpeg_frame import Frame, Segment

__all__ = ["MaskedJpeg", "mask_jpeg", "warm_up"]

_EOI = 0xD9
_JFIF, _ADOBE, _ICC = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
_NAMES = {
    (0xE0, b"JFXX\0"): "JFIF thumbnail",
    (0xE1, b"Exif\0"): "EXIF",
    (0xE1, b"http:"): "XMP",
    (0xE2, b"ICC_P"): "ICC profile",
    (0xE2, b"MPF\0"): "more pictures",
    (0xED, b"Photo"): "IPTC",
    (0xFE, b""): "comment",
}


@dataclass(frozen=True)
class MaskedJpeg:
    """`data`: the file, or None and `why`: then mask its pixels, and encode those.

    `masked`: bool (rows, columns), the MCUs that are filled; each is `mcu_height` pixels high and
    `mcu_width` wide. `removed`: what stood beside the picture and is not in `data`: EXIF and all
    other metadata, since a thumbnail in it shows what is masked, and what followed the end.
    """

    data: bytes | None
    why: str | None = None
    masked: np.ndarray | None = None
    mcu_height: int = 0
    mcu_width: int = 0
    removed: tuple[str, ...] = ()


def mask_jpeg(
    data: bytes,
    boxes: Iterable[Box],
    options: MaskOptions | None = None,
    *,
    keep_profile: bool = False,
    limits: Limits | None = None,
) -> MaskedJpeg:
    """Fill every MCU (8x8 to 32x16 pixels) that a grown box touches; keep all others' coefficients.

    `boxes`: in the pixels as stored, before orientation (`to_stored`). Pixels outside of the masked
    MCUs decode as before. Where the chroma has fewer samples than pixels, decoders smooth it over
    one pixel: the pixels right beside a masked MCU may change in colour by a quarter of the fill's,
    and one more pixel is masked around each box, so that all of a grown box is the fill alone.
    Nothing of what was under a mask is left: not in coefficients, nor in what is told of them by
    the next block, by Huffman tables, which are made anew, or by thumbnails. The fill is `colour`
    to within the coarseness of the file's quantisation; black and white are exact.

    A file keeps its size in pixels, sampling, quantisation, restarts, and the JFIF and Adobe
    headers that say how its colours are meant; with `keep_profile` its ICC profile too, as it is,
    with any text in it. Of a progressive file a baseline one is made, with the same coefficients.

    Not masked, with the reason in `why`: files that are broken or cut off, arithmetic or lossless
    coding, 12 bits, CMYK, pictures over the limits, and the styles other than `fill`. Raises
    UsageError for a box without an area, and nothing else.
    """
    options = options or MaskOptions()
    limits = limits or Limits()
    boxes = list(boxes)
    areas(boxes, options.grow, width=1, height=1)  # a wrong box is a mistake in any file
    if options.style != "fill":
        return MaskedJpeg(None, f"a {options.style} is made of pixels")
    if len(data) > limits.max_bytes:
        return MaskedJpeg(None, "it is too large a file")
    from .jpeg_decode import decode  # here, since numba takes its time to load
    from .jpeg_encode import encode

    try:
        decoded = decode(data, max_pixels=limits.max_pixels)
        frame = decoded.frame
        headers, removed = _headers(decoded.others, keep_profile)
        masked = _masked(frame, _touched(frame, boxes, options.grow))
        _fill(decoded, masked, _levels(options, headers, frame))
        written = encode(decoded, headers)
    except RefusedError as refused:
        return MaskedJpeg(None, str(refused))
    sizes = frame.mcu_height, frame.mcu_width
    return MaskedJpeg(written, None, masked, *sizes, removed)


def warm_up() -> None:
    """Compile what `mask_jpeg` runs, once a process: seconds that would count as a picture's."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "JPEG")
    mask_jpeg(out.getvalue(), [])


def _touched(frame: "Frame", boxes: Sequence[Box], grow: float) -> list[Area]:
    return areas(boxes, grow, width=frame.width, height=frame.height)


def _masked(frame: "Frame", touched: Iterable[Area]) -> np.ndarray:
    """Which MCUs are filled, bool (rows, columns)."""
    masked = np.zeros((frame.mcus_high, frame.mcus_wide), bool)
    across, down = frame.smoothed
    for area in touched:
        top, bottom = max(area.y0 - down, 0), area.y1 + down
        left, right = max(area.x0 - across, 0), area.x1 + across
        rows = slice(top // frame.mcu_height, -(-bottom // frame.mcu_height))
        columns = slice(left // frame.mcu_width, -(-right // frame.mcu_width))
        masked[rows, columns] = True
    return masked


def _fill(decoded: "Decoded", masked: np.ndarray, levels: Sequence[float]) -> None:
    """Of each masked block all is 0 but the mean, in place."""
    for component, level in zip(decoded.frame.components, levels, strict=True):
        step = int(decoded.quantisation[component.quantised_by][0])
        last = component.first + component.wide * component.high
        here = masked.repeat(component.down, axis=0).repeat(component.across, axis=1).reshape(-1)
        blocks = decoded.blocks[component.first : last]
        blocks[here] = 0
        blocks[here, 0] = _direct(level, step)


def _direct(level: float, step: int) -> int:
    """The first coefficient of a block that is all `level`, 0 to 255.

    Black and white are rounded outwards, where decoders clip.
    """
    exact = (level - 128) * 8 / step
    if step <= _COARSE and level <= 0:
        return int(np.floor(exact))
    if step <= _COARSE and level >= 255:
        return int(np.ceil(exact))
    return round(exact)


_COARSE = 255
"""Beyond it, which no encoder of 8 bits goes, decoders do not clip but wrap around."""


def _levels(
    options: MaskOptions, headers: Sequence[tuple[int, bytes]], frame: "Frame"
) -> tuple[float, ...]:
    """The colour in the file's components. Source: JFIF 1.02 (ITU-T T.871); libjpeg's guesses."""
    if len(frame.components) == 1:
        return (options.luma,)
    if _is_rgb(headers, frame):
        return options.colour
    red, green, blue = options.colour
    return (
        0.299 * red + 0.587 * green + 0.114 * blue,
        128 - 0.168736 * red - 0.331264 * green + 0.5 * blue,
        128 + 0.5 * red - 0.418688 * green - 0.081312 * blue,
    )


def _is_rgb(headers: Sequence[tuple[int, bytes]], frame: "Frame") -> bool:
    known = {payload[:5]: payload for _, payload in headers}
    if _JFIF in known:
        return False
    if _ADOBE in known:
        return known[_ADOBE][11] == 0
    return bytes(one.name for one in frame.components) == b"RGB"


def _headers(
    others: Sequence["Segment"], keep_profile: bool
) -> tuple[list[tuple[int, bytes]], tuple[str, ...]]:
    """Markers and payloads that stay, and the names of what goes."""
    kept: list[tuple[int, bytes]] = []
    removed: dict[str, None] = {}
    for one in others:
        payload = one.payload
        if one.marker == 0xE0 and payload.startswith(_JFIF) and len(payload) >= 14:
            # Version and density; then no thumbnail.
            kept.append((one.marker, payload[:12] + b"\0\0"))
            if len(payload) > 14:
                removed["JFIF thumbnail"] = None
        elif one.marker == 0xEE and payload.startswith(_ADOBE) and len(payload) >= 12:
            kept.append((one.marker, payload[:12]))
        elif one.marker == 0xE2 and payload.startswith(_ICC) and keep_profile:
            kept.append((one.marker, payload))
        elif one.marker != _EOI:
            removed[_name(one.marker, payload)] = None
        elif payload:
            removed["bytes after the end"] = None
    return kept, tuple(removed)


def _name(marker: int, payload: bytes) -> str:
    for (known, start), name in _NAMES.items():
        if marker == known and payload.startswith(start):
            return name
    return f"APP{marker - 0xE0}" if 0xE0 <= marker < 0xF0 else f"segment {marker:02X}"
