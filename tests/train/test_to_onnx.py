"""Every kind of ending gives the same answers in Keras and in ONNX Runtime."""

from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from pixelmine.core.errors import TrainError

PIXELS = np.random.default_rng(5).random((20, 12, 12, 1), np.float32)


def article(keras: ModuleType) -> Any:
    from pixelmine.train.networks import build_article

    return build_article(12, 12, 1, 3)


def layer_softmax(keras: ModuleType) -> Any:
    x = pixels = keras.Input((12, 12, 1))
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(6, activation="relu")(x)
    return keras.Model(pixels, keras.layers.Softmax()(keras.layers.Dense(3)(x)))


def convolutional(keras: ModuleType) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(6, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Conv2D(3, 12),
            layers.Flatten(),
            layers.Activation("softmax"),
        ]
    )


def nested(keras: ModuleType) -> Any:
    layers = keras.layers
    head = keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    return keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(2, 3), head])


def linear(keras: ModuleType) -> Any:
    layers = keras.layers
    return keras.Sequential([keras.Input((12, 12, 1)), layers.Flatten(), layers.Dense(3)])


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("build", "dimensions", "how"),
    [
        (article, 128, "the input of the last softmax"),
        (layer_softmax, 6, "the input of the last softmax"),
        (convolutional, 3, "the input of the last softmax"),
        (nested, 200, "the logarithm of the outputs, which sum to 1"),
        (linear, 144, "the outputs as they are"),
    ],
)
def test_every_ending(keras: ModuleType, build: Any, dimensions: int, how: str) -> None:
    from pixelmine.train.peel import peel
    from pixelmine.train.to_onnx import check_same, to_onnx

    network = build(keras)
    peeled = peel(network)
    assert peeled.how == how
    data = to_onnx(peeled.network)
    answers = check_same(peeled.network, data, [PIXELS[:7], PIXELS[7:]])
    assert answers.embedding.shape == (20, dimensions)
    outputs = np.asarray(network(PIXELS))
    expected = answers.logits if build is linear else softmax(answers.logits)
    np.testing.assert_allclose(expected, outputs, atol=1e-5)
    session = onnxruntime.InferenceSession(data)
    found = session.run(["logits", "embedding"], {"pixels": PIXELS[:1]})
    np.testing.assert_allclose(found[0], answers.logits[:1], atol=1e-4)
    np.testing.assert_allclose(found[1], answers.embedding[:1], atol=1e-4)


def test_the_strong_network(keras: ModuleType) -> None:
    from pixelmine.train.networks import NETWORKS
    from pixelmine.train.peel import peel
    from pixelmine.train.to_onnx import check_same, to_onnx

    network = NETWORKS.get("cnn-strong")(20, 17, 3, 4)
    random = np.random.default_rng(6)
    # norms with means and variances as after a training
    network.set_weights([random.uniform(0.5, 1.0, w.shape) for w in network.get_weights()])
    peeled = peel(network)
    answers = check_same(
        peeled.network, to_onnx(peeled.network), [random.random((5, 20, 17, 3), np.float32)]
    )
    assert peeled.how == "the input of the last softmax"
    assert answers.logits.shape == (5, 4)


def test_a_sigmoid_is_refused(keras: ModuleType) -> None:
    from pixelmine.train.peel import peel

    layers = keras.layers
    network = keras.Sequential(
        [keras.Input((12, 12, 1)), layers.Flatten(), layers.Dense(3, activation="sigmoid")]
    )
    with pytest.raises(TrainError, match="do not sum to 1"):
        peel(network)


def test_another_network_s_answers_are_noticed(keras: ModuleType) -> None:
    from pixelmine.train.peel import peel
    from pixelmine.train.to_onnx import check_same, to_onnx

    one, other = peel(article(keras)).network, peel(article(keras)).network
    with pytest.raises(TrainError, match="is not the trained one"):
        check_same(one, to_onnx(other), [PIXELS])


@pytest.mark.parametrize("optimised", [True, False])
def test_the_same_network_is_the_same_bytes(
    keras: ModuleType, monkeypatch: pytest.MonkeyPatch, optimised: bool
) -> None:
    from tf2onnx import tf_loader

    from pixelmine.train.peel import peel
    from pixelmine.train.to_onnx import to_onnx

    network = article(keras)
    chance = np.random.default_rng(7)
    network.set_weights([chance.normal(size=w.shape) for w in network.get_weights()])
    first = to_onnx(peel(network).network)
    if not optimised:
        monkeypatch.setattr(tf_loader, "tf_optimize_grappler", lambda _in, _out, graph: graph)
    assert to_onnx(peel(network).network) == first
    graph = onnx.load_model_from_string(first).graph
    assert [value.name for value in graph.output] == ["embedding", "logits"]
    assert {entry.domain for entry in onnx.load_model_from_string(first).opset_import} == {""}
