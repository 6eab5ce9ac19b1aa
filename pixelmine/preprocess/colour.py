"""Every colour mode to RGB, and RGB to grey."""

import cv2
import numpy as np
from PIL import Image

from .icc import to_srgb

__all__ = ["over_white", "to_grey", "to_rgb", "upper_bits"]

_PLAIN = {"1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"}
_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}


def to_rgb(image: Image.Image) -> np.ndarray | None:
    """A loaded Pillow image to uint8 (H, W, 3); None for a mode without a rule (float, 32-bit).

    Its ICC profile is applied, then alpha and palette transparency are laid over white, as on
    paper. 16-bit grey keeps its upper 8 bits.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        return _from_16_bit(np.asarray(image), image.info.get("transparency"), profile)
    if image.mode in _ALPHA or "transparency" in image.info:
        over = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        colours = to_srgb(over.convert("RGB"), profile)
        colours.putalpha(over.getchannel("A"))
        white = Image.new("RGBA", over.size, "white")
        return np.asarray(Image.alpha_composite(white, colours).convert("RGB"))
    if image.mode in _PLAIN:
        plain = image.convert("RGB") if image.mode == "P" else image
        return np.asarray(to_srgb(plain, profile).convert("RGB"))
    if image.mode == "I":
        samples = np.asarray(image)
        if samples.size and (samples.min() < 0 or samples.max() > 0xFFFF):
            return None
        return _from_16_bit(samples.astype(np.uint16), None, profile)
    return None


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB to (H, W, 1): luma .299 R + .587 G + .114 B (ITU-R BT.601)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))[..., None]


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) and (H, W), 255 for opaque, to uint8 (H, W, 3)."""
    image = Image.fromarray(np.dstack([pixels, alpha]))
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def upper_bits(samples: np.ndarray) -> np.ndarray:
    """Unsigned integers of any width to uint8: their upper 8 bits."""
    return (samples >> 8 * (samples.dtype.itemsize - 1)).astype(np.uint8)


def _from_16_bit(samples: np.ndarray, transparent: int | None, profile: bytes | None) -> np.ndarray:
    grey = to_srgb(Image.fromarray(upper_bits(samples)), profile).convert("RGB")
    pixels = np.array(grey)
    if transparent is not None:
        pixels[samples == transparent] = 255
    return pixels
