"""Bytes to model-ready pixels: decode, orient, colour, then the steps that a card declares."""

from .decode import DecodeOptions, decode
from .picture import Picture
from .preprocessing import Preprocessing
from .steps import STEPS, CenterCrop, Normalise, Resize, Rotate, Step

__all__ = [
    "STEPS",
    "CenterCrop",
    "DecodeOptions",
    "Normalise",
    "Picture",
    "Preprocessing",
    "Resize",
    "Rotate",
    "Step",
    "decode",
]
