"""Recipes without a network, from pictures to a bundle that predicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelmine import features
from pixelmine.input import read_part
from pixelmine.models import Bundle
from pixelmine.pipeline import load_model

WITHOUT_KERAS = [
    "boosted-features",
    "linear-features",
    "nearest",
    "svm-features",
    "template",
    "transfer",
]


@pytest.fixture(scope="module", params=WITHOUT_KERAS)
def trained(request: Any, run_job: Any, idx_folder: Path, tmp_path_factory: Any) -> Any:
    out = tmp_path_factory.mktemp(request.param) / "digits.bundle"
    return request.param, out, run_job("train", source=idx_folder, out=out, recipe=request.param)


def test_a_recipe_without_a_network_gives_a_bundle_that_is_right(
    trained: Any, idx_folder: Path
) -> None:
    name, out, ran = trained
    assert ran.status == 0, ran.errors
    phases = [e["phase"] for e in ran.of("start")]
    assert (phases[0], *phases[-2:]) == ("read", "fit", "export")
    bundle = Bundle.load(out)
    assert bundle.card.training is not None
    assert (bundle.card.training.recipe, bundle.card.training.pictures) == (name, 400)
    test = read_part(idx_folder, "test")
    answers = []
    for runtime in ("onnxruntime", "openvino"):
        if runtime == "openvino" and name == "boosted-features":  # trees are ai.onnx.ml
            continue
        model = load_model(bundle, runtime, "f32")
        ready = map(model.take_array, test.pixels)
        found = features.extract(ready, model.network, np.asarray)
        assert found is not None
        answers.append(found.logits)
    # by other people's hands than those learnt from, which photographs' features bear less well
    least = 0.6 if name == "transfer" else 0.8
    assert (answers[0].argmax(axis=1) == test.labels).mean() > least
    assert np.abs(answers[0] - answers[-1]).max() < 1e-3 * max(1, np.abs(answers[0]).max())


def test_every_picture_was_judged_by_a_model_that_had_not_seen_it(trained: Any) -> None:
    _, out, ran = trained
    card = Bundle.load(out).card
    assert ran.last["held_back"] == ran.last["pictures"] == 400
    assert "had not seen it" in card.metrics["accuracy"].data
    assert 0.8 < card.metrics["accuracy"].value <= 1
    assert card.conformal is not None
    assert card.ood is not None


def test_epochs_go_with_a_network_alone(run_job: Any, idx_folder: Path, tmp_path: Path) -> None:
    for option in ({"epochs": 3}, {"tensorboard": str(tmp_path / "logs")}):
        out = tmp_path / "x"
        ran = run_job("train", source=idx_folder, out=out, recipe="linear-features", **option)
        assert ran.status == 1
        assert "linear-features has no epochs" in ran.last["message"]
