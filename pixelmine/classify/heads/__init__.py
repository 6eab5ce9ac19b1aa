"""Heads: vectors to one score a class, fitted here and written as ONNX.

To add one: write a `Scorer`, a function that fits it and a `HeadKind`, and name that in HEADS; the
contract test in tests/classify/heads then runs on it.
"""

from .affine import start_of
from .fit import HEADS, fit_head
from .fitted import FittedHead
from .head import Fitted, HeadKind, HeadOptions, Scorer
from .start import Start

__all__ = [
    "HEADS",
    "Fitted",
    "FittedHead",
    "HeadKind",
    "HeadOptions",
    "Scorer",
    "Start",
    "fit_head",
    "start_of",
]
