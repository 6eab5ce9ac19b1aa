"""Pictures with several labels, from a CSV to a report: each label is decided on its own."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pixelmine.api.evaluate import evaluate_model
from pixelmine.api.ingest import ingest
from pixelmine.api.labels import label_summary
from pixelmine.api.predict import predict
from pixelmine.api.split import split
from pixelmine.api.train import export_keras, train_model
from pixelmine.core import PassPolicy
from pixelmine.core.errors import UsageError
from pixelmine.evaluate import Mistake, MultiLabelEvaluation, SplitOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.models import Bundle
from pixelmine.store import Collection, labelled_pictures

LABELS = ["circle", "square", "stripes"]
COUNT = 240
RECIPES = {"linear-features": {}, "nearest": {}, "cnn-article": {"epochs": 12}}


def draw(labels, rng):
    """28x28 RGB: dark noise, with each of the three where it is asked for."""
    picture = rng.integers(0, 50, (28, 28, 3), np.uint8)
    if "stripes" in labels:
        picture[rng.integers(0, 2) :: 4] = 110
    if "circle" in labels:
        cv2.circle(picture, rng.integers(6, 12, 2).tolist(), 5, (230, 230, 230), -1)
    if "square" in labels:
        left, top = rng.integers(14, 18, 2).tolist()
        cv2.rectangle(picture, (left, top), (left + 8, top + 8), (250, 250, 250), 2)
    return picture


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """COUNT pictures with one to three labels, ingested with a separator, and a split of them."""
    folder = tmp_path_factory.mktemp("several")
    pictures = folder / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(3)
    rows = []
    for number in range(COUNT):
        chosen = [name for name in LABELS if rng.random() < 0.45] or [LABELS[number % 3]]
        cv2.imwrite(str(pictures / f"{number:03}.png"), draw(chosen, rng))
        rows.append((f"{number:03}.png", " ; ".join(chosen)))
    with (folder / "tags.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "label"), *rows])
    path = folder / "shapes.pixels"
    tags = LabelOptions(labels=str(folder / "tags.csv"), separator=";")
    ingest([pictures], path, labels=tags)
    name, _ = split(path, SplitOptions(parts=(0.5, 0.2, 0.3), near_duplicates=False))
    return path, name


@pytest.fixture(scope="module")
def bundles(collection, tmp_path_factory):
    path, name = collection
    folder, made = tmp_path_factory.mktemp("bundles"), {}

    def of(recipe):
        if recipe not in made:
            out = folder / recipe
            said = train_model(
                path, out, recipe=recipe, split=name, multi_label=True, **RECIPES[recipe]
            )
            made[recipe] = (out, said)
        return made[recipe]

    return of


def test_a_separator_gives_a_picture_several_labels(collection):
    path, _ = collection
    counts = label_summary(path).counts
    assert set(counts) == set(LABELS)
    assert sum(counts.values()) > COUNT


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_label_is_learnt_and_decided_on_its_own(recipe, bundles, collection):
    out, said = bundles(recipe)
    card = Bundle.load(out).card
    assert (card.task, card.labels) == ("multi", LABELS)
    assert said["held_back_average_precision"] == card.metrics["average_precision"].value
    found = evaluate_model(out, collection[0]).evaluation
    assert isinstance(found, MultiLabelEvaluation)
    assert found.ranking.average_precision.value > 0.95
    assert found.micro_f1.value > 0.9
    assert found.subset_accuracy.pictures == pytest.approx(0.3 * COUNT, abs=3)
    assert found.wrong_labels < 0.1


def test_a_head_may_count_rare_and_frequent_labels_the_same_and_abstain(collection, tmp_path):
    path, name = collection
    options = {"recipe": "linear-features", "split": name, "multi_label": True}
    train_model(path, tmp_path / "even", balanced=True, ood=0.5, **options)
    found = evaluate_model(tmp_path / "even", path).evaluation
    assert found.ranking.average_precision.value > 0.95
    assert 0.2 < found.coverage.value < 0.8
    assert found.decided_accuracy.pictures == found.coverage.hits


def test_what_a_policy_takes_away_is_in_no_form_of_the_report(bundles, collection):
    class Nameless(PassPolicy):
        def rows(self, rows):
            return rows.drop_columns(["uri", "truth"])

    class Fewer(PassPolicy):
        def rows(self, rows):
            return rows.slice(1)

    found = evaluate_model(bundles("linear-features")[0], collection[0])
    about = {"row_id": "a", "uri": "file:///who.png", "truth": "circle", "answer": "square"}
    wrong = (Mistake(index=0, probability=0.9, **about), Mistake(index=3, probability=0.8, **about))
    found = replace(found, evaluation=replace(found.evaluation, mistakes=wrong))
    cleared = found.cleared(Nameless())
    assert [one.index for one in cleared.evaluation.mistakes] == [0, 3]
    for text in (json.dumps(cleared.to_dict()), cleared.evaluation.to_markdown()):
        assert "who.png" not in text
    told = cleared.to_dict()["mistakes"][0]
    assert (told["uri"], told["truth"], told["answer"]) == ("", "", "square")
    assert found.cleared(PassPolicy()).evaluation.mistakes == wrong
    assert found.cleared(Fewer()).evaluation.mistakes == ()


def test_a_table_s_list_is_several_labels(tmp_path):
    (tmp_path / "p.png").write_bytes(cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes())
    many = [f"label number {n}" for n in range(80)]
    data = (tmp_path / "p.png").read_bytes()
    rows = [{"image": data, "tags": ["red", None, "blue"]}, {"image": data + b" ", "tags": many}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    tags = LabelOptions(label_column="tags", separator=";")
    ingest([tmp_path / "t.parquet"], tmp_path / "t.pixels", labels=tags)
    assert set(label_summary(tmp_path / "t.pixels").counts) == {"red", "blue", *many}


def test_a_picture_gets_any_number_of_labels(bundles, collection, tmp_path):
    out, _ = bundles("linear-features")
    predict(collection[0], model=out, out=tmp_path / "r.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert len(rows) == COUNT
    assert {len(row["decision"]) for row in rows} >= {1, 2, 3}
    assert all(row["set"] is not None and row["ood"] is not None for row in rows)


def test_the_report_shows_what_there_is_and_no_confusion(bundles, collection, tmp_path):
    out, _ = bundles("cnn-article")
    for language in ("en", "zh"):
        page = tmp_path / f"{language}.html"
        evaluate_model(out, collection[0], report=page, language=language)
        text = page.read_text()
        assert 'id="ranking"' in text
        assert 'id="classes"' in text
        assert 'id="history"' in text
        assert 'id="confusion"' not in text
    assert "every label is decided correctly" in (tmp_path / "en.html").read_text()


def test_the_same_as_markdown_and_as_json(bundles, collection, tmp_path):
    out, _ = bundles("cnn-article")
    evaluate_model(out, collection[0], report=tmp_path / "r.md")
    found = evaluate_model(out, collection[0], report=tmp_path / "r.json")
    assert "| mAP |" in (tmp_path / "r.md").read_text()
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["micro_f1"]["value"] == found.evaluation.micro_f1.value
    with pytest.raises(UsageError, match=r"must end in \.html"):
        evaluate_model(out, collection[0], report=tmp_path / "r.pdf")


def test_the_epoch_of_the_lowest_loss_is_kept(bundles):
    out, _ = bundles("cnn-article")
    training = Bundle.load(out).card.training
    losses = training.history["val_loss"]
    assert training.best_epoch == 1 + int(np.argmin(losses))


def test_a_network_becomes_a_keras_file_that_answers_alike(bundles, tmp_path):
    out, _ = bundles("cnn-article")
    said = export_keras(out, tmp_path / "network.keras")  # compares the golden pictures itself
    assert said["parameters"] > 0


def test_training_goes_on_from_a_bundle_of_the_same_kind(bundles, collection, tmp_path):
    path, name = collection
    out, _ = bundles("linear-features")
    again = {"recipe": "linear-features", "split": name, "start_from": out}
    said = train_model(path, tmp_path / "more", multi_label=True, **again)
    assert said["held_back_average_precision"] > 0.95
    with pytest.raises(UsageError, match="any number of labels a picture; asked for is one label"):
        train_model(path, tmp_path / "other", **again)


def test_without_the_option_pictures_of_one_label_are_learnt_alone(collection, tmp_path):
    path, name = collection
    said = train_model(path, tmp_path / "one", recipe="linear-features", split=name)
    with Collection.open(path) as opened:
        rows = labelled_pictures(opened, name).to_pylist()
    alone = [row["part"] for row in rows if len(row["labels"]) == 1]
    assert said["pictures"] == alone.count("train") < 0.5 * COUNT
    assert Bundle.load(tmp_path / "one").card.task == "single"


def test_what_gives_one_label_refuses(collection, test_data, tmp_path):
    path, name = collection
    with pytest.raises(UsageError, match="For several labels take another recipe"):
        train_model(path, tmp_path / "t", recipe="template", split=name, multi_label=True)
    with pytest.raises(UsageError, match="--balanced with several labels goes with a head"):
        train_model(path, tmp_path / "n", split=name, multi_label=True, balanced=True)
    with pytest.raises(UsageError, match="idx files hold one label each"):
        train_model(test_data / "mnist", tmp_path / "i", recipe="linear-features", multi_label=True)


def test_a_model_of_several_labels_is_not_measured_on_idx_files(bundles, test_data):
    with pytest.raises(UsageError, match="idx files hold one each"):
        evaluate_model(bundles("linear-features")[0], test_data / "mnist")
