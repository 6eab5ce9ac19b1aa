"""Writes the ONNX graph of a head. Nodes are in the order they are made; a node is its output."""

from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

__all__ = ["Graph"]

# Those of ONNX 1.12, of 2022: nothing newer is used, so that older runtimes read the file too.
_OPSET, _IR_VERSION = 17, 8
_ML_OPSET = 3


class Graph:
    """Nodes and constants of one head, from `features`, float32 (N, D)."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, name: str, value: Any) -> str:
        """Add a constant: int64 where it is of whole numbers, else float32."""
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind in "iub" else np.float32)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def node(
        self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node with one output, and give its name."""
        node = helper.make_node(operator, inputs, [output], output, domain=domain, **attributes)
        self._nodes.append(node)
        return output

    def largest(self, scores: str, count: int, output: str) -> str:
        """The `count` largest of each row, descending: (N, S) to (N, count)."""
        number = self.constant(f"{output}/count", [count])
        names = [output, f"{output}/places"]
        self._nodes.append(helper.make_node("TopK", [scores, number], names, output, axis=1))
        return output

    def serialize(self, logits: str, classes: int, embedding: str) -> bytes:
        """The whole model, checked; `logits` and `embedding` name tensors of (N, K) and (N, D)."""
        self.node("Identity", [logits], "logits")
        self.node("Identity", [embedding], "embedding")
        graph = helper.make_graph(
            self._nodes,
            "head",
            [_value("features", self.dimensions)],
            [_value("logits", classes), _value("embedding", self.dimensions)],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        if any(node.domain for node in self._nodes):
            opsets.append(helper.make_opsetid("ai.onnx.ml", _ML_OPSET))
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pixelmine"
        )
        checker.check_model(model, full_check=True)
        return cast(bytes, model.SerializeToString(deterministic=True))


def _value(name: str, size: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
