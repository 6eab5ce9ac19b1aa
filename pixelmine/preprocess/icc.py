"""Colours with an ICC profile, to sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

__all__ = ["changes_colours", "jpeg_profile", "to_srgb"]

_MAX_PROFILE = 8 * 2**20
"""Bytes. A printer's profile takes up to 3 MiB."""
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_SAME = 2
"""Levels of 255 by which sRGB's many published profiles differ from each other."""
_MARK = b"ICC_PROFILE\0"
_RELATIVE = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


def changes_colours(profile: bytes | None, mode: str) -> bool:
    """Whether `to_srgb` does anything to an image of this mode: not where the profile is sRGB."""
    if not profile or len(profile) > _MAX_PROFILE or mode not in _SPACES:
        return False
    return _transform(profile, mode) is not None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """L, RGB or CMYK to RGB in sRGB; the image as it is where the profile changes nothing.

    The intent is relative colorimetric with black point compensation, as Adobe's programs have it:
    white and black stay, colours that both spaces have are exact. A profile that is broken, too
    large or made for another mode costs the profile, not the picture.
    """
    if not profile or not changes_colours(profile, image.mode):
        return image
    transform = _transform(profile, image.mode)
    return (transform and ImageCms.applyTransform(image, transform)) or image


def jpeg_profile(data: bytes) -> bytes | None:
    """The profile in a JPEG's APP2 segments, in front of its pixels; None where there is none.

    Source: ICC.1:2022, B.4: `ICC_PROFILE`, a zero, the segment's number from 1, how many there are.
    """
    parts: dict[int, bytes] = {}
    at = 2
    while data[at : at + 1] == b"\xff" and at + 17 < len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # any number of them may fill the space in front of a marker
            at += 1
            continue
        if marker == 0xDA or length < 2:
            break
        if marker == 0xE2 and data.startswith(_MARK, at + 4):
            parts[data[at + 16]] = data[at + 18 : at + 2 + length]
        at += 2 + length
    return b"".join(parts[number] for number in sorted(parts)) or None


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None where there is nothing to do, or nothing that can be done."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        target = ImageCms.createProfile("sRGB")
        made = ImageCms.buildTransform(source, target, mode, "RGB", _RELATIVE, _FLAGS)
        return None if mode != "CMYK" and _changes_nothing(made, mode) else made
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Try it on colours from all over the space."""
    steps = np.arange(0, 256, 15 if mode == "RGB" else 1, dtype=np.uint8)
    if mode == "RGB":
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        colours = steps[None]
    found = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
    before = colours if mode == "RGB" else np.repeat(colours[..., None], 3, axis=2)
    return int(np.abs(found.astype(int) - before).max()) <= _SAME
