"""Masks whose pixels are gone: on pixels, and on a JPEG's coefficients."""

from .areas import to_stored
from .jpeg import MaskedJpeg, mask_jpeg, warm_up
from .options import MaskOptions
from .pixels import mask_pixels

__all__ = ["MaskOptions", "MaskedJpeg", "mask_jpeg", "mask_pixels", "to_stored", "warm_up"]
