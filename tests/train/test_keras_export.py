"""A bundle's network leaves as a file that plain Keras loads, with the same answers."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from pixelmine.core.errors import TrainError, UsageError
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Calibration, Input
from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize
from pixelmine.train.events import Events
from pixelmine.train.keras_export import export_keras

# Keras hands NumPy 2 an __array__ without its argument copy
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STEPS = Preprocessing(
    decode=DecodeOptions(colour="grey"), steps=(Resize(height=28, width=28), Normalise())
)


@pytest.fixture(scope="module")
def bundle(keras: ModuleType, article_model: Any) -> Bundle:
    """The article's network after one epoch, as the recipe would write it."""
    from pixelmine.train.export import export, weights_file
    from pixelmine.train.peel import peel

    pixels = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    exported = export(peel(article_model), STEPS, [pixels])
    files = {"model.onnx": exported.onnx, "weights.safetensors": weights_file(article_model)}
    card = Card(
        name="article",
        description="a test",
        licence="Apache-2.0",
        source="a test",
        created="2026-11-23T00:00:00+00:00",
        input=Input(dtype="float32", height=28, width=28, channels=1),
        embedding_dimensions=128,
        labels=[str(digit) for digit in range(10)],
        preprocessing=STEPS.to_card(),
        builder="cnn-article",
        files={},
    )
    return Bundle.make(card, files, exported.golden)


class Said:
    """Events that are read back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.events = Events(os.open(path, os.O_WRONLY | os.O_CREAT))

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Said]:
    found = Said(tmp_path / "events.jsonl")
    yield found
    found.events.close()


def _changed(bundle: Bundle, files: dict[str, bytes] | None = None, **changes: Any) -> Bundle:
    kept = {
        name: data
        for name, data in {**bundle.files, **(files or {})}.items()
        if data and not name.startswith("golden/")
    }
    return Bundle.make(bundle.card.model_copy(update=changes), kept, bundle.golden)


def test_keras_loads_it_and_answers_the_same(
    bundle: Bundle, keras: ModuleType, said: Said, tmp_path: Path
) -> None:
    bundle.save(tmp_path / "b")
    export_keras(str(tmp_path / "b"), str(tmp_path / "out.keras"), said.events)
    network = keras.models.load_model(tmp_path / "out.keras", compile=False)
    x = np.random.default_rng(1).random((16, 28, 28, 1), np.float32)
    logits = ort.InferenceSession(bundle.files["model.onnx"]).run(["logits"], {"pixels": x})[0]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = shifted / shifted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.predict(x, verbose=0), expected, atol=1e-5)
    last = said.all()[-1]
    assert (last["event"], last["format"], last["parameters"]) == ("done", "keras", 225_034)
    assert last["digest"] == bundle.card.digest


def test_what_the_file_does_not_carry_is_said(bundle: Bundle, said: Said, tmp_path: Path) -> None:
    calibrated = Calibration(method="temperature", temperature=2.0)
    _changed(bundle, calibration=calibrated).save(tmp_path / "b")
    export_keras(str(tmp_path / "b"), str(tmp_path / "out.keras"), said.events)
    notes = " ".join(event["text"] for event in said.all() if event["event"] == "note")
    assert "28x28 pixels" in notes
    assert "(p - 0) / 255" in notes
    assert "before calibration" in notes


@pytest.mark.parametrize("lacking", ["weights", "builder"])
def test_a_bundle_without_weights_or_builder_is_refused(
    bundle: Bundle, said: Said, tmp_path: Path, lacking: str
) -> None:
    made = (
        _changed(bundle, {"weights.safetensors": b""})
        if lacking == "weights"
        else _changed(bundle, builder=None)
    )
    made.save(tmp_path / "b")
    with pytest.raises(UsageError, match=r"only a bundle with weights\.safetensors and"):
        export_keras(str(tmp_path / "b"), str(tmp_path / "out.keras"), said.events)


def test_weights_of_another_network_are_refused(bundle: Bundle, said: Said, tmp_path: Path) -> None:
    from safetensors.numpy import load, save

    weights = load(bundle.files["weights.safetensors"])
    other = {name: value * 2 for name, value in weights.items()}
    fewer = dict(sorted(weights.items())[:-2])
    for index, (values, why) in enumerate(((other, "not answer as"), (fewer, "are not those of"))):
        folder = tmp_path / f"b{index}"
        _changed(bundle, {"weights.safetensors": save(values)}).save(folder)
        with pytest.raises(TrainError, match=why):
            export_keras(str(folder), str(tmp_path / "out.keras"), said.events)
    assert not (tmp_path / "out.keras").exists()


def test_the_name_must_end_as_keras_wants_it(said: Said, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.keras"):
        export_keras("efficientnet-lite0", str(tmp_path / "out.h5"), said.events)


def test_a_process_of_its_own_does_it(bundle: Bundle, keras: ModuleType, tmp_path: Path) -> None:
    from pixelmine.api.models import export_model

    bundle.save(tmp_path / "b")
    found = export_model(tmp_path / "b", tmp_path / "out.keras", format="keras")
    assert found["parameters"] == 225_034
    assert found["out"] == str(tmp_path / "out.keras")
    assert keras.models.load_model(tmp_path / "out.keras", compile=False).count_params() == 225_034
    with pytest.raises(UsageError, match="is there already"):
        export_model(tmp_path / "b", tmp_path / "out.keras", format="keras")
    with pytest.raises(UsageError, match="weights in float32"):
        export_model(
            tmp_path / "b",
            tmp_path / "int8.keras",
            format="keras",
            precision="int8",
            pictures=tmp_path,
        )
    with pytest.raises(UsageError, match="efficientnet-lite0 cannot become a Keras file"):
        export_model("efficientnet-lite0", tmp_path / "lite.keras", format="keras")
