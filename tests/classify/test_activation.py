"""Where in a picture a model sees a label."""

from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.classify import Head
from pixelmine.classify.activation import activation_map, explain, occlusion_map
from pixelmine.core.errors import UsageError
from pixelmine.runtime import Outputs

LABELS = ("red", "blue")
WEIGHTS = np.array([[4.0, -1.0], [0.5, 0.5], [-2.0, 3.0]], np.float32)


def network(
    *, named: bool, square: bool = False, pool: bool = False, fixed: int | None = None
) -> onnx.ModelProto:
    """Means of the three colours, and a linear layer; `square`: of the squared means."""
    nodes = [
        helper.make_node("Mul", ["pixels", "scale"], ["places"]),
        helper.make_node("Identity", ["places"], ["activation"]),
    ]
    if pool:
        nodes += [
            helper.make_node("Transpose", ["places"], ["first"], perm=[0, 3, 1, 2]),
            helper.make_node("GlobalAveragePool", ["first"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["mean"]),
        ]
    else:
        nodes += [helper.make_node("ReduceMean", ["places"], ["mean"], axes=[1, 2], keepdims=0)]
    nodes += [
        helper.make_node("Mul", ["mean", "mean"], ["squared"]),
        helper.make_node("Identity", ["squared" if square else "mean"], ["embedding"]),
        helper.make_node("Gemm", ["embedding", "weight", "bias"], ["logits"], transB=1),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 3]),
    ]
    if named:
        shape = ["N", None, None, 3]
        outputs.append(helper.make_tensor_value_info("activation", TensorProto.FLOAT, shape))
    tensors = {
        "weight": WEIGHTS.T,
        "bias": np.array([0.1, -0.2], np.float32),
        "scale": np.float32(1 / 16),
    }
    made = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", fixed, fixed, 3])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@dataclass(frozen=True)
class Loaded:
    """A model of these networks."""

    onnx: bytes
    head: Head = field(default_factory=lambda: Head(LABELS))

    @property
    def network(self) -> "Loaded":
        return self

    def take(self, pixels: np.ndarray) -> np.ndarray:
        return pixels.reshape(-1, *pixels.shape[-3:]).astype(np.float32)

    def run(self, inputs: np.ndarray) -> Outputs:
        session = onnxruntime.InferenceSession(self.onnx, providers=["CPUExecutionProvider"])
        return Outputs(*session.run(["logits", "embedding"], {"pixels": inputs}))


def spot() -> np.ndarray:
    """Red in the upper left, blue in the lower right."""
    pixels = np.full((24, 36, 3), 20, np.uint8)
    pixels[4:10, 5:12, 0] = 250
    pixels[15:21, 25:31, 2] = 250
    return pixels


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("pool", [True, False])
@pytest.mark.parametrize("label", [0, 1])
def test_the_parts_of_all_places_make_the_logit(named: bool, pool: bool, label: int) -> None:
    model = Loaded(network(named=named, pool=pool).SerializeToString())
    inputs = model.take(spot())
    found = activation_map(model.onnx, inputs, label)
    bias = (0.1, -0.2)[label]
    assert found.mean() + bias == pytest.approx(model.run(inputs).logits[0, label], abs=1e-5)
    np.testing.assert_allclose(found, spot() / 16 @ WEIGHTS[:, label], rtol=1e-4)


def test_what_is_not_linear_in_the_mean_is_not_called_exact() -> None:
    model = network(named=True, square=True).SerializeToString()
    assert activation_map(model, spot()[None].astype(np.float32), 0) is None


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_the_place_of_the_label_is_the_brightest(inside: bool, views: bool) -> None:
    onnx_file = network(named=False).SerializeToString()
    model = Loaded(onnx_file)
    pixels = np.stack([np.full_like(spot(), 20), spot()]) if views else spot()
    for label, place in (("red", np.s_[4:10, 5:12]), ("blue", np.s_[15:21, 25:31])):
        found = explain(model, pixels, label, onnx_file if inside else None)
        assert found.shape == (24, 36)
        assert found.dtype == np.float32
        assert found.min() == 0
        assert found.max() == 1
        assert found[place].mean() > 0.5
        outside = found.copy()
        outside[place] = np.nan
        assert np.nanmean(outside) < 0.12


def test_nothing_is_seen_in_a_picture_of_nothing() -> None:
    model = Loaded(network(named=False).SerializeToString())
    assert (explain(model, np.full((12, 12, 3), 9, np.uint8), "red") == 0).all()


def test_of_many_labels_each_is_looked_for_by_itself() -> None:
    onnx_file = network(named=False).SerializeToString()
    many = Loaded(onnx_file, Head(LABELS, task="multi"))
    one = Loaded(onnx_file)
    red = np.s_[4:10, 5:12]
    pixels = spot()
    pixels[..., 2] = 20
    found = [occlusion_map(model, pixels, 1)[red].mean() for model in (many, one)]
    assert found[1] < found[0] < 0, "red speaks against blue, and for its rival too"


def test_a_label_that_the_model_does_not_know_is_refused() -> None:
    model = Loaded(network(named=False).SerializeToString())
    with pytest.raises(UsageError, match="green"):
        explain(model, spot(), "green")
