"""A training goes on from a bundle, and a class is added without starting again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelmine import features
from pixelmine.core.errors import UsageError
from pixelmine.input import read_part
from pixelmine.models import Bundle
from pixelmine.pipeline import load_model
from pixelmine.train import plan
from pixelmine.train.events import Events
from pixelmine.train.jobs import TrainJob
from pixelmine.train.recipe import load_recipe


@pytest.fixture(scope="module")
def rows(digits: Any) -> dict[str, np.ndarray]:
    """Of the first 400 digits: those of 0 to 7, of 8 and 9, and 5 of each of 0 to 7."""
    labels = digits[1][:400]
    few = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in range(8)])
    return {"old": np.flatnonzero(labels < 8), "new": np.flatnonzero(labels >= 8), "few": few}


@pytest.fixture(scope="module")
def first(run_job: Any, idx_folder_of: Any, rows: Any, tmp_path_factory: Any) -> Path:
    """A linear head that knows 0 to 7."""
    out: Path = tmp_path_factory.mktemp("first") / "eight"
    source = idx_folder_of(rows["old"])
    ran = run_job("train", source=source, out=out, recipe="linear-features")
    assert ran.status == 0, ran.errors
    return out


def right(bundle: Bundle, folder: Path) -> dict[str, float]:
    """The share of test pictures that are recognised, of 0 to 7 and of 8 and 9."""
    model = load_model(bundle, "onnxruntime", "f32")
    test = read_part(folder, "test")
    found = features.extract(map(model.take_array, test.pixels), model.network, np.asarray)
    assert found is not None
    names = np.array(bundle.card.labels)[found.logits.argmax(axis=1)].astype(int)
    hit, old = names == test.labels, test.labels < 8
    return {"old": float(hit[old].mean()), "new": float(hit[~old].mean())}


def test_a_class_is_added_by_its_own_pictures_and_a_few_of_the_others(
    first: Path, run_job: Any, idx_folder_of: Any, rows: Any, tmp_path: Path
) -> None:
    source = idx_folder_of(np.concatenate([rows["few"], rows["new"]]))
    common = {"source": source, "recipe": "linear-features"}
    ran = run_job("train", out=tmp_path / "ten", start=first, **common)
    assert ran.status == 0, ran.errors
    run_job("train", out=tmp_path / "alone", **common)
    before, after, alone = (Bundle.load(p) for p in (first, tmp_path / "ten", tmp_path / "alone"))
    assert after.card.labels == [str(digit) for digit in range(10)]
    assert after.card.training is not None
    assert after.card.training.start == before.card.digest
    names = load_seen(first) | load_seen(tmp_path / "ten")
    assert load_seen(tmp_path / "ten") == names  # a leak from the first training is found too
    assert right(before, source)["new"] == 0
    assert right(after, source)["new"] > 0.6
    assert right(after, source)["old"] > right(alone, source)["old"] + 0.1
    assert "has learnt from 40 of these 118 pictures" in " ".join(e["text"] for e in ran.of("note"))


def load_seen(bundle: Path) -> set[int]:
    return set(np.frombuffer(Bundle.load(bundle).files["seen.bin"], ">u8").tolist())


def test_a_class_is_not_forgotten_unnoticed(
    first: Path, run_job: Any, idx_folder_of: Any, rows: Any, tmp_path: Path
) -> None:
    source = idx_folder_of(np.concatenate([rows["few"][:30], rows["new"]]))  # none of 6 and 7
    ran = run_job("train", source=source, out=tmp_path / "x", recipe="linear-features", start=first)
    assert ran.status == 1
    assert "label 6, 7 of eight: what is no longer shown is forgotten" in ran.last["message"]


def test_a_network_begins_with_the_weights_of_the_bundle(
    keras: Any, idx_folder: Path, idx_folder_of: Any, rows: Any, tmp_path: Path, events: Events
) -> None:
    from pixelmine.train.networks import NETWORKS
    from pixelmine.train.training import train
    from pixelmine.train.warm import carry_over

    source = idx_folder_of(rows["old"])
    job = TrainJob(source=str(source), out=str(tmp_path / "eight"), epochs=3)
    train(plan.make_plan(job, events), events)
    bundle = Bundle.load(tmp_path / "eight")
    labels = ["x", *bundle.card.labels]
    network = NETWORKS.get("cnn-article")(28, 28, 1, 9)
    fresh = network.layers[-1].get_weights()
    carry_over(network, bundle, labels)
    kernel, _ = network.layers[-1].get_weights()
    np.testing.assert_array_equal(kernel[:, 0], fresh[0][:, 0])
    pixels = read_part(source, "test").pixels[:, :, :, None].astype(np.float32) / 255
    test = read_part(source, "test").labels
    known = network.predict(pixels, verbose=0)[:, 1:].argmax(axis=1)
    assert (known == test)[test < 8].mean() == pytest.approx(right(bundle, source)["old"])

    more = TrainJob(
        source=str(idx_folder), out=str(tmp_path / "ten"), epochs=1, start=str(tmp_path / "eight")
    )
    train(plan.make_plan(more, events), events)
    cold = replace(more, out=str(tmp_path / "cold"), start=None)
    train(plan.make_plan(cold, events), events)
    loss = {}
    for name in ("ten", "cold"):
        about = Bundle.load(tmp_path / name).card.training
        assert about is not None
        loss[name] = about.history["loss"][0]
    assert loss["ten"] < 0.7 * loss["cold"]
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("recipe", "labels", "says"),
    [
        ("cnn-article", "all", "has no weights for it"),
        ("nearest", "all", "on other features|Only a linear head"),
        ("transfer", "all", "prepares pictures otherwise"),
    ],
)
def test_what_cannot_go_on_says_why(
    first: Path, run_job: Any, idx_folder: Path, tmp_path: Path, recipe: str, labels: str, says: str
) -> None:
    import re

    out = tmp_path / "out"
    ran = run_job("train", source=idx_folder, out=out, recipe=recipe, start=first)
    assert ran.status == 1
    assert re.search(says, ran.last["message"]), ran.last
    assert not out.exists()


def test_a_network_is_not_made_to_forget(
    keras: Any, idx_folder: Path, idx_folder_of: Any, rows: Any, tmp_path: Path, events: Events
) -> None:
    from pixelmine.train.training import train

    job = TrainJob(source=str(idx_folder), out=str(tmp_path / "ten"), epochs=1)
    train(plan.make_plan(job, events), events)
    source = str(idx_folder_of(rows["old"]))
    later = TrainJob(source=source, out=str(tmp_path / "x"), start=str(tmp_path / "ten"))
    with pytest.raises(UsageError, match="label 8, 9 of ten: what is no longer shown is forgotten"):
        plan.make_plan(later, events)
    assert load_recipe("cnn-article").keras
    keras.backend.clear_session()
