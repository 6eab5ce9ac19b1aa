"""Every colour mode to RGB, and RGB to grey."""

import cv2
import numpy as np
from PIL import Image

__all__ = ["to_grey", "to_rgb"]

_PLAIN = {"1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB", "HSV"}
_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}


def to_rgb(image: Image.Image) -> np.ndarray | None:
    """A loaded Pillow image to uint8 (H, W, 3); None for a mode without a rule (float, 32-bit).

    Alpha and palette transparency are laid over white, as on paper. 16-bit grey keeps its upper
    8 bits.
    """
    if image.mode.startswith("I;16"):
        return _from_16_bit(np.asarray(image), image.info.get("transparency"))
    if image.mode in _ALPHA or "transparency" in image.info:
        over = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return np.asarray(Image.alpha_composite(white, over).convert("RGB"))
    if image.mode in _PLAIN:
        return np.asarray(image.convert("RGB"))
    if image.mode == "I":
        samples = np.asarray(image)
        if samples.size and (samples.min() < 0 or samples.max() > 0xFFFF):
            return None
        return _from_16_bit(samples)
    return None


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB to (H, W, 1): luma .299 R + .587 G + .114 B (ITU-R BT.601)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY))[..., None]


def _from_16_bit(samples: np.ndarray, transparent: int | None = None) -> np.ndarray:
    upper = (samples.astype(np.uint32) >> 8).astype(np.uint8)
    if transparent is not None:
        upper[samples == transparent] = 255
    return np.repeat(upper[..., None], 3, axis=2)
