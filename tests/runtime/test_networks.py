"""Every runtime passes the same contract."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.models import DEFAULT, Bundle, load_bundle
from pixelmine.runtime import RUNTIMES, Choice, Network, open_network
from pixelmine.runtime.candidates import CHOICES


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(DEFAULT)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, 224, 224, 3), np.uint8)


@pytest.fixture(scope="module", params=sorted(RUNTIMES.names()))
def network(request: pytest.FixtureRequest, bundle: Bundle) -> Network:
    return open_network(bundle.files["model.onnx"], request.param, "f32", 2)


def test_shapes_and_dtypes(network: Network, pixels: np.ndarray) -> None:
    found = network.run(pixels)
    assert found.logits.shape == (5, 1000)
    assert found.embedding.shape == (5, 1280)
    assert found.logits.dtype == found.embedding.dtype == np.float32


def test_a_batch_is_its_pictures_one_by_one_in_order(network: Network, pixels: np.ndarray) -> None:
    whole = network.run(pixels).logits
    for size in (1, 2):
        parts = [network.run(pixels[i : i + size]).logits for i in range(0, 5, size)]
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    np.testing.assert_allclose(network.run(pixels[::-1]).logits[::-1], whole, atol=1e-4)


def test_the_same_pixels_give_the_same_answer(network: Network, pixels: np.ndarray) -> None:
    first = network.run(pixels).logits.copy()
    network.run(np.zeros_like(pixels))
    np.testing.assert_array_equal(network.run(pixels).logits, first)


def test_threads_do_not_mix_their_answers(network: Network, pixels: np.ndarray) -> None:
    expected = [network.run(pixels[i : i + 1]).logits for i in range(5)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: network.run(pixels[i % 5 : i % 5 + 1]).logits, range(20)))
    for index, logits in enumerate(found):
        np.testing.assert_allclose(logits, expected[index % 5], atol=1e-4)


def test_runtimes_agree(bundle: Bundle, pixels: np.ndarray) -> None:
    found = [
        open_network(bundle.files["model.onnx"], name, "f32", 2).run(pixels).logits
        for name in RUNTIMES.names()
    ]
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)


def test_bytes_that_are_no_network_are_a_model_error() -> None:
    for name in RUNTIMES.names():
        with pytest.raises(ModelError):
            open_network(b"nonsense", name, "f32", 1)


def test_unknown_names_say_what_is_known(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="openvino"):
        open_network(b"", "tensorrt", "f32", 1)
    with pytest.raises(UsageError, match="onnxruntime f32"):
        list(Choice(bundle, ("onnxruntime", "int8"), tmp_path).candidates())
    with pytest.raises(ModelError, match="f32"):
        open_network(bundle.files["model.onnx"], "onnxruntime", "bf16", 1)


def test_a_choice_is_remembered_and_one_turned_down_is_not_alone(
    bundle: Bundle, tmp_path: Path
) -> None:
    choice = Choice(bundle, ("auto", "f32"), tmp_path)
    first, second = list(choice.candidates())
    assert {first.runtime, second.runtime} == set(RUNTIMES.names())
    choice.remember(second)
    again = choice.candidates()
    assert next(again).runtime == second.runtime  # remembered, although it was not the fastest
    assert next(again).runtime == first.runtime
    assert len(list(tmp_path.iterdir())) == 1


def test_a_broken_or_foreign_memory_is_ignored(bundle: Bundle, tmp_path: Path) -> None:
    choice = Choice(bundle, ("onnxruntime", "f32"), tmp_path)
    choice.remember(next(choice.candidates()))
    (path,) = tmp_path.iterdir()
    for text in ("{", '{"runtime": "os", "precision": "system"}', "[]"):
        path.write_text(text)
        assert next(choice.candidates()).runtime == "onnxruntime"


def test_what_is_chosen_from_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(CHOICES)) == CHOICES
