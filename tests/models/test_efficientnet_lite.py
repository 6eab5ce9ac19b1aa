from importlib.resources import files

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
from PIL import Image

from pixelmine.core.errors import ModelError
from pixelmine.models.efficientnet_lite import build_onnx
from pixelmine.models.lite import LITE0, LITE1, LITE2, LITES
from pixelmine.models.lite_weights import read_weights

# The five highest logits of efficientnet-lite-pytorch 0.1.0 with the same weights, float32, on
# torch 2.13.0 (Lite0, 2026-11-22) and 2.14.1 (2026-11-25): two pictures of noise, and for Lite0 the
# middle of the drawn crossword.
REFERENCE = {
    LITE0.name: (
        {21: 5.7979, 701: 4.8210, 128: 4.6884, 549: 4.5900, 92: 4.5086},
        {21: 6.9014, 23: 5.9129, 128: 5.8916, 92: 5.8806, 127: 5.6057},
        {918: 11.0467, 254: 5.6537, 211: 5.2436, 688: 4.8668, 646: 4.4100},
    ),
    LITE1.name: (
        {23: 4.8065, 111: 4.2792, 885: 4.2532, 78: 4.1166, 644: 4.0363},
        {23: 4.9727, 21: 4.5691, 92: 4.5301, 111: 4.3756, 107: 4.3112},
    ),
    LITE2.name: (
        {539: 5.7706, 533: 5.4277, 22: 4.6963, 92: 4.5638, 893: 4.4060},
        {92: 5.5901, 21: 5.3454, 22: 5.1307, 539: 4.7106, 23: 4.4117},
    ),
}


@pytest.fixture(scope="module")
def weights():
    return read_weights(LITE0)


@pytest.fixture(scope="module")
def model(weights):
    return build_onnx(weights)


def predictor(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(["logits", "embedding"], {"pixels": pixels})


@pytest.fixture(scope="module")
def predict(model):
    return predictor(model)


def noise(side):
    return np.random.RandomState(0).randint(0, 256, (2, side, side, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def pixels():
    with Image.open(str(files("pixelmine.models") / "golden_set" / "drawn.png")) as picture:
        drawn = np.asarray(picture)[48:272, 88:312]
    return np.concatenate([noise(LITE0.side), drawn[None]])


@pytest.mark.parametrize("count", [1, 3])
def test_shapes_and_dtypes(predict, pixels, count):
    logits, embedding = predict(pixels[:count])
    assert (logits.shape, logits.dtype) == ((count, 1000), np.float32)
    assert (embedding.shape, embedding.dtype) == ((count, 1280), np.float32)
    assert embedding.min() >= 0
    assert embedding.max() <= 6


def assert_reference(logits, lite=LITE0):
    for row, reference in zip(logits, REFERENCE[lite.name], strict=True):
        assert np.argsort(row)[::-1][:5].tolist() == list(reference)
        np.testing.assert_allclose(row[list(reference)], list(reference.values()), atol=1e-3)


def test_onnx_runtime_gives_the_logits_of_an_independent_implementation(predict, pixels):
    assert_reference(predict(pixels)[0])


@pytest.mark.parametrize("lite", [LITE1, LITE2], ids=lambda lite: lite.name)
def test_so_does_each_larger_network(lite):
    logits, embedding = predictor(build_onnx(read_weights(lite), lite))(noise(lite.side))
    assert_reference(logits, lite)
    assert embedding.shape == (2, 1280)


@pytest.mark.parametrize("side", [96, 161])
def test_any_side_will_do(weights, side):
    logits, embedding = predictor(build_onnx(weights, LITE0, side))(noise(side))
    assert (logits.shape, embedding.shape) == ((2, 1000), (2, 1280))


def test_stages_stand_behind_the_embedding(weights, predict, pixels):
    logits, embedding = predictor(build_onnx(weights, stages=(5, 0)))(pixels)
    whole = predict(pixels)
    np.testing.assert_allclose(logits, whole[0], atol=1e-4)
    np.testing.assert_allclose(embedding[:, :1280], whole[1], atol=1e-4)
    found = onnx.load_from_string(build_onnx(weights))
    for name in ("block14/sum", "block0/project/conv"):
        found.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(
        found.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    maps = session.run(["block14/sum", "block0/project/conv"], {"pixels": pixels})
    means = np.concatenate([one.mean(axis=(2, 3)) for one in maps], axis=1)
    np.testing.assert_allclose(embedding[:, 1280:], means, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "repeats", "channels"),
    [
        (LITE0.name, [1, 2, 2, 3, 3, 4, 1], [16, 24, 40, 80, 112, 192, 320]),
        (LITE1.name, [1, 3, 3, 4, 4, 5, 1], [16, 24, 40, 80, 112, 192, 320]),
        (LITE2.name, [1, 3, 3, 4, 4, 5, 1], [16, 24, 48, 88, 120, 208, 352]),
    ],
)
def test_blocks_are_those_of_the_authors(name, repeats, channels):
    stages = [[b for b in LITES[name].blocks if b.stage == stage] for stage in range(7)]
    assert [len(stage) for stage in stages] == repeats
    assert [{block.channels for block in stage} for stage in stages] == [{c} for c in channels]
    assert [stage[0].stride for stage in stages] == [1, 2, 2, 2, 1, 2, 1]


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
