"""EfficientNet-Lite0 in 8 bits: the network that collections are mined with.

On a CPU with VNNI it is 2.6 times as fast as in float32, with AVX2 alone 1.6 times, and what mining
asks of its embedding is as good: of 5,163 clothing photographs, the nearest of another sender has
the same label in .663 (float32 .659), and a linear classifier is right on .770 (.777) of those of
two folds of senders (2026-11). `benchmarks/int8_ranges.py` measures the ranges below.
"""

import numpy as np
import onnx

from .lite import LITE0
from .quantise import quantise

__all__ = ["NAME", "quantise_lite0"]

NAME = f"{LITE0.name}-int8"

_RANGES = {
    "block0/project/conv": (-52.82, 55.80),
    "block1/project/conv": (-65.75, 66.27),
    "block2/project/conv": (-55.44, 65.39),
    "block2/sum": (-65.69, 78.71),
    "block3/project/conv": (-44.33, 52.28),
    "block4/project/conv": (-35.18, 31.76),
    "block4/sum": (-51.43, 55.19),
    "block5/project/conv": (-37.86, 38.76),
    "block6/project/conv": (-31.60, 22.12),
    "block6/sum": (-39.13, 42.66),
    "block7/project/conv": (-20.79, 18.19),
    "block7/sum": (-45.96, 46.32),
    "block8/project/conv": (-42.53, 38.40),
    "block9/project/conv": (-25.17, 19.09),
    "block9/sum": (-46.34, 39.29),
    "block10/project/conv": (-22.77, 18.41),
    "block10/sum": (-52.26, 43.61),
    "block11/project/conv": (-31.71, 34.57),
    "block12/project/conv": (-25.10, 19.35),
    "block12/sum": (-35.24, 34.96),
    "block13/project/conv": (-17.99, 20.89),
    "block13/sum": (-38.09, 39.61),
    "block14/project/conv": (-21.81, 29.21),
    "block14/sum": (-44.47, 44.82),
    "block15/project/conv": (-20.05, 18.68),
}
"""The least and largest value of each tensor that no ReLU6 bounds, on 500 of the photographs of the
clothing dataset (CC0; github.com/alexeygrigorev/clothing-dataset), drawn with seed 1, 2026-11."""

_PIXELS = ("input/planes", (-127 / 128, 1.0))
_EMBEDDING = ("embedding", (0.0, 6.0))
"""A mean of values that ReLU6 bounds, as the dense layer takes it; the output itself is float32."""

_SHOWN = np.zeros((1, LITE0.side, LITE0.side, 3), np.uint8)
"""The tool wants to see a picture, and learns nothing from it."""


def quantise_lite0(network: bytes) -> bytes:
    """The network of `build_onnx` at 224 pixels in 8 bits, the same bytes everywhere."""
    nodes = onnx.load_model_from_string(network).graph.node
    bounded = {node.output[0]: (0.0, 6.0) for node in nodes if node.op_type == "Clip"}
    return quantise(network, [_SHOWN], {**_RANGES, **bounded, **dict([_PIXELS, _EMBEDDING])})
