"""An 8-bit network of a small one made here: two convolutions, a mean, a dense layer."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.core.errors import ModelError
from pixelmine.models.onnx_check import check_parts
from pixelmine.models.quantise import quantise


def network(convolutions: int = 2) -> bytes:
    """uint8 (N, 16, 16, 3) to 10 logits."""
    rng = np.random.default_rng(0)
    constants = [numpy_helper.from_array(np.float32(1 / 128), "scale")]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["x0"], perm=[0, 3, 1, 2]),
    ]
    channels, x = 3, "x0"
    for layer in range(convolutions):
        weight = rng.normal(size=(16, channels, 3, 3)).astype(np.float32) / channels**0.5 / 3
        constants.append(numpy_helper.from_array(weight, f"w{layer}"))
        nodes.append(helper.make_node("Conv", [x, f"w{layer}"], [f"c{layer}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"]))
        channels, x = 16, f"r{layer}"
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pool"]))
    shape = np.array([-1, channels], np.int64)  # as a converter from Keras writes a Flatten
    constants.append(numpy_helper.from_array(shape, "shape"))
    nodes.append(helper.make_node("Reshape", ["pool", "shape"], ["embedding"]))
    if convolutions:
        dense = rng.normal(size=(channels, 10)).astype(np.float32)
        constants.append(numpy_helper.from_array(dense, "dense"))
        nodes.append(helper.make_node("MatMul", ["embedding", "dense"], ["logits"]))
    else:
        nodes.append(helper.make_node("Identity", ["embedding"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", 16, 16, 3])],
        [
            helper.make_tensor_value_info(
                "logits", TensorProto.FLOAT, ["N", 10 if convolutions else 3]
            ),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", channels]),
        ],
        constants,
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def _pixels(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def eight_bit() -> bytes:
    return quantise(network(), [_pixels(16, 1), _pixels(16, 2)])


def test_it_computes_in_8_bits_and_keeps_its_face(eight_bit: bytes) -> None:
    made, before = onnx.load_model_from_string(eight_bit), onnx.load_model_from_string(network())
    kinds = {node.op_type for node in made.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
    weights = {t.name: t for t in made.graph.initializer if t.data_type == TensorProto.INT8}
    assert any(list(tensor.dims) == [16, 16, 3, 3] for tensor in weights.values())
    largest = max(int(np.abs(numpy_helper.to_array(t)).max()) for t in weights.values())
    assert largest <= 64  # 7 bits: two products fit into 16
    assert list(made.graph.input) == list(before.graph.input)
    assert [value.name for value in made.graph.output] == ["logits", "embedding"]
    assert made.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "N"
    check_parts(made)
    assert [entry.domain for entry in made.opset_import] == [""]


def test_it_answers_nearly_the_same_and_not_exactly(eight_bit: bytes) -> None:
    x = _pixels(64, 9)
    found = [
        ort.InferenceSession(data).run(["logits", "embedding"], {"pixels": x})
        for data in (network(), eight_bit)
    ]
    spread = found[0][0].std()
    difference = np.abs(found[0][0] - found[1][0]).max()
    assert 0 < difference < 0.2 * spread


def test_the_ranges_come_from_the_pictures_shown() -> None:
    dark = quantise(network(), [_pixels(16, 1) // 8])
    x = _pixels(16, 9)
    expected = ort.InferenceSession(network()).run(["logits"], {"pixels": x})[0]
    clipped = ort.InferenceSession(dark).run(["logits"], {"pixels": x})[0]
    assert np.abs(expected - clipped).max() > expected.std()


def test_the_same_pictures_give_the_same_bytes(eight_bit: bytes) -> None:
    assert quantise(network(), [_pixels(16, 1), _pixels(16, 2)]) == eight_bit


def test_a_network_without_anything_to_quantise_is_refused() -> None:
    with pytest.raises(ModelError, match="quantise"):
        quantise(_without_layers(), [_pixels(4, 1)])
    with pytest.raises(ModelError, match="cannot quantise"):
        quantise(network(), [])


def _without_layers() -> bytes:
    model = onnx.load_model_from_string(network(0))
    for node in model.graph.node:
        if node.op_type == "GlobalAveragePool":
            node.op_type = "ReduceMean"
            node.attribute.append(helper.make_attribute("axes", [2, 3]))
    return bytes(model.SerializeToString())
