"""Metadata by allow-list: what is not known to be needed to show the pixels goes.

    jpeg    tables and coded data byte for byte; JFIF and Adobe's marker written anew
    png     critical chunks, transparency, colours as numbers; APNG too
    gif     frames, delays, the loop
    webp    coded frames, transparency, animation
    tiff    the tags that decode the pixels; every full-size page, no previews
    bmp     header, palette, pixels
    dicom   the elements of pixels, after the standard's profile (extra `dicom`)
    others  have to be encoded again

ICC profiles: their numbers are colours, their texts and their dates are somebody's. A profile that
is sRGB (it moves no colour by more than 2 levels of 255) is dropped, because a picture without one
is sRGB; PNG then says so in its one-byte chunk. Any other has to be applied to the pixels, so that
`Stripped.data` is None: a wide-gamut photograph must be decoded to sRGB and encoded again. A
profile that is broken or made for another kind of picture changes nothing in any decoder and goes.

What can still hide bytes, and only re-encoding ends: values of pixels themselves and of a palette's
entries that no pixel uses, tables of a JPEG, and symbols of them, that no coefficient uses, and
what stands behind the last coded bit inside a chunk of WebP.
"""

from collections.abc import Callable

from pixelmine.core import Reason

from . import bmp, gif, jpeg, png, tiff, webp
from .stripped import Allowed, MustEncode, Rewritten, Stripped, TooMany

__all__ = ["strip"]

Rewrite = Callable[[bytes, Allowed], Rewritten]

_REWRITES: dict[str, Rewrite] = {
    "jpeg": jpeg.rewrite,
    "png": png.rewrite,
    "gif": gif.rewrite,
    "webp": webp.rewrite,
    "tiff": tiff.rewrite,
    "bmp": bmp.rewrite,
}
_STARTS = (
    (b"\xff\xd8", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
)


def strip(data: bytes, allow: Allowed | None = None) -> Stripped | Reason:
    """The same picture, with nothing in its file but what is allowed (None: `Allowed()`).

    Deterministic, but for DICOM's UIDs without a key; what it gives, it gives back unchanged. Never
    raises for what a file holds. Gives a Reason for a file that is empty or past a limit; what else
    is wrong with a file is for the decoder to say, to which `data` None sends it.
    """
    allow = allow or Allowed()
    if not data:
        return Reason.EMPTY
    if len(data) > allow.limits.max_bytes:
        return Reason.TOO_LARGE_FILE
    name = _format(data)
    try:
        rewrite = _rewrite(name)
        made = rewrite(data, allow)
    except MustEncode as why:
        return Stripped(data=None, format=name, why=str(why))
    except TooMany as past:
        return past.reason
    return Stripped(
        data=made.data,
        format=name,
        removed=tuple(sorted(made.removed)),
        orientation=made.orientation,
        burned_in=made.burned_in,
    )


def _rewrite(name: str) -> Rewrite:
    if name == "dicom":
        from .dicom import rewrite  # the extra's packages are loaded for a DICOM file alone

        return rewrite
    if name not in _REWRITES:
        raise MustEncode("Files of this format are not rewritten: the pixels must be encoded anew.")
    return _REWRITES[name]


def _format(data: bytes) -> str:
    if data[128:132] == b"DICM":
        return "dicom"
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        brands = {
            data[at : at + 4] for at in range(8, min(int.from_bytes(data[:4], "big"), 256), 4)
        }
        if brands & {b"avif", b"avis"}:
            return "avif"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
            return "heic"
    return "unknown"
