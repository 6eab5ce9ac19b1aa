"""A Keras network to what a bundle holds of it. N pictures of (H, W, C), K classes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import TrainError
from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
from pixelmine.preprocess import Preprocessing

from .peel import Peeled
from .to_onnx import Answers, ask_keras, check_same, to_onnx

__all__ = ["Exported", "export", "weights_file"]


@dataclass(frozen=True)
class Exported:
    """The ONNX bytes, golden pictures with the answers of Keras, and its answers to the others."""

    onnx: bytes
    golden: list[GoldenPicture]
    answers: Answers


def export(peeled: Peeled, preprocessing: Preprocessing, pixels: Iterable[np.ndarray]) -> Exported:
    """Export a network, and check it on batches of (N, H, W, C) float32 and the golden pictures.

    The golden answers are Keras's, from the pictures' bytes on, so that a bundle's own check does
    not lean on what it checks. Raises TrainError where Keras and ONNX Runtime differ.
    """
    onnx = to_onnx(peeled.network)
    ready = {name: _prepare(name, preprocessing) for name in SHIPPED}
    check_same(peeled.network, onnx, ready.values())
    golden = []
    for name, picture in ready.items():
        answers = ask_keras(peeled.network, picture)
        data = golden_bytes(name)
        golden.append(GoldenPicture(name, data, answers.logits[0], answers.embedding[0]))
    return Exported(onnx, golden, check_same(peeled.network, onnx, pixels))


def weights_file(network: Any) -> bytes:
    """`weights.safetensors`: each weight under its position and path, `003.network/layer/name`.

    A network of the same builder takes them by position, with `set_weights`.
    """
    data: bytes = to_safetensors(
        {
            f"{index:03d}.{variable.path}": np.asarray(variable.numpy(), order="C")
            for index, variable in enumerate(network.weights)
        }
    )
    return data


def _prepare(name: str, preprocessing: Preprocessing) -> np.ndarray:
    """One golden picture, (1, H, W, C) float32."""
    pixels = preprocessing.prepare(golden_bytes(name), Limits())
    if isinstance(pixels, Reason):
        raise TrainError(f"The golden picture {name} cannot be prepared: {pixels.meaning}")
    return pixels[None]
