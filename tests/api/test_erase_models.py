"""Models that have learnt of what is erased are named, or trained again where that is quick."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelmine.api import erase_models
from pixelmine.api.erase import erase, find_to_erase
from pixelmine.api.erase_models import Learnt, learnt_of, train_again
from pixelmine.api.ingest import ingest
from pixelmine.api.train import train_model
from pixelmine.core.errors import ModelError, TrainError
from pixelmine.core.ids import content_id, picture_id
from pixelmine.core.progress import SilentProgress
from pixelmine.input.labels import LabelOptions
from pixelmine.models import Bundle
from pixelmine.models.card import Training

VICTIM = picture_id(content_id(b"somebody"), 0)


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELMINE_AUDIT", str(tmp_path / "audit"))


def training(recipe: str = "linear-features", pictures: int = 9, **more: str) -> Training:
    told = {"epochs": 0, "best_epoch": 0, "held_back": 1, "data_digest": "0" * 64}
    return Training(recipe=recipe, seed=7, split_id="ab12:1", pictures=pictures, **told, **more)


@pytest.fixture
def models(tmp_path: Path, linear_bundle) -> Path:
    weights, folder = np.zeros((64, 2), "f4"), tmp_path / "models"
    linear_bundle(folder / "knows", weights, training(), [VICTIM, "cd" * 32])
    linear_bundle(folder / "innocent", weights, training(), ["ab" * 32])
    linear_bundle(folder / "network.zip", weights, training("cnn-article"), [VICTIM])
    linear_bundle(folder / "went-on", weights, training(start="1" * 64), [VICTIM])
    linear_bundle(folder / "unknown", weights, None, [VICTIM])
    return folder


def test_those_that_have_seen_it_are_named(models: Path) -> None:
    found = {one.name: one for one in learnt_of([models], [VICTIM], "c.pixels")}
    assert sorted(found) == ["knows", "network", "unknown", "went-on"]
    assert found["knows"].pictures == 1
    assert found["knows"].digest == Bundle.load(models / "knows").card.digest
    assert [name for name, one in found.items() if one.quick] == ["knows"]
    words = "train c.pixels --recipe linear-features --split ab12:1 --seed 7"
    assert words in str(found["knows"].again)
    assert "--recipe cnn-article" in str(found["network"].again)
    assert found["unknown"].again is None
    assert found["went-on"].again is None
    assert learnt_of([models / "innocent"], [VICTIM], "c.pixels") == []


def test_a_path_without_a_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model bundle"):
        learnt_of([tmp_path], [VICTIM], "c.pixels")


def test_it_is_trained_as_if_the_picture_had_never_been(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for number in range(40):
        folder = tmp_path / ("more" if number == 7 else "pictures") / f"label-{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 90, (28, 28, 3), np.uint8)
        pixels[4:20, 4 + 8 * (number % 2) : 8 + 8 * (number % 2)] += 100
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    options = LabelOptions(labels="folders")
    ingest([tmp_path / "pictures", tmp_path / "more"], tmp_path / "c", labels=options)
    ingest([tmp_path / "pictures"], tmp_path / "never", labels=options)
    said = {"recipe": "linear-features", "seed": 5, "coverage": 0.8}
    train_model(tmp_path / "c", tmp_path / "m", **said)
    train_model(tmp_path / "never", tmp_path / "scratch", **said)
    before = Bundle.load(tmp_path / "m")
    found = find_to_erase(tmp_path / "c", uris=[tmp_path / "more/label-1/07.png"])
    (learnt,) = learnt_of([tmp_path / "m"], found.pictures, tmp_path / "c")
    (done,) = erase(found, models=[learnt])
    assert done.receipt["models"] == [{"name": "m", "digest": before.card.digest}]
    digest = train_again(learnt, tmp_path / "c", SilentProgress())
    after, scratch = Bundle.load(tmp_path / "m"), Bundle.load(tmp_path / "scratch")
    assert digest == after.card.digest == scratch.card.digest != before.card.digest
    for name in ("model.onnx", "seen.bin"):
        assert after.files[name] == scratch.files[name] != before.files[name]
    assert not after.has_seen(found.pictures)
    assert not list(tmp_path.glob(".again-*"))


@pytest.mark.parametrize(("pictures", "fits"), [(8, True), (9, False), (7, False)])
def test_of_other_pictures_than_then_it_is_not_replaced(
    models: Path, linear_bundle, monkeypatch: pytest.MonkeyPatch, pictures: int, fits: bool
) -> None:
    asked = {}

    def train(_source: Path, out: Path, **options: object) -> None:
        asked.update(options)
        linear_bundle(out, np.ones((64, 2), "f4"), training(pictures=pictures), ["cd" * 32])

    monkeypatch.setattr(erase_models, "train_model", train)
    (learnt,) = learnt_of([models / "knows"], [VICTIM], "c.pixels")
    if fits:
        assert train_again(learnt, "c.pixels", SilentProgress()) != learnt.digest
    else:
        with pytest.raises(TrainError, match=r"9 other pictures, and there are (10|8) now"):
            train_again(learnt, "c.pixels", SilentProgress())
    assert (Bundle.load(models / "knows").card.digest != learnt.digest) == fits
    assert (asked["recipe"], asked["split"], asked["seed"]) == ("linear-features", "ab12:1", 7)


def test_a_network_is_not_trained_in_passing(models: Path) -> None:
    (learnt,) = learnt_of([models / "network.zip"], [VICTIM], "c.pixels")
    assert isinstance(learnt, Learnt)
    with pytest.raises(TrainError, match="pixelmine train"):
        train_again(learnt, "c.pixels", SilentProgress())
