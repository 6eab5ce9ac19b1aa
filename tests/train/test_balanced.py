"""Classes of very different sizes: said, and, where asked for, counted the same."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pixelmine import features
from pixelmine.core.errors import UsageError
from pixelmine.input import read_part
from pixelmine.models import Bundle
from pixelmine.pipeline import load_model
from pixelmine.train.data import Examples
from pixelmine.train.events import Events
from pixelmine.train.recipe import load_recipe
from tests.train.test_loop import examples, network, options

__all__ = ["options"]

RARE = 8


@pytest.fixture(scope="module")
def uneven(digits: Any, idx_folder_of: Any) -> Path:
    """All of the first 400 digits but of RARE, of which there are 3."""
    labels = digits[1][:400]
    folder: Path = idx_folder_of(
        np.concatenate([np.flatnonzero(labels != RARE), np.flatnonzero(labels == RARE)[:3]])
    )
    return folder


def lead(out: Path, folder: Path) -> float:
    """How far the logit of RARE lies above the best other one, on average of its test pictures."""
    model, test = load_model(Bundle.load(out), "onnxruntime", "f32"), read_part(folder, "test")
    found = features.extract(map(model.take_array, test.pixels), model.network, np.asarray)
    assert found is not None
    logits = found.logits[test.labels == RARE]
    return float((logits[:, RARE] - np.delete(logits, RARE, axis=1).max(axis=1)).mean())


def test_a_rare_class_is_pointed_out_and_more_likely_where_it_counts_the_same(
    run_job: Any, uneven: Path, tmp_path: Path
) -> None:
    asked = {"source": uneven, "recipe": "linear-features"}
    plain = run_job("train", out=tmp_path / "plain", **asked)
    assert "3 of 8" in " ".join(note["text"] for note in plain.of("note"))
    even = run_job("train", out=tmp_path / "even", balanced=True, **asked)
    assert even.status == 0, even.errors
    assert not [note for note in even.of("note") if "uneven" in note["text"]]
    assert lead(tmp_path / "even", uneven) > lead(tmp_path / "plain", uneven) + 0.2
    card = Bundle.load(tmp_path / "even").card
    assert card.description.endswith("every class counting the same.")
    assert card.calibration.method == "temperature"


def test_the_loss_of_a_network_weighs_classes_the_same(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path
) -> None:
    from pixelmine.train.augmented import AugmentedBatches
    from pixelmine.train.loop import _even, fit

    every = examples(400, 1)
    rows = np.concatenate([np.flatnonzero(every.y != 1), np.flatnonzero(every.y == 1)[:6]])
    train: Examples = every.take(rows)
    weights = _even(train)
    assert (weights * train.counts).tolist() == pytest.approx([len(train) / 2] * 2)
    batch = AugmentedBatches(train, np.arange(40), 40, (), 1, 0, None, weights)[0]
    assert batch[2].tolist() == [weights[label] for label in train.y[:40]]

    def recall(balanced: bool) -> float:
        how = replace(options, balanced=balanced, state=tmp_path / str(balanced), epochs=2)
        held = examples(120, 2)
        found, _ = fit(lambda: network(keras), train, held, how, events)
        given = np.asarray(found(held.x.astype(np.float32) / 255)).argmax(axis=1)
        return float((given[held.y == 1] == 1).mean())

    assert recall(True) > recall(False)


def test_what_does_not_count_pictures_refuses() -> None:
    with pytest.raises(UsageError, match="template does not count pictures"):
        load_recipe("template").with_even_classes()
    for name in ("transfer", "svm-features", "nearest", "boosted-features"):
        assert load_recipe(name).with_even_classes().head.balanced
    for name in ("cnn-article", "cnn-strong", "finetune"):
        assert load_recipe(name).with_even_classes().balanced
