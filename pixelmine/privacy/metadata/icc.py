"""Whether a picture's colours are what they are without its ICC profile."""

import io
from functools import lru_cache

import numpy as np

__all__ = ["refuse_needed"]

from .stripped import MustEncode

_MAX_PROFILE = 8 * 2**20
"""Bytes. A printer's profile takes up to 3 MiB; decoders here ignore larger ones."""
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_SAME = 2
"""Levels of 255 by which sRGB's many published profiles differ from each other."""


def refuse_needed(profile: bytes, mode: str) -> None:
    """Raise MustEncode unless the profile can be dropped from a picture of L, RGB or CMYK."""
    if profile and len(profile) <= _MAX_PROFILE and _is_needed(profile, mode):
        raise MustEncode(
            "Its colours are those of an ICC profile other than sRGB, which must be applied to the "
            "pixels because its texts may not stay."
        )


@lru_cache(maxsize=32)
def _is_needed(profile: bytes, mode: str) -> bool:
    from PIL import Image, ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return False
        if mode == "CMYK":
            return True
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        steps = np.arange(0, 256, 15 if mode == "RGB" else 1, dtype=np.uint8)
        if mode == "RGB":
            colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        else:
            colours = steps[None]
        found = ImageCms.applyTransform(Image.fromarray(colours), transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False  # no decoder could apply it
    before = colours if mode == "RGB" else np.repeat(colours[..., None], 3, axis=2)
    return int(np.abs(np.asarray(found).astype(int) - before).max()) > _SAME
