"""Correlation with templates as an ONNX graph. N pictures of (H, W, C), K classes, T templates."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

__all__ = ["Window", "build_onnx"]

# Those of ONNX 1.12, of 2022: nothing newer is used, so that older runtimes read the file too.
_OPSET, _IR_VERSION = 17, 8


@dataclass(frozen=True, kw_only=True)
class Window:
    """The templates in one size, and where it is searched for.

    `templates`: float32 (T, h, w, C), each without its channels' means and of length 1. `top`,
    `left`: the first place, in pixels of the picture, below 0 where that lies outside. `places`:
    each way, one pixel apart.
    """

    templates: np.ndarray
    top: int
    left: int
    places: int

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""
        return self.templates.shape[1], self.templates.shape[2]


def build_onnx(
    shape: tuple[int, int, int], windows: tuple[Window, ...], owner: np.ndarray, sharpness: float
) -> bytes:
    """Build the network of `FittedTemplates.to_onnx`; see there."""
    graph = _Graph()
    x = graph.node("Cast", ["pixels"], to=TensorProto.FLOAT)
    x = graph.node("Transpose", [x], perm=[0, 3, 1, 2])
    # Without the picture's mean the sums below are small, and little is lost when they cancel.
    x = graph.node("Sub", [x, graph.node("ReduceMean", [x], axes=[2, 3])])
    x, above, before = _padded(graph, x, shape, windows)
    best = [
        _correlate(graph, x, window, window.top + above, window.left + before) for window in windows
    ]
    graph.node("Max", best, "embedding")
    index = graph.constant(_by_class(owner))
    each = graph.node(
        "ReduceMax", [graph.node("Gather", ["embedding", index], axis=1)], axes=[2], keepdims=0
    )
    graph.node("Mul", [each, graph.constant(np.float32(sharpness))], "logits")
    return graph.serialize(shape, int(owner[-1]) + 1, len(owner))


def _padded(
    graph: "_Graph", x: str, shape: tuple[int, int, int], windows: tuple[Window, ...]
) -> tuple[str, int, int]:
    """The picture with its edge going on as far as any place reaches; how far above and before."""
    pads = []
    for axis, start in ((0, "top"), (1, "left")):
        first = [getattr(window, start) for window in windows]
        last = [f + w.size[axis] + w.places - 1 for f, w in zip(first, windows, strict=True)]
        pads.append((max(0, -min(first)), max(0, max(last) - shape[axis])))
    (above, below), (before, behind) = pads
    if above + below + before + behind == 0:
        return x, 0, 0
    amounts = graph.constant(np.array([0, 0, above, before, 0, 0, below, behind], np.int64))
    return graph.node("Pad", [x, amounts], mode="edge"), above, before


def _correlate(graph: "_Graph", x: str, window: Window, top: int, left: int) -> str:
    """Each template's best correlation in one size, (N, T)."""
    height, width = window.size
    side, area = window.places - 1, height * width
    ends = [top + height + side, left + width + side]
    cut = [np.array(v, np.int64) for v in ([top, left], ends, [2, 3])]
    x = graph.node("Slice", [x, *map(graph.constant, cut)])
    kernel: dict[str, Any] = {"kernel_shape": [height, width]}
    weight = graph.constant(window.templates.transpose(0, 3, 1, 2))
    product = graph.node("Conv", [x, weight], **kernel)
    mean = graph.node("AveragePool", [x], **kernel)
    square = graph.node("AveragePool", [graph.node("Mul", [x, x])], **kernel)
    variance = graph.node("Sub", [square, graph.node("Mul", [mean, mean])])
    # The sum of the channels' variances; less than one level of each counts as one.
    channels = window.templates.shape[3]
    total = graph.node("ReduceSum", [variance, graph.constant(np.array([1], np.int64))])
    total = graph.node("Max", [total, graph.constant(np.float32(channels))])
    energy = graph.node("Mul", [total, graph.constant(np.float32(area))])
    found = graph.node("Div", [product, graph.node("Sqrt", [energy])])
    return graph.node("ReduceMax", [found], axes=[2, 3], keepdims=0)


def _by_class(owner: np.ndarray) -> np.ndarray:
    """The templates of each class, int64 (K, M); where it has fewer, its last one again."""
    mine = [np.flatnonzero(owner == k) for k in range(int(owner[-1]) + 1)]
    most = max(map(len, mine))
    return np.stack([np.pad(rows, (0, most - len(rows)), mode="edge") for rows in mine])


class _Graph:
    """Collects nodes and constants; names come from their number."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def serialize(self, shape: tuple[int, int, int], classes: int, templates: int) -> bytes:
        float32, uint8 = TensorProto.FLOAT, TensorProto.UINT8
        graph = helper.make_graph(
            self._nodes,
            "template",
            [helper.make_tensor_value_info("pixels", uint8, ["N", *shape])],
            [
                helper.make_tensor_value_info("logits", float32, ["N", classes]),
                helper.make_tensor_value_info("embedding", float32, ["N", templates]),
            ],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pixelmine"
        )
        checker.check_model(model, full_check=True)
        return cast(bytes, model.SerializeToString(deterministic=True))
