"""A peeled Keras network to ONNX bytes, and the proof that both give the same answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnxruntime
import tensorflow
import tf2onnx

from pixelmine.core.errors import TrainError

from .canonical import canonical

__all__ = ["OPSET", "TOLERANCE", "Answers", "ask_keras", "check_same", "to_onnx"]

OPSET = 18
"""Of `ai.onnx`: the newest that tf2onnx 1.17 writes."""

TOLERANCE = 1e-4
"""Largest difference of a value, in units of the largest value of its kind where that is above 1.
float32 keeps 7 digits, and the two runtimes add up in different orders."""

_NAMES = ["logits", "embedding"]


@dataclass(frozen=True)
class Answers:
    """`logits` (N, K) and `embedding` (N, D), float32."""

    logits: np.ndarray
    embedding: np.ndarray


def to_onnx(network: Any) -> bytes:
    """Convert a network as `peel` gives it. Needs Keras on TensorFlow.

    One input `pixels`, float32 (N, H, W, C) with N free; outputs `logits` (N, K) and `embedding`
    (N, D); operators of `ai.onnx` alone.
    """
    shape = (None, *network.input_shape[1:])
    signature = [tensorflow.TensorSpec(shape, tensorflow.float32, name="pixels")]
    function = tensorflow.function(lambda pixels: network(pixels, training=False))
    proto, _ = tf2onnx.convert.from_function(function, signature, opset=OPSET)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    used = {node.domain for node in proto.graph.node}
    for entry in [e for e in proto.opset_import if e.domain not in used]:
        proto.opset_import.remove(entry)
    return bytes(canonical(proto).SerializeToString(deterministic=True))


def ask_keras(network: Any, pixels: np.ndarray) -> Answers:
    """The answers of a peeled network to (N, H, W, C) float32."""
    found = network(pixels, training=False)
    return Answers(*(keras.ops.convert_to_numpy(found[name]) for name in _NAMES))


def check_same(network: Any, data: bytes, batches: Iterable[np.ndarray]) -> Answers:
    """Keras's answers to batches of (N, H, W, C) float32, at least one.

    Raises TrainError where those of ONNX Runtime on the CPU are not the same.
    """
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    parts = []
    for pixels in batches:
        expected = ask_keras(network, pixels)
        _compare(expected, Answers(*session.run(_NAMES, {"pixels": pixels})))
        parts.append(expected)
    logits = np.concatenate([part.logits for part in parts])
    return Answers(logits, np.concatenate([part.embedding for part in parts]))


def _compare(expected: Answers, found: Answers) -> None:
    for name in _NAMES:
        ours, theirs = getattr(expected, name), getattr(found, name)
        difference = float(np.abs(ours - theirs).max())
        allowed = TOLERANCE * max(1.0, float(np.abs(ours).max()))
        if not difference <= allowed:
            raise TrainError(
                f"The exported network is not the trained one: {name} differs by {difference:.2g} "
                f"(allowed {allowed:.2g}) between Keras and ONNX Runtime. Nothing was written."
            )
