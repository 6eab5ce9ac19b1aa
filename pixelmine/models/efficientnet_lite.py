"""EfficientNet-Lite as an ONNX graph from its published weights; `lite.py` has the layers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

from .lite import CLASSES, EMBEDDING, EPSILON, LITE0, MEAN, STD, STEM, Block, Lite
from .lite_weights import Weights

__all__ = ["build_onnx"]

# Those of ONNX 1.12, of 2022: nothing newer is used, so that older runtimes read the file too.
_OPSET, _IR_VERSION = 17, 8


def build_onnx(
    weights: Mapping[str, npt.NDArray[Any]],
    lite: Lite = LITE0,
    side: int | None = None,
    stages: Sequence[int] = (),
) -> bytes:
    """Build a network as a serialized ONNX model; equal weights give equal bytes.

    Input `pixels`, uint8 (N, S, S, 3), RGB, 0 to 255; N is free. S is `side` in pixels; None is the
    network's own, and the weights are the same for any. Normalisation is in the graph. Outputs
    `logits`, float32 (N, 1000), before softmax, and `embedding`, float32 (N, 1280), 0 to 6: the
    last feature map averaged over its places (7 x 7 for Lite0 at 224). `stages` puts behind it, in
    the same way, the outputs of these stages (0 to 6): of any sign, as wide as `lite.channels`
    says. They know more of texture, and of what ImageNet's classes do not tell apart.

    Batch normalisation is folded into the convolutions in float64 and rounded to float32 once. All
    operators are plain `ai.onnx`.

    `weights` is the state dict that `read_weights` gives. All are used, save
    `num_batches_tracked`, which counts training steps: those are only checked.

    Raises ModelError when a weight is missing, unknown, or of another shape than the network's.
    """
    graph = _Graph(weights, lite, side or lite.side)
    x = _normalise(graph)
    stem = _Convolution(STEM, 3, 3, stride=2)
    x, now = _convolution(graph, x, "stem", "_conv_stem", "_bn0", stem, graph.side)
    x = _relu6(graph, x, "stem")
    ends = {}
    for index, block in enumerate(lite.blocks):
        x, now = _block(graph, x, index, block, now)
        ends[block.stage] = x
    head = _Convolution(EMBEDDING, lite.blocks[-1].channels, 1)
    x, _ = _convolution(graph, x, "head", "_conv_head", "_bn1", head, now)
    graph.embedding += sum(lite.channels[stage] for stage in stages)
    _classify(graph, _relu6(graph, x, "head"), [ends[stage] for stage in stages])
    graph.weights.check_empty()
    return graph.serialize()


class _Convolution(NamedTuple):
    """Its weight is (outputs, inputs, kernel, kernel)."""

    outputs: int
    inputs: int
    kernel: int
    stride: int = 1
    groups: int = 1


class _Graph:
    """Nodes and constants in the order they are made; a node is named as its output."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], lite: Lite, side: int) -> None:
        self.weights, self.side, self._lite = Weights(weights, lite), side, lite
        self.embedding = EMBEDDING
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
            self._lite.name.replace("-", "_"),
            [helper.make_tensor_value_info("pixels", uint8, ["N", self.side, self.side, 3])],
            [
                helper.make_tensor_value_info("logits", float32, ["N", CLASSES]),
                helper.make_tensor_value_info("embedding", float32, ["N", self.embedding]),
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
    x = graph.node("Sub", [x, graph.constant("input/mean", MEAN)], "input/centred")
    x = graph.node("Mul", [x, graph.constant("input/scale", 1 / STD)], "input/scaled")
    return graph.node("Transpose", [x], "input/planes", perm=[0, 3, 1, 2])


def _block(graph: _Graph, x: str, index: int, block: Block, side: int) -> tuple[str, int]:
    """Add a block. Returns its output's name, and its side: height and width are equal."""
    source, name, key = x, f"block{index}", f"_blocks.{index}."
    if block.expands:
        expand = _Convolution(block.wide, block.inputs, 1)
        x, _ = _convolution(
            graph, x, f"{name}/expand", f"{key}_expand_conv", f"{key}_bn0", expand, side
        )
        x = _relu6(graph, x, f"{name}/expand")
    depthwise = _Convolution(block.wide, 1, block.kernel, block.stride, block.wide)
    x, out_side = _convolution(
        graph, x, f"{name}/depthwise", f"{key}_depthwise_conv", f"{key}_bn1", depthwise, side
    )
    x = _relu6(graph, x, f"{name}/depthwise")
    project = _Convolution(block.channels, block.wide, 1)
    x, _ = _convolution(
        graph, x, f"{name}/project", f"{key}_project_conv", f"{key}_bn2", project, out_side
    )
    if block.residual:
        x = graph.node("Add", [x, source], f"{name}/sum")
    return x, out_side


def _convolution(
    graph: _Graph, x: str, name: str, key: str, norm: str, of: _Convolution, side: int
) -> tuple[str, int]:
    """Add a convolution with its batch normalisation.

    Padding is TensorFlow's SAME: ceil(side / stride) places, and where the zeros do not divide
    evenly the one left over goes below and to the right. Returns the output's name and side.
    """
    weight = graph.weights.take(f"{key}.weight", of.outputs, of.inputs, of.kernel, of.kernel)
    factor, bias = _fold(graph.weights, norm, of.outputs)
    out_side = -(-side // of.stride)
    padding = max((out_side - 1) * of.stride + of.kernel - side, 0)
    before, after = padding // 2, padding - padding // 2
    output = graph.node(
        "Conv",
        [
            x,
            graph.constant(f"{name}/weight", weight * factor[:, None, None, None]),
            graph.constant(f"{name}/bias", bias),
        ],
        f"{name}/conv",
        group=of.groups,
        kernel_shape=[of.kernel, of.kernel],
        pads=[before, before, after, after],
        strides=[of.stride, of.stride],
    )
    return output, out_side


def _fold(
    weights: Weights, norm: str, channels: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Turn gamma (x - mean) / sqrt(variance + epsilon) + beta into factor x + bias.

    Both are of shape (channels,).
    """
    gamma, beta, mean, variance = weights.take_norm(norm, channels)
    factor = gamma / np.sqrt(variance + EPSILON)
    return factor, beta - mean * factor


def _relu6(graph: _Graph, x: str, name: str) -> str:
    bounds = [graph.constant(f"{name}/low", 0.0), graph.constant(f"{name}/high", 6.0)]
    return graph.node("Clip", [x, *bounds], f"{name}/relu6")


def _classify(graph: _Graph, x: str, more: Sequence[str]) -> None:
    """Logits from `x`; the embedding from `x` and `more`, feature maps of any size."""
    last = _pool(graph, x, "pool", "embedding" if not more else "pool/flat")
    weight = graph.constant("fc/weight", graph.weights.take("_fc.weight", CLASSES, EMBEDDING))
    bias = graph.constant("fc/bias", graph.weights.take("_fc.bias", CLASSES))
    graph.node("Gemm", [last, weight, bias], "logits", transB=1)
    if more:
        others = [_pool(graph, name, f"{name}/pool", f"{name}/flat") for name in more]
        graph.node("Concat", [last, *others], "embedding", axis=1)


def _pool(graph: _Graph, x: str, name: str, output: str) -> str:
    return graph.node("Flatten", [graph.node("GlobalAveragePool", [x], name)], output, axis=1)
