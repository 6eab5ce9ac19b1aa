"""From a collection with wrong labels to corrected ones, and a model that learns from these."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.labels import label_history, set_label, undo_label
from pixelmine.api.mine.designed import DESIGNED, designed_vectors
from pixelmine.api.mine.found import read_found
from pixelmine.api.mine.label_errors import LABEL_ERRORS, LabelErrorOptions, mine_label_errors
from pixelmine.api.mine.label_review import accept_above, review_labels
from pixelmine.api.mine.pile import read_pictures
from pixelmine.cli.main import app
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.progress import SilentProgress
from pixelmine.features.vector import describe
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection

DESIGNED_ONLY = LabelErrorOptions(features="designed")


NAMES = ("zero", "one", "two")


def write_digits(folder: Path, count: int) -> list[int]:
    """Scans of 0, 1 and 2 as 000.png and on, 32x32 grey; which each is."""
    folder.mkdir()
    pixels, kinds = load_digits(n_class=3, return_X_y=True)
    for number in range(count):
        small = (pixels[number].reshape(8, 8) * 15).astype(np.uint8)
        large = cv2.resize(small, (32, 32), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number:03}.png"), large)
    return list(kinds[:count])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """180 digits; of every 15th the label is wrong. The truth by file name."""
    folder = tmp_path_factory.mktemp("digits")
    truth, lines = {}, ["file,label"]
    for number, kind in enumerate(write_digits(folder / "pictures", 180)):
        name = f"{number:03}.png"
        truth[name] = NAMES[kind]
        given = NAMES[(kind + 1) % 3] if number % 15 == 7 else NAMES[kind]
        lines.append(f"{name},{given}")
    (folder / "labels.csv").write_text("\n".join(lines))
    labels = LabelOptions(labels=str(folder / "labels.csv"))
    ingest([folder / "pictures"], into=folder / "c.pixels", labels=labels)
    return folder / "c.pixels", truth


@pytest.fixture
def bare(made: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A collection in which nothing was looked for yet."""
    shutil.copytree(made[0], tmp_path / "bare.pixels")
    return tmp_path / "bare.pixels"


@pytest.fixture(scope="module")
def mined(
    made: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """Looked through once for all tests: each has a copy, in which that is known."""
    path = tmp_path_factory.mktemp("mined") / "c.pixels"
    shutil.copytree(made[0], path)
    mine_label_errors(path, DESIGNED_ONLY)
    return path, made[1]


@pytest.fixture
def digits(mined: tuple[Path, dict[str, str]], tmp_path: Path) -> tuple[Path, dict[str, str]]:
    shutil.copytree(mined[0], tmp_path / "c.pixels")
    return tmp_path / "c.pixels", mined[1]


def name_of(row: dict[str, object]) -> str:
    return str(row["uri"]).rsplit("/", 1)[-1]


def test_wrong_labels_are_found_with_the_right_one_suggested(
    digits: tuple[Path, dict[str, str]],
) -> None:
    path, truth = digits
    found = mine_label_errors(path, DESIGNED_ONLY)
    assert found.rows.schema == LABEL_ERRORS
    assert found.rows.num_rows == 180, "a score for all"
    suspected = found.worst()
    assert 12 <= len(suspected) <= 14, "of so few the count is unsure, by the order of a sum"
    planted = suspected[:12]
    assert {name_of(row) for row in planted} == {f"{n:03}.png" for n in range(7, 180, 15)}
    assert all(row["suggested"] == truth[name_of(row)] for row in planted)
    row = suspected[0]
    assert row["rank"] == 1
    assert row["probability"] > 0.5 > row["given_probability"]
    assert Counter(one["label"] for one in row["near"]).most_common(1)[0][0] == row["suggested"]
    assert found.found.summary["suspected"] == len(suspected)
    again = mine_label_errors(path, DESIGNED_ONLY)
    assert again.found.made == found.found.made, "nothing has changed"
    kept = read_found(Collection.open(path), "label-errors")
    assert kept is not None
    assert kept.rows.equals(found.found.rows)


def test_accepted_is_a_label_with_who_and_when_and_is_undone(
    digits: tuple[Path, dict[str, str]],
) -> None:
    path, _ = digits
    row = mine_label_errors(path, DESIGNED_ONLY).worst()[0]
    review = review_labels(path, accept=[row["row_id"][:12]], who="ada")
    assert [one["label"] for one in review.accepted] == [row["suggested"]]
    last = label_history(path, row["row_id"])[-1]
    assert (last["labels"], last["source"], last["who"]) == (
        [row["suggested"]],
        "label-errors",
        "ada",
    )
    assert row["row_id"] not in {
        r["row_id"] for r in mine_label_errors(path, DESIGNED_ONLY).worst()
    }
    assert undo_label(path, row["row_id"]) == [row["given"]]
    assert row["row_id"] in {r["row_id"] for r in mine_label_errors(path, DESIGNED_ONLY).worst()}


def test_rejected_is_not_suggested_again(digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    rows = mine_label_errors(path, DESIGNED_ONLY).worst()
    row = rows[0]
    review_labels(path, reject=[row["row_id"]], who="ada")
    with Collection.open(path) as collection:
        said = collection.decisions.read().to_pylist()[0]
    assert said["about"] == "label-errors"
    assert said["first"] == row["picture_id"]
    assert said["decision"] == f"rejected:{row['suggested']}"
    assert said["who"] == "ada"
    again = mine_label_errors(path, DESIGNED_ONLY)
    assert again.found.summary["suspected"] == len(rows) - 1
    assert again.found.summary["rejected"] == 1
    assert row["row_id"] not in {r["row_id"] for r in again.worst()}


def test_a_label_that_has_changed_since_is_left_alone(digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    row = mine_label_errors(path, DESIGNED_ONLY).worst()[0]
    set_label(path, row["row_id"], ["something else"])
    review = review_labels(path, accept=[row["row_id"]])
    assert review.accepted == []
    assert len(review.passed) == 1
    assert review.notes()
    assert label_history(path, row["row_id"])[-1]["labels"] == ["something else"]


def test_above_a_probability_is_a_dry_run_unless_said(digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    rows = mine_label_errors(path, DESIGNED_ONLY).worst()
    limit = sorted(row["probability"] for row in rows)[-8]
    told = accept_above(path, limit)
    assert not told.written
    assert len(told.accepted) == 8
    with Collection.open(path) as collection:
        assert collection.labels.count("source = 'label-errors'") == 0
        done = accept_above(path, limit, write=True)
        assert done.rows == collection.labels.count("source = 'label-errors'") == 8


def test_copies_that_carry_the_same_label_are_corrected_too(tmp_path: Path) -> None:
    kinds, lines = write_digits(tmp_path / "p", 60), ["file,label"]
    lines += [f"{n:03}.png,{NAMES[(kind + (n == 7)) % 3]}" for n, kind in enumerate(kinds)]
    shutil.copy(tmp_path / "p" / "007.png", tmp_path / "p" / "copy.png")
    lines.append(f"copy.png,{NAMES[(kinds[7] + 1) % 3]}")
    (tmp_path / "l.csv").write_text("\n".join(lines))
    labels = LabelOptions(labels=str(tmp_path / "l.csv"))
    path = tmp_path / "c.pixels"
    ingest([tmp_path / "p"], into=path, labels=labels)
    judged = mine_label_errors(path, DESIGNED_ONLY).rows.to_pylist()
    row = max(judged, key=lambda one: one["score"])  # of so few the count of wrong ones is unsure
    assert review_labels(path, accept=[row["row_id"]]).rows == 2
    with Collection.open(path) as collection:
        current = collection.current_labels()["labels"].to_pylist()
    assert current.count([NAMES[kinds[7]]]) == kinds.count(kinds[7]) + 1


def test_training_learns_from_what_was_accepted(
    digits: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    path, _ = digits
    rows = mine_label_errors(path, DESIGNED_ONLY).worst()
    review_labels(path, accept=[row["row_id"] for row in rows[:2]], label="new")
    others = mine_label_errors(path, DESIGNED_ONLY)
    assert any("new (2)" in note for note in others.notes()), "too few to be judged"
    ran = CliRunner().invoke(
        app, ["train", str(path), "--recipe", "linear-features", "--out", str(tmp_path / "b")]
    )
    assert ran.exit_code == 0, ran.output
    from pixelmine.models import load_bundle

    assert sorted(load_bundle(str(tmp_path / "b")).card.labels) == ["new", "one", "two", "zero"]


def test_designed_features_are_computed_once_and_are_those_of_the_pixels(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine.api.mine import designed
    from pixelmine.core.ids import uri_path

    with Collection.open(bare) as collection:
        rows = read_pictures(collection)
        places, vectors = designed_vectors(collection, rows, SilentProgress())
        assert places.tolist() == list(range(180))
        assert vectors.shape == (180, DESIGNED.dimensions)
        pixels = cv2.imread(str(uri_path(rows["uri"][5].as_py())), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(vectors[5], describe(pixels[..., None], [DESIGNED]))
        monkeypatch.setattr(designed, "describe", None)  # who calls it fails
        again = designed_vectors(collection, rows.slice(10, 5), SilentProgress())
        np.testing.assert_array_equal(again[1], vectors[10:15])


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([], "No picture has a label"),
        (["a", "a", "a", "a", "a", "a"], "at least two"),
        (["a", "b"], "at least two"),
        (["a|b"] * 6, "several labels"),
    ],
)
def test_what_cannot_be_judged_is_said(tmp_path: Path, labels: list[str], says: str) -> None:
    write_digits(tmp_path / "p", 6)
    options = None
    if labels:
        lines = ["file,label", *(f"{n:03}.png,{label}" for n, label in enumerate(labels))]
        (tmp_path / "l.csv").write_text("\n".join(lines))
        options = LabelOptions(labels=str(tmp_path / "l.csv"), separator="|")
    ingest([tmp_path / "p"], into=tmp_path / "c.pixels", labels=options)
    with pytest.raises(UsageError, match=says):
        mine_label_errors(tmp_path / "c.pixels", DESIGNED_ONLY)


def test_reviews_of_nothing_are_refused(bare: Path, digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    with pytest.raises(CollectionError, match="no suspected labels yet"):
        review_labels(bare, accept=["abcdef"])
    with pytest.raises(UsageError, match="hexadecimal"):
        review_labels(path, accept=["xyz"])
    with pytest.raises(UsageError, match="0 pictures whose labels were judged"):
        review_labels(path, accept=["f" * 64])
    with pytest.raises(UsageError, match="between 0 and 1"):
        accept_above(path, 1.5)


def test_the_command_shows_reviews_and_gives_json(digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    runner = CliRunner()
    ran = runner.invoke(
        app, ["mine", "label-errors", str(path), "--features", "designed", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    first = found["worst"][0]["row_id"]
    ran = runner.invoke(app, ["mine", "label-errors", str(path), "--accept", first[:10]])
    assert ran.exit_code == 0
    assert found["worst"][0]["suggested"] in ran.output
    ran = runner.invoke(app, ["mine", "label-errors", str(path), "--accept-above", ".5"])
    assert ran.exit_code == 0
    assert "--yes" in ran.output
    ran = runner.invoke(app, ["mine", "label-errors", str(path), "--yes"])
    assert ran.exit_code == 2


def test_nothing_leaves_but_through_the_policy(digits: tuple[Path, dict[str, str]]) -> None:
    from pixelmine.core import PassPolicy

    class Hide(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            at = rows.schema.get_field_index("uri")
            return rows.set_column(at, rows.schema.field(at), pa.array(["x"] * rows.num_rows))

    found = mine_label_errors(digits[0], DESIGNED_ONLY, policy=Hide())
    assert {row["uri"] for row in found.worst()} == {"x"}


def test_of_tiny_pictures_that_is_taken_which_agrees_with_the_labels(
    digits: tuple[Path, dict[str, str]],
    linear_bundle: Callable[..., None],
    tmp_path: Path,
) -> None:
    linear_bundle(tmp_path / "nothing", np.zeros((64, 3), np.float32))
    path, _ = digits
    found = mine_label_errors(path, LabelErrorOptions(model=str(tmp_path / "nothing")))
    tried = found.found.summary["tried"]
    assert tried.keys() == {"designed", "embedding"}
    best = max(tried.values())
    assert tried[found.found.summary["features"]] >= best - np.sqrt(best * (1 - best) / 180)
    assert any("agreement" in note for note in found.notes())
    asked = LabelErrorOptions(features="both", model=str(tmp_path / "nothing"))
    assert len(mine_label_errors(path, asked).worst()) >= 10


def test_pictures_that_are_gone_are_left_out_and_counted(tmp_path: Path) -> None:
    kinds, lines = write_digits(tmp_path / "p", 60), ["file,label"]
    lines += [f"{n:03}.png,{NAMES[kind]}" for n, kind in enumerate(kinds)]
    (tmp_path / "l.csv").write_text("\n".join(lines))
    path = tmp_path / "c.pixels"
    ingest([tmp_path / "p"], into=path, labels=LabelOptions(labels=str(tmp_path / "l.csv")))
    (tmp_path / "p" / "010.png").unlink()
    found = mine_label_errors(path, DESIGNED_ONLY)
    assert found.rows.num_rows == 59
    assert "cannot be read any more: 1" in " ".join(found.notes())


def test_where_others_rarely_agree_the_user_is_warned(digits: tuple[Path, dict[str, str]]) -> None:
    path, _ = digits
    assert not any(
        "before accepting more" in note for note in mine_label_errors(path, DESIGNED_ONLY).notes()
    )
    with Collection.open(path) as collection:
        rows = collection.current_labels()["row_id"].to_pylist()
    for number, row in enumerate(sorted(rows)[:60]):
        set_label(path, row, [NAMES[number % 3]])
    assert any(
        "before accepting more" in note for note in mine_label_errors(path, DESIGNED_ONLY).notes()
    )
