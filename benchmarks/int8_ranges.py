"""The ranges that `pixelmine.models.lite_int8` holds: what values each tensor of Lite0 takes.

python benchmarks/int8_ranges.py FOLDER [--pictures 500] [--seed 1]

FOLDER: photographs, as the `clothing` set. Prints the table; where the network is clipped to 0 to 6
or the pixels themselves bound the values, nothing need be measured and nothing is printed.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from pixelmine.core import Limits, Reason
from pixelmine.models import load_bundle
from pixelmine.models.quantise import quantise
from pixelmine.preprocess import Preprocessing

BATCH = 16


def batches(paths: list[Path], steps: Preprocessing) -> Iterator[np.ndarray]:
    """Uint8 (16, 224, 224, 3), of what can be decoded."""
    held: list[np.ndarray] = []
    for path in paths:
        pixels = steps.prepare_uint8(path.read_bytes(), Limits())
        if not isinstance(pixels, Reason):
            held.append(pixels)
        if len(held) == BATCH:
            yield np.stack(held)
            held.clear()


def ranges(network: bytes) -> dict[str, tuple[float, float]]:
    """Of the tensors of an 8-bit network, from their scales and zero points."""
    graph = onnx.load_model_from_string(network).graph
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and held[node.input[1]].ndim == 0:
            scale, zero = float(held[node.input[1]]), int(held[node.input[2]])
            found[node.input[0]] = (-zero * scale, (255 - zero) * scale)
    return found


def main() -> None:
    """Draw, quantise, read what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    paths = sorted(asked.folder.rglob("*.jpg"))
    drawn = random.Random(asked.seed).sample(paths, min(asked.pictures, len(paths)))
    bundle = load_bundle("efficientnet-lite0")
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    found = ranges(quantise(bundle.files["model.onnx"], batches(drawn, steps)))
    for name, (low, high) in found.items():
        if not name.endswith("relu6"):
            print(f'    "{name}": ({low:.2f}, {high:.2f}),')


if __name__ == "__main__":
    main()
