"""`python -m pixelmine.train` with the job `train`, from pictures to a bundle."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load

from pixelmine.core import Limits
from pixelmine.input import read_part
from pixelmine.models import Bundle
from pixelmine.preprocess import Preprocessing

EPOCHS = 4
ASKED = {"coverage": 0.97, "error": 0.4, "ood": 0.99}


@pytest.fixture(scope="module")
def trained(run_job: Any, idx_folder: Path, tmp_path_factory: Any) -> Any:
    """A whole training: its bundle's path and what the process said."""
    out = tmp_path_factory.mktemp("trained") / "digits"
    asked = {"tensorboard": str(out) + ".logs", **ASKED}
    return out, run_job("train", source=idx_folder, out=out, epochs=EPOCHS, **asked)


@pytest.fixture(scope="module")
def bundle(trained: Any) -> Bundle:
    return Bundle.load(trained[0])


def answers(bundle: Bundle, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(bundle.files["model.onnx"])
    logits, embedding = session.run(["logits", "embedding"], {"pixels": pixels})
    return logits, embedding


def prepared(bundle: Bundle, folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    found = read_part(folder, part)
    return np.stack([steps(picture) for picture in found.pixels]), found.labels


def test_the_events_tell_the_whole_story(trained: Any) -> None:
    out, ran = trained
    assert ran.status == 0, ran.errors
    assert [e["phase"] for e in ran.of("start")] == ["read", "train", "export"]
    assert [e["phase"] for e in ran.of("finish")] == ["read", "train", "export"]
    epochs = ran.of("epoch")
    assert [e["epoch"] for e in epochs] == [1, 2, 3, 4]
    best = max(epochs, key=lambda e: (e["held_back_accuracy"], -e["held_back_loss"]))
    assert ran.last["event"] == "done"
    assert ran.last["bundle"] == str(out)
    assert ran.last["best_epoch"] == best["epoch"]
    assert ran.last["held_back_accuracy"] == pytest.approx(best["held_back_accuracy"])
    assert ran.last["pictures"] + ran.last["held_back"] == 400
    assert all(e["images_per_s"] > 0 and e["epochs"] == EPOCHS for e in epochs)
    assert not out.with_name("digits.run").exists()


def test_it_recognises_pictures_it_has_not_seen(bundle: Bundle, idx_folder: Path) -> None:
    pixels, labels = prepared(bundle, idx_folder, "test")
    logits, embedding = answers(bundle, pixels)
    found = np.array(bundle.card.labels)[logits.argmax(axis=1)]
    assert np.mean(found == labels.astype(str)) > 0.7  # chance is .1; 4 epochs of 366 give .85
    assert embedding.shape == (100, bundle.card.embedding_dimensions)


def test_the_card_says_where_it_comes_from(bundle: Bundle, trained: Any) -> None:
    card, done = bundle.card, trained[1].last
    assert card.digest == done["digest"]
    assert card.builder == "cnn-article"
    assert card.training is not None
    assert card.training.recipe == "cnn-article"
    assert card.training.seed == 1
    assert card.training.best_epoch == done["best_epoch"]
    assert {len(values) for values in card.training.history.values()} == {EPOCHS}
    assert set(card.training.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    metric = card.metrics["accuracy"]
    assert metric.low < metric.value < metric.high
    assert metric.pictures == done["held_back"]


def test_the_model_is_to_be_relied_on_for_what_was_asked(bundle: Bundle, trained: Any) -> None:
    card = bundle.card
    assert card.conformal is not None
    answered = (card.conformal.coverage, card.thresholds.error, card.thresholds.ood)
    assert answered == tuple(ASKED.values())
    logs = Path(f"{trained[0]}.logs")
    for part in ("train", "validation"):
        assert len(list((logs / part).glob("*tfevents*"))) == EPOCHS


def test_it_knows_what_it_has_seen(bundle: Bundle, idx_folder: Path) -> None:
    train = read_part(idx_folder, "train").picture_ids()
    test = read_part(idx_folder, "test").picture_ids()
    assert bundle.has_seen(train) == train
    assert bundle.has_seen(test) == []


def test_the_weights_rebuild_the_network(
    keras: ModuleType, bundle: Bundle, idx_folder: Path
) -> None:
    from pixelmine.train.networks import NETWORKS

    assert bundle.card.builder is not None
    network = NETWORKS.get(bundle.card.builder)(28, 28, 1, 10)
    weights = load(bundle.files["weights.safetensors"])
    network.set_weights([weights[name] for name in sorted(weights)])
    pixels, _ = prepared(bundle, idx_folder, "test")
    logits, embedding = answers(bundle, pixels)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        network(pixels), raised / raised.sum(axis=1, keepdims=True), atol=1e-4
    )
    middle = keras.Model(network.inputs[0], network.layers[-2].output)
    np.testing.assert_allclose(middle(pixels), embedding, atol=1e-4)


def test_golden_pictures_come_out_right_from_their_bytes(bundle: Bundle) -> None:
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    assert len(bundle.golden) == 2
    for picture in bundle.golden:
        pixels = steps.prepare(picture.data, Limits())
        assert isinstance(pixels, np.ndarray)
        logits, embedding = answers(bundle, pixels[None])
        picture.compare(logits[0], embedding[0], "f32")


def test_a_stopped_training_goes_on_to_the_same_weights(
    start_job: Callable[[dict[str, Any]], "subprocess.Popen[bytes]"],
    run_job: Any,
    trained: Any,
    idx_folder: Path,
    tmp_path: Path,
) -> None:
    """Killed in its second epoch, interrupted in its third, then left alone."""
    out = tmp_path / "digits"
    options = {"source": str(idx_folder), "out": str(out), "epochs": EPOCHS, **ASKED}
    for number in (signal.SIGKILL, signal.SIGTERM):
        child = start_job({"job": "train", **options})
        assert child.stdout is not None
        assert any(json.loads(line)["event"] == "epoch" for line in child.stdout)
        child.send_signal(number)
        rest, _ = child.communicate(timeout=60)
        assert not out.exists()
        assert (tmp_path / "digits.run/checkpoint.safetensors").exists()
    assert child.returncode == 1
    last = json.loads(rest.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("error", "Interrupted")
    again = run_job("train", **options)
    assert again.status == 0, again.errors
    first = again.of("epoch")[0]["epoch"]
    assert first > 2
    assert f"Goes on after epoch {first - 1} " in again.of("note")[0]["text"]
    whole, undisturbed = trained
    assert again.of("epoch")[-1]["loss"] == undisturbed.of("epoch")[-1]["loss"]
    name = "weights.safetensors"
    assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert again.last["digest"] == undisturbed.last["digest"]


def test_a_checkpoint_of_another_training_is_not_lost(
    run_job: Any, idx_folder: Path, tmp_path: Path
) -> None:
    state = tmp_path / "b.run"
    state.mkdir()
    (state / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    ran = run_job("train", source=idx_folder, out=tmp_path / "b", epochs=1)
    assert ran.status == 1
    assert ran.last["kind"] == "RunError"
    assert (state / "checkpoint.safetensors").read_bytes() == b"not a checkpoint"


def test_a_mistake_is_one_event(run_job: Any, tmp_path: Path) -> None:
    ran = run_job("train", source=tmp_path, out=tmp_path / "b")
    assert ran.status == 1
    assert [e["event"] for e in ran.events] == ["error"]
    assert ran.last["kind"] == "UsageError"
    assert "neither a collection nor" in ran.last["message"]
