"""Bytes to model-ready pixels: decode, orient, colour, then the steps that a card declares."""

from .decode import DecodeOptions, decode
from .decode_jpeg import describe_jpeg
from .frames import Frames, decode_frames
from .picture import Picture
from .preprocessing import Preprocessing
from .steps import (
    STEPS,
    Bilateral,
    CenterCrop,
    CenterSquare,
    Clahe,
    Convert,
    Crop,
    Equalise,
    FiveCrop,
    Median,
    NonLocalMeans,
    Normalise,
    Pad,
    Resize,
    Rotate,
    Step,
)

__all__ = [
    "STEPS",
    "Bilateral",
    "CenterCrop",
    "CenterSquare",
    "Clahe",
    "Convert",
    "Crop",
    "DecodeOptions",
    "Equalise",
    "FiveCrop",
    "Frames",
    "Median",
    "NonLocalMeans",
    "Normalise",
    "Pad",
    "Picture",
    "Preprocessing",
    "Resize",
    "Rotate",
    "Step",
    "decode",
    "decode_frames",
    "describe_jpeg",
]
