"""dlib's face embedding as an ONNX graph, from the weights that face-api.js keeps in 8 bits.

The network is dlib's `dnn_face_recognition_ex.cpp` (King, 2017): a residual network (He et al.,
arXiv:1512.03385) with 29 convolutions. Sizes, padding and the order of the weights are those of
face-api.js, `src/faceRecognitionNet/FaceRecognitionNet.ts`; its own code, run in Node, gives the
same numbers within 2.4e-7 (2026-11-28).
"""

import json
from collections.abc import Mapping
from math import prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from pixelmine.core.errors import ModelError

__all__ = ["DIMENSIONS", "SIDE", "convert", "read_quantised"]

SIDE = 150
"""Pixels, of the square face that the network takes."""

DIMENSIONS = 128

_MEAN = (122.782, 117.001, 104.298)
"""Of red, green and blue in the pictures it was trained on; a pixel p becomes (p - mean) / 255."""

_BLOCKS = (
    ("conv32_1", "conv32_2", "conv32_3"),
    ("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    ("conv128_down", "conv128_1", "conv128_2"),
    ("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)
_OPSET, _IR_VERSION = 17, 8

Array = npt.NDArray[Any]


def convert(files: Mapping[str, bytes]) -> bytes:
    """Build an ONNX model from the weights file and its manifest.

    Input `pixels`, uint8 (N, 150, 150, 3), RGB, 0 to 255: an aligned face. Output `embedding`,
    float32 (N, 128). All operators are plain `ai.onnx`; scale and bias are folded into the
    convolutions in float64. Raises ModelError where the files do not fit each other or the network.
    """
    manifest = next(data for name, data in files.items() if name.endswith(".json"))
    data = next(data for name, data in files.items() if name.endswith(".bin"))
    graph = _Graph(read_quantised(manifest, data))
    x = graph.node("Cast", ["pixels"], "input/float", to=TensorProto.FLOAT)
    x = graph.node("Sub", [x, graph.constant("input/mean", np.array(_MEAN))], "input/centred")
    x = graph.node("Div", [x, graph.constant("input/scale", np.array(255.0))], "input/scaled")
    x = graph.node("Transpose", [x], "input/planes", perm=[0, 3, 1, 2])
    x = graph.convolution(x, "conv32_down", stride=2)
    x = graph.node("Relu", [x], "conv32_down/relu")
    x = graph.node("MaxPool", [x], "conv32_down/pool", kernel_shape=[3, 3], strides=[2, 2])
    side = (((SIDE - 7) // 2 + 1) - 3) // 2 + 1
    for blocks in _BLOCKS:
        for name in blocks:
            x, side = _block(graph, x, name, side)
    x = graph.node("GlobalAveragePool", [x], "pool")
    x = graph.node("Flatten", [x], "pool/flat", axis=1)
    graph.node("MatMul", [x, graph.constant("fc", graph.take("fc"))], "embedding")
    return graph.serialize()


def _block(graph: "_Graph", x: str, name: str, side: int) -> tuple[str, int]:
    """Two convolutions, and beside them the input itself; or, where it halves, its average.

    Where it halves, the convolution can end with one place less than the average: zeros come below
    and to the right. Channels that the average lacks are zeros too.
    """
    halves, stride = "down" in name, 2 if "down" in name else 1
    inputs, outputs = graph.shape(f"{name}/conv1/conv/filters")[-2:]
    y = graph.convolution(x, f"{name}/conv1", stride)
    y = graph.node("Relu", [y], f"{name}/conv1/relu")
    y = graph.convolution(y, f"{name}/conv2", 1)
    if halves:
        after, beside = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        x = graph.node("AveragePool", [x], f"{name}/mean", kernel_shape=[2, 2], strides=[2, 2])
        x = graph.pad(x, f"{name}/mean/wide", outputs - inputs, 0)
        y = graph.pad(y, f"{name}/whole", 0, beside - after)
        side = beside
    return graph.node("Relu", [graph.node("Add", [x, y], f"{name}/sum")], f"{name}/relu"), side


def read_quantised(manifest: bytes, data: bytes) -> dict[str, Array]:
    """Weights by name, float64, out of TensorFlow.js's format; each in 8 bits or in float32.

    A byte b stands for `b * scale + min` of its weight's own entry. Raises ModelError where the
    manifest asks for more or less bytes than there are.
    """
    found: dict[str, Array] = {}
    start = 0
    try:
        for entry in (weight for group in json.loads(manifest) for weight in group["weights"]):
            levels = entry.get("quantization")
            dtype = np.dtype(levels["dtype"] if levels else entry["dtype"])
            count = prod(entry["shape"])
            flat = np.frombuffer(data, dtype.newbyteorder("<"), count, start).astype(np.float64)
            start += count * dtype.itemsize
            if levels:
                flat = flat * levels["scale"] + levels["min"]
            found[entry["name"]] = flat.reshape(entry["shape"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The weights and their manifest do not fit: {error}.") from error
    if start != len(data):
        raise ModelError(f"The manifest names {start} bytes of weights; there are {len(data)}.")
    return found


class _Graph:
    """Nodes and constants in the order they are made; each weight is taken once."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._left = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def take(self, name: str) -> Array:
        if name not in self._left:
            raise ModelError(f"The face embedding lacks its weight {name!r}.")
        return self._left.pop(name)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._left[name].shape) if name in self._left else (0, 0)

    def constant(self, name: str, value: Array) -> str:
        kept = value if value.dtype == np.int64 else value.astype(np.float32)
        self._constants.append(numpy_helper.from_array(kept, name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def convolution(self, x: str, name: str, stride: int) -> str:
        """With its bias, then its scale and bias. Of stride 1 it keeps the size; else no padding.

        TensorFlow's weights are (height, width, inputs, outputs), ONNX's (outputs, inputs, ...).
        """
        scale, shift = self.take(f"{name}/scale/weights"), self.take(f"{name}/scale/biases")
        filters = self.take(f"{name}/conv/filters") * scale
        bias = self.take(f"{name}/conv/bias") * scale + shift
        weight = np.ascontiguousarray(filters.transpose(3, 2, 0, 1))
        around = filters.shape[0] // 2 if stride == 1 else 0
        return self.node(
            "Conv",
            [x, self.constant(f"{name}/weight", weight), self.constant(f"{name}/bias", bias)],
            f"{name}/conv",
            kernel_shape=list(filters.shape[:2]),
            pads=[around] * 4,
            strides=[stride, stride],
        )

    def pad(self, x: str, name: str, channels: int, places: int) -> str:
        """Zeros behind the last channel, below and to the right."""
        if not (channels or places):
            return x
        pads = np.array([0, 0, 0, 0, 0, channels, places, places], np.int64)
        return self.node("Pad", [x, self.constant(f"{name}/pads", pads)], name)

    def serialize(self) -> bytes:
        if self._left:
            raise ModelError(f"The face embedding has no place for the weights {list(self._left)}.")
        graph = helper.make_graph(
            self._nodes,
            "dlib_face",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", SIDE, SIDE, 3])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", DIMENSIONS])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pixelmine"
        )
        checker.check_model(model, full_check=True)
        return cast(bytes, model.SerializeToString(deterministic=True))
