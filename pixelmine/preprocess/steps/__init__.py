"""Pixels to model-ready pixels: the declared steps, each a small frozen dataclass.

A step takes and gives one picture, (H, W, C); all but `Normalise` give uint8 for uint8. To add one:
write the class, name it in STEPS; the contract test in tests/preprocess then runs on it.
"""

from .convert import Convert
from .crop import CenterCrop, CenterSquare, Crop, FiveCrop
from .denoise import Bilateral, Median, NonLocalMeans
from .equalise import Clahe, Equalise
from .normalise import Normalise
from .pad import Pad
from .resize import Resize
from .rotate import Rotate
from .step import Grows, Step

__all__ = [
    "STEPS",
    "UINT8_STEPS",
    "Bilateral",
    "CenterCrop",
    "CenterSquare",
    "Clahe",
    "Convert",
    "Crop",
    "Equalise",
    "FiveCrop",
    "Grows",
    "Median",
    "NonLocalMeans",
    "Normalise",
    "Pad",
    "Resize",
    "Rotate",
    "Step",
]

STEPS: dict[str, type] = {
    "resize": Resize,
    "pad": Pad,
    "crop": Crop,
    "center_crop": CenterCrop,
    "center_square": CenterSquare,
    "five_crop": FiveCrop,
    "rotate": Rotate,
    "convert": Convert,
    "equalise": Equalise,
    "clahe": Clahe,
    "median": Median,
    "bilateral": Bilateral,
    "non_local_means": NonLocalMeans,
    "normalise": Normalise,
}

UINT8_STEPS: tuple[type, ...] = (Convert, Equalise, Clahe, Median, Bilateral, NonLocalMeans)
"""Steps that take uint8 alone; the others take float32 too."""
