"""The ladder, with trainings that need no framework: linear models of more or fewer pixels."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from pixelmine.api import compare as module
from pixelmine.api.compare import compare_recipes
from pixelmine.api.ingest import ingest
from pixelmine.api.rungs import Tools, sample
from pixelmine.api.split import split
from pixelmine.core.errors import RunError, SourceError, TrainError, UsageError
from pixelmine.evaluate import SplitOptions
from pixelmine.input import read_part
from pixelmine.input.labels import LabelOptions
from pixelmine.models.card import Training

KEEP = {"all": 64, "half": 32, "few": 6, "same": 64}
"""How many of the 64 pixels a recipe's model looks at."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """1,797 real digits of 8x8 pixels as an idx folder."""
    folder = tmp_path_factory.mktemp("digits")
    pixels, labels = load_digits(return_X_y=True)
    pixels = (pixels.reshape(-1, 8, 8) * 15).astype(np.uint8)
    for part, inside in (("train", slice(0, 1200)), ("t10k", slice(1200, None))):
        write_idx(folder / f"{part}-images-idx3-ubyte", pixels[inside])
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels[inside].astype(np.uint8))
    return folder


def write_idx(path, values):
    head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(head + values.tobytes())


class Trainer:
    """Stands for `train_model`: notes what it was asked, and fits by least squares to `digits`."""

    def __init__(self, digits, write):
        self.digits, self.write, self.asked, self.splits = digits, write, [], set()

    def __call__(self, _source, out, *, recipe, seed, minutes, split, **_options):
        self.asked.append((recipe, seed, minutes))
        self.splits.add(split)
        if recipe == "broken":
            raise TrainError("This recipe takes photographs alone.")
        part = read_part(self.digits, "train")
        x = part.pixels.reshape(-1, 64) / np.float32(255)
        places = np.random.default_rng(seed).permutation(64)[: KEEP[recipe]]
        mask = np.isin(np.arange(64), places)
        y = np.eye(10)[part.labels]
        square = x[:, mask].T @ x[:, mask] + np.eye(mask.sum())
        weights = np.zeros((64, 10), np.float32)
        weights[mask] = 10 * np.linalg.solve(square, x[:, mask].T @ y)
        numbers = {"epochs": 1, "best_epoch": 1, "pictures": len(y), "held_back": 0}
        training = Training(recipe=recipe, seed=1, data_digest="", seconds=2.5, **numbers)
        self.write(Path(out), weights, training, part.picture_ids())
        return {}


def price(bundle, pictures, **_how):
    """Stands for `measure_cost`: the more pixels a model looks at, the more it costs."""
    from pixelmine.evaluate.cost import Cost

    assert len(pictures) == 16
    seconds = KEEP[Path(bundle).stem] / 64_000
    parts = {"size_bytes": 3000, "peak_bytes": None, "base_bytes": None}
    return Cost(seconds=seconds, runtime="onnxruntime", precision="f32", **parts)


@pytest.fixture
def trainer(monkeypatch, digits, linear_bundle):
    monkeypatch.setattr(module, "recipe_names", lambda: [*KEEP, "broken"])
    return Trainer(digits, linear_bundle)


def tools(trainer, clock=None):
    made = Tools(train=trainer, cost=price)
    return replace(made, clock=clock) if clock else made


EXACT = {"runtime": "onnxruntime", "precision": "f32"}


def test_each_recipe_is_trained_tested_and_compared(digits, tmp_path, trainer):
    report = tmp_path / "ladder.html"
    found = compare_recipes(
        digits,
        ["all", "half", "few", "broken"],
        out=tmp_path / "ladder",
        seed=3,
        report=report,
        tools=tools(trainer),
        **EXACT,
    )
    assert trainer.asked == [(name, 3, None) for name in ("all", "half", "few", "broken")]
    by_name = {rung.name: rung for rung in found.ladder.rungs}
    assert found.ladder.pictures == 597
    assert found.ladder.best.name == "all"
    assert by_name["few"].accuracy.value < by_name["half"].accuracy.value
    assert by_name["few"].p < 0.05
    assert by_name["all"].train_seconds == 2.5
    assert by_name["broken"].reason == "This recipe takes photographs alone."
    assert "This recipe takes photographs alone." in report.read_text("utf-8")
    again = json.loads(json.dumps(found.to_dict()))
    assert (again["seed"], again["best"]) == (3, "all")
    assert (tmp_path / "ladder" / "half.bundle" / "card.json").is_file()


def test_what_is_trained_already_is_not_trained_again(digits, tmp_path, trainer):
    out = tmp_path / "ladder"
    compare_recipes(digits, ["few", "broken"], out=out, tools=tools(trainer), **EXACT)
    found = compare_recipes(
        digits, ["few", "half", "broken"], out=out, tools=tools(trainer), **EXACT
    )
    names = [recipe for recipe, _, _ in trainer.asked]
    assert names == ["few", "broken", "half", "broken"]  # what failed is tried again
    assert found.ladder.best.name == "half"


def test_the_same_model_twice_is_the_cheaper_one(digits, tmp_path, trainer):
    found = compare_recipes(
        digits, ["same", "all"], out=tmp_path / "ladder", tools=tools(trainer), **EXACT
    )
    second = found.ladder.rungs[1]
    assert (second.p, second.against.only_a, second.against.only_b) == (1.0, 0, 0)


def test_time_is_shared_out_and_what_is_left_over_goes_on(digits, tmp_path, trainer):
    """Ten minutes for three: a third each; the first takes one, and the last finds none left."""
    now = iter([0.0, 0.0, 60.0, 601.0])
    found = compare_recipes(
        digits,
        ["few", "half", "all"],
        out=tmp_path / "ladder",
        minutes=10,
        tools=tools(trainer, lambda: next(now)),
        **EXACT,
    )
    assert trainer.asked == [("few", 1, pytest.approx(10 / 3)), ("half", 1, pytest.approx(4.5))]
    assert "No time was left of the 10 minutes" in found.ladder.rungs[2].reason


def test_another_comparison_in_the_same_folder_is_refused(digits, tmp_path, trainer):
    out = tmp_path / "ladder"
    compare_recipes(digits, ["few"], out=out, tools=tools(trainer), **EXACT)
    with pytest.raises(RunError, match="another seed"):
        compare_recipes(digits, ["few"], out=out, seed=2, tools=tools(trainer))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="something else"):
        compare_recipes(digits, ["few"], out=tmp_path / "full", tools=tools(trainer))


def test_a_damaged_bundle_is_a_row_with_its_reason(digits, tmp_path, trainer):
    out = tmp_path / "ladder"
    compare_recipes(digits, ["few", "half"], out=out, tools=tools(trainer), **EXACT)
    (out / "few.bundle" / "model.onnx").write_bytes(b"damaged")
    found = compare_recipes(digits, ["few", "half"], out=out, tools=tools(trainer), **EXACT)
    assert "model.onnx is not the file" in found.ladder.rungs[0].reason
    assert found.ladder.rungs[1].reason is None


@pytest.mark.parametrize(
    ("recipes", "options", "said"),
    [
        ([], {}, "names, each once"),
        (["few", "few"], {}, "names, each once"),
        (["unheard-of"], {}, "recipe must be one of"),
        (["few"], {"minutes": 0}, "minutes must be above 0"),
        (["few"], {"margin": 1.5}, "margin must be"),
        (["few"], {"split": "abcd"}, "--split goes with a collection"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(
    digits, tmp_path, trainer, recipes, options, said
):
    with pytest.raises(UsageError, match=said):
        compare_recipes(digits, recipes, out=tmp_path / "l", tools=tools(trainer), **options)
    assert trainer.asked == []
    assert not (tmp_path / "l").exists()


def test_a_source_that_is_none_is_refused(tmp_path, trainer):
    with pytest.raises(SourceError, match="no collection"):
        compare_recipes(tmp_path / "nowhere", ["few"], out=tmp_path / "l")
    with pytest.raises(UsageError, match="neither"):
        compare_recipes(tmp_path, ["few"], out=tmp_path / "l")


def test_pictures_to_measure_with_are_test_pictures(digits):
    pictures = sample(digits, None, 3)
    np.testing.assert_array_equal(pictures, read_part(digits, "test").pixels[:3])


@pytest.fixture(scope="module")
def collection(digits, tmp_path_factory):
    """120 of the digits as files, with their labels, and a split."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "files").mkdir()
    part = read_part(digits, "test")
    for i in range(120):
        cv2.imwrite(str(folder / "files" / f"{i}.png"), part.pixels[i])
    rows = [f"{i}.png,{part.labels[i]}" for i in range(120)]
    (folder / "labels.csv").write_text("\n".join(["image,label", *rows]))
    labels = LabelOptions(labels=str(folder / "labels.csv"))
    ingest([folder / "files"], folder / "digits.pixels", labels=labels)
    split_id, _ = split(folder / "digits.pixels", SplitOptions(parts=(0.5, 0.5)))
    return folder / "digits.pixels", split_id


def test_a_collection_is_compared_on_its_split(collection, tmp_path, trainer):
    path, split_id = collection
    with pytest.raises(UsageError, match="needs a split"):
        compare_recipes(path, ["few"], out=tmp_path / "l", tools=tools(trainer))
    found = compare_recipes(
        path, ["few", "all"], out=tmp_path / "l", split=split_id[:8], tools=tools(trainer), **EXACT
    )
    assert found.split == split_id
    assert trainer.splits == {split_id}
    assert 40 < found.ladder.pictures < 80
    assert found.ladder.best.name == "all"
    assert all(isinstance(data, bytes) for data in sample(path, split_id, 16))
