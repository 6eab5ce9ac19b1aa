"""A backbone and a head as one network."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.classify.compose import join
from pixelmine.classify.heads import Fitted, fit_head
from pixelmine.core.errors import ModelError
from pixelmine.models import DEFAULT, Bundle, load_bundle
from pixelmine.models.onnx_check import check_network
from pixelmine.runtime import RUNTIMES, open_network

SIDE = 8


def backbone(opset: int, ir: int, dimensions: int = 6, domain: str = "") -> bytes:
    """Pixels times a matrix, with logits and an activation that a head has no use for."""
    rng = np.random.default_rng(1)
    constants = {
        "flat": np.array([-1, SIDE * SIDE]),
        "scale/mean": rng.normal(size=(SIDE * SIDE, dimensions)).astype(np.float32),
        "old": np.ones((dimensions, 500), np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["pixels", "flat"], ["x"], "affine/scores"),
        helper.make_node("MatMul", ["x", "scale/mean"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["embedding"]),
        helper.make_node("Neg", ["sum"], ["activation"]),
        helper.make_node("MatMul", ["embedding", "old"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "backbone",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", SIDE, SIDE, 1])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
            for name, size in (("logits", 500), ("embedding", dimensions), ("activation", 6))
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid(domain, opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir).SerializeToString()


def run(model: bytes, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(5, SIDE, SIDE, 1)).astype(np.float32)


@pytest.fixture(scope="module", params=["linear", "svm", "nearest", "boosted"])
def head(request: pytest.FixtureRequest) -> Fitted:
    rng = np.random.default_rng(3)
    x = np.maximum(rng.normal(size=(90, 6)) * 8, 0).astype(np.float32)
    return fit_head(request.param, x, rng.integers(1, 4, 90), classes=4)  # one class is unseen


@pytest.mark.parametrize(("opset", "ir"), [(13, 7), (17, 8), (18, 8), (21, 10)])
def test_the_whole_is_the_backbone_and_then_the_head(
    head: Fitted, pixels: np.ndarray, opset: int, ir: int
) -> None:
    body, top = backbone(opset, ir), head.to_onnx()
    first = run(body, pixels=pixels)
    second = run(top, features=first["embedding"])
    whole = join(body, top)
    found = run(whole, pixels=pixels)
    assert set(found) == {"logits", "embedding", "activation"}
    np.testing.assert_allclose(found["logits"], second["logits"], atol=1e-5)
    np.testing.assert_allclose(found["logits"], head.logits(first["embedding"]), atol=1e-4)
    np.testing.assert_array_equal(found["embedding"], first["embedding"])
    np.testing.assert_array_equal(found["activation"], first["activation"])
    other = run(join(body, top, head_embedding=True), pixels=pixels)
    np.testing.assert_allclose(other["embedding"], second["embedding"], atol=1e-5)
    np.testing.assert_array_equal(other["logits"], found["logits"])
    model = onnx.load_model_from_string(whole)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [max(opset, 17)]
    assert model.ir_version == max(ir, 8)


def test_what_only_the_old_logits_needed_is_left_out(head: Fitted) -> None:
    model = onnx.load_model_from_string(join(backbone(17, 8), head.to_onnx()))
    assert not any(tensor.name.endswith("old") for tensor in model.graph.initializer)
    assert "backbone/scale/mean" in {tensor.name for tensor in model.graph.initializer}


def test_equal_bytes_give_equal_bytes(head: Fitted) -> None:
    assert join(backbone(18, 9), head.to_onnx()) == join(backbone(18, 9), head.to_onnx())


def test_the_domain_may_be_written_out(head: Fitted, pixels: np.ndarray) -> None:
    whole = join(backbone(17, 8, domain="ai.onnx"), head.to_onnx())
    expected = run(join(backbone(17, 8), head.to_onnx()), pixels=pixels)
    np.testing.assert_array_equal(run(whole, pixels=pixels)["logits"], expected["logits"])


def test_a_head_of_another_size_is_refused(head: Fitted) -> None:
    with pytest.raises(ModelError, match="6 dimensions, and the backbone gives 7"):
        join(backbone(17, 8, dimensions=7), head.to_onnx())


def test_what_is_no_backbone_or_no_head_is_refused(head: Fitted) -> None:
    body, top = backbone(17, 8), head.to_onnx()
    with pytest.raises(ModelError, match="must take pixels and give embedding"):
        join(top, top)
    with pytest.raises(ModelError, match="must take features"):
        join(body, body)
    with pytest.raises(ModelError, match="cannot be joined"):
        join(b"not a model", top)


@pytest.fixture(scope="module")
def lite() -> Bundle:
    """EfficientNet-Lite0."""
    return load_bundle(DEFAULT)


@pytest.fixture(scope="module")
def on_lite() -> Fitted:
    """Seven classes of what it gives."""
    rng = np.random.default_rng(3)
    x = np.maximum(rng.normal(size=(70, 1280)), 0).astype(np.float32)
    return fit_head("linear", x, np.arange(70) % 7, classes=7)


def test_the_whole_is_what_a_bundle_may_hold(lite: Bundle, on_lite: Fitted) -> None:
    labels = [f"class {number}" for number in range(7)]
    whole = join(lite.files["model.onnx"], on_lite.to_onnx())
    check_network(whole, lite.card.model_copy(update={"labels": labels}))


@pytest.mark.parametrize("runtime", RUNTIMES.names())
def test_runtimes_answer_as_backbone_and_head(lite: Bundle, on_lite: Fitted, runtime: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), np.uint8)
    whole = join(lite.files["model.onnx"], on_lite.to_onnx())
    first = open_network(lite.files["model.onnx"], runtime, "f32", 2).run(pixels)
    found = open_network(whole, runtime, "f32", 2).run(pixels)
    np.testing.assert_allclose(found.embedding, first.embedding, atol=1e-5)
    np.testing.assert_allclose(found.logits, on_lite.logits(first.embedding), atol=1e-3)


def test_inner_graphs_find_their_tensors(on_lite: Fitted) -> None:
    branches = {
        name: helper.make_graph(
            [helper.make_node(operator, ["pixels"], [f"{name}/out"])],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}/out", TensorProto.FLOAT, None)],
        )
        for name, operator in (("then_branch", "Abs"), ("else_branch", "Neg"))
    }
    graph = helper.make_graph(
        [helper.make_node("If", ["yes"], ["embedding"], **branches)],
        "backbone",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 1280])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 1280])],
        [numpy_helper.from_array(np.array(True), "yes")],
    )
    opsets = [helper.make_opsetid("", 17)]
    body = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    pixels = np.random.default_rng(1).normal(size=(3, 1280)).astype(np.float32)
    found = run(join(body, on_lite.to_onnx()), pixels=pixels)
    np.testing.assert_array_equal(found["embedding"], np.abs(pixels))
    np.testing.assert_allclose(found["logits"], on_lite.logits(np.abs(pixels)), atol=1e-3)
