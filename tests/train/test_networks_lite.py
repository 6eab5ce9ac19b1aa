"""The Keras EfficientNet-Lite is the network that predicts, and starts from ImageNet's weights."""

from types import ModuleType

import numpy as np
import onnxruntime
import pytest
from skimage import data

from pixelmine.core.errors import UsageError
from pixelmine.models.efficientnet_lite import build_onnx
from pixelmine.models.lite import LITES, MEAN, STD
from pixelmine.models.lite_weights import read_weights
from pixelmine.preprocess.steps import Resize


@pytest.fixture(autouse=True)
def forget_networks(keras: ModuleType):
    yield
    keras.backend.clear_session()


def photographs(side: int) -> np.ndarray:
    scale = Resize(height=side, width=side)
    return np.stack([scale(picture) for picture in (data.chelsea(), data.coffee())])


def normalised(pixels: np.ndarray) -> np.ndarray:
    return ((pixels - MEAN) / STD).astype(np.float32)


def ask_onnx(variant: str, pixels: np.ndarray) -> list[np.ndarray]:
    model = build_onnx(read_weights(LITES[variant]), LITES[variant], pixels.shape[1])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["logits", "embedding"], {"pixels": pixels})


@pytest.mark.parametrize("variant", LITES)
def test_keras_gives_the_answers_of_the_onnx_graph(variant):
    from pixelmine.train.networks_lite import builder
    from pixelmine.train.peel import peel

    side = LITES[variant].side
    pixels = photographs(side)
    logits, embedding = ask_onnx(variant, pixels)
    found = peel(builder(variant)(side, side, 3, 1000)).network(normalised(pixels))
    np.testing.assert_allclose(found["logits"], logits, atol=1e-3)
    np.testing.assert_allclose(found["embedding"], embedding, atol=1e-3)


def test_grey_of_an_odd_side_has_the_embedding_of_rgb_and_other_classes_begin_anew():
    from pixelmine.train.networks_lite import builder
    from pixelmine.train.peel import peel

    variant = "efficientnet-lite0"
    grey = photographs(97)[..., :1]
    model = builder(variant, dropout=0.5, drop_connect=0.2)(97, 97, 1, 7)
    found = peel(model).network(normalised(grey))
    embedding = ask_onnx(variant, np.repeat(grey, 3, axis=-1))[1]
    np.testing.assert_allclose(found["embedding"], embedding, atol=1e-3)
    assert found["logits"].shape == (2, 7)
    assert model.get_layer("head_dropout").rate == 0.5


def test_depth_rises_layer_by_layer_and_drop_connect_with_it():
    from pixelmine.train.networks_lite import build_lite, depth

    variant = "efficientnet-lite2"
    blocks = len(LITES[variant].blocks)
    layers = build_lite(variant, 32, 32, 3, 5, drop_connect=0.3).layers[1:]
    places = [depth(layer.name, blocks) for layer in layers]
    assert places == sorted(places)
    assert set(places) == set(range(blocks + 3))
    drops = [layer for layer in layers if layer.name.endswith("_drop")]
    rates = [layer.rate for layer in drops]
    assert rates == sorted(rates)
    assert 0 < rates[0] < rates[-1] < 0.3
    kept = np.asarray(drops[-1](np.ones((64, 2, 2, 3), np.float32), training=True))
    assert all(len(np.unique(branch)) == 1 for branch in kept)
    assert len(np.unique(kept)) == 2


def test_a_variant_or_a_side_that_cannot_be_is_refused():
    from pixelmine.train.networks_lite import build_lite

    with pytest.raises(UsageError, match="efficientnet-lite2"):
        build_lite("efficientnet-lite9", 64, 64, 3, 2)
    with pytest.raises(UsageError, match="at least 32x32"):
        build_lite("efficientnet-lite0", 64, 31, 3, 2)
