"""Where there is time, cnn-strong trains a larger network."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pixelmine.models import Bundle
from pixelmine.train import plan
from pixelmine.train.checkpoint import Checkpoint
from pixelmine.train.events import Events
from pixelmine.train.history import History
from pixelmine.train.jobs import TrainJob
from pixelmine.train.plan import Plan, make_plan
from pixelmine.train.recipe import load_recipe


@pytest.fixture
def planned(idx_folder: Path, events: Events, tmp_path: Path) -> Any:
    def made(**options: Any) -> Plan:
        out = str(tmp_path / "x")
        job = TrainJob(source=str(idx_folder), out=out, recipe="cnn-strong", **options)
        return make_plan(job, events)

    return made


@pytest.fixture
def chosen(keras: ModuleType, events: Events, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The builder that is chosen, and the seconds of an epoch, which take 2 by the probe."""
    from pixelmine.train import by_network

    monkeypatch.setattr(by_network, "epoch_seconds", lambda *_: 2.0)

    def choose(asked: Plan) -> tuple[str, float | None]:
        found, seconds, _ = by_network._given_time(asked, events)
        return found.recipe.builder, seconds

    return choose


def test_minutes_decide(planned: Any, chosen: Any) -> None:
    assert chosen(planned(minutes=3.9)) == ("cnn-strong", 2.0)
    assert chosen(planned(minutes=4.1)) == ("cnn-strong-large", None)
    assert chosen(planned()) == ("cnn-strong", None)
    assert chosen(planned(minutes=60, epochs=9)) == ("cnn-strong", None)


@pytest.mark.parametrize("builder", ["cnn-strong", "cnn-strong-large"])
def test_what_was_begun_goes_on_with_its_network(
    builder: str, planned: Any, chosen: Any, keras: ModuleType
) -> None:
    from pixelmine.train.networks import NETWORKS

    values = [v.numpy() for v in NETWORKS.get(builder)(28, 28, 1, 10).variables]
    begun = Checkpoint(job="a", history=History(), network=values, optimizer=[], best=[])
    for options in ({}, {"minutes": 60}, {"minutes": 0.1}):
        assert chosen(replace(planned(**options), checkpoint=begun)) == (builder, None)


def test_the_speed_is_measured(planned: Any, events: Events, keras: ModuleType) -> None:
    from pixelmine.train import by_network

    found, seconds, spent = by_network._given_time(planned(minutes=0.01), events)
    assert found.recipe.builder == "cnn-strong"
    assert seconds is not None
    assert 0 < seconds < 60
    assert 0 < spent < 120


# Keras hands NumPy 2 an __array__ without its argument copy
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_mirrored_training_answers_with_the_mean_and_goes_on(
    planned: Any, events: Events, keras: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained, exported to Keras, and gone on from: one network all along."""
    from pixelmine.train.keras_export import export_keras
    from pixelmine.train.training import train

    recipe = replace(
        load_recipe("cnn-strong"), mirror_mean=True, augment=({"step": "random_flip"},)
    )
    monkeypatch.setattr(plan, "load_recipe", lambda _name: recipe)
    train(planned(epochs=1), events)
    bundle = Bundle.load(tmp_path / "x")  # its golden pictures are checked
    assert bundle.card.builder == "cnn-strong-mirrored"
    assert "and its mirror image" in bundle.card.description
    run = onnxruntime.InferenceSession(bundle.files["model.onnx"]).run
    pixels = np.random.default_rng(1).random((3, 28, 28, 1), np.float32)
    ours, mirrored = (run(["logits"], {"pixels": p})[0] for p in (pixels, pixels[:, :, ::-1]))
    np.testing.assert_allclose(ours, mirrored, rtol=1e-4, atol=1e-4)
    export_keras(str(tmp_path / "x"), str(tmp_path / "x.keras"), events)
    train(planned(epochs=1, start=str(tmp_path / "x"), overwrite=True), events)
    assert Bundle.load(tmp_path / "x").card.training.start == bundle.card.digest
