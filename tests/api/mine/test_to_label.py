"""Rounds of labelling a collection: what is chosen, filled in, taken back and remembered."""

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.labels import label_history
from pixelmine.api.mine.label_rounds import ROUNDS, rounds_so_far
from pixelmine.api.mine.to_label import NEXT, mine_next, simulate_rounds, take_labels
from pixelmine.cli.main import app
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import digest, file_uri, row_id
from pixelmine.input.labels import LabelOptions
from pixelmine.mine import rounds, to_label
from pixelmine.mine.out_of_fold import head_probabilities
from pixelmine.store import Collection


@pytest.fixture(scope="module")
def model(linear_bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its embedding is the grey pixels, 8x8."""
    path = tmp_path_factory.mktemp("model") / "pixels"
    linear_bundle(path, np.eye(64, 3, dtype=np.float32))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """150 digits without labels, and what each is, by row_id."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "p").mkdir()
    pixels, kinds = load_digits(n_class=3, return_X_y=True)
    for number in range(150):
        small = (pixels[number].reshape(8, 8) * 15).astype(np.uint8)
        cv2.imwrite(str(folder / "p" / f"{number:03}.png"), cv2.resize(small, (32, 32)))
    ingest([folder / "p"], into=folder / "c.pixels")
    with Collection.open(folder / "c.pixels") as collection:
        rows = collection.images.read(["row_id", "uri"]).to_pylist()
    truth = {row["row_id"]: str(kinds[int(row["uri"][-7:-4])]) for row in rows}
    return folder / "c.pixels", truth


@pytest.fixture
def digits(made: tuple[Path, dict[str, str]], tmp_path: Path) -> tuple[Path, dict[str, str]]:
    shutil.copytree(made[0], tmp_path / "c.pixels")
    return tmp_path / "c.pixels", made[1]


def fill_in(file: Path, truth: dict[str, str], most: int = 10**6) -> None:
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, ["file", "row_id", "suggested", "label"])
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({**row, "label": truth[row["row_id"]] if number < most else ""})


def test_two_rounds_are_chosen_labelled_and_remembered(
    digits: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    path, truth = digits
    out = tmp_path / "next.csv"
    first = mine_next(path, 30, model=str(model), out=out)
    assert first.rows.schema == NEXT
    assert first.rows.num_rows == 30
    assert first.found.summary["by"] == "diversity"
    assert first.rows["suggested"].null_count == 30
    fill_in(out, truth, 20)
    assert take_labels(path, out, who="ada") == 20
    one = first.rows["row_id"][0].as_py()
    assert label_history(path, one)[-1]["who"] == "ada"
    assert label_history(path, one)[-1]["source"] == "next"
    with pytest.raises(UsageError, match="there already"):
        mine_next(path, 30, model=str(model), out=out)
    out = tmp_path / "second.csv"
    second = mine_next(path, 30, model=str(model), out=out)
    assert second.found.summary["labelled"] == 20
    assert second.found.summary["by"] == "uncertainty and diversity"
    labelled = set(first.rows["row_id"].to_pylist()[:20])
    assert not labelled & set(second.rows["row_id"].to_pylist())
    assert second.rows["suggested"].null_count == 0
    fill_in(out, truth)
    take_labels(path, out)
    mine_next(path, 30, model=str(model))
    rounds = rounds_so_far(path)
    assert [row["labelled"] for row in rounds] == [0, 20, 50]
    assert rounds[0]["accuracy"] is None
    accuracy = rounds[2]["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"] or accuracy["value"] == 1
    assert rounds[2]["gain"] == pytest.approx(accuracy["value"] - rounds[1]["accuracy"]["value"])
    mine_next(path, 20, model=str(model))
    assert len(rounds_so_far(path)) == 3, "the labels are those of before"


def test_with_a_split_its_test_part_judges_and_is_not_learnt(
    digits: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    from pixelmine.api.split import split
    from pixelmine.evaluate import SplitOptions

    path, truth = digits
    table = tmp_path / "all.csv"
    some = sorted(truth)[:60]
    lines = ["file,row_id,suggested,label", *(f"x,{row},,{truth[row]}" for row in some)]
    table.write_text("\n".join(lines))
    take_labels(path, table)
    name, parts = split(path, SplitOptions(parts=(0.5, 0.5)))
    found = mine_next(path, 20, model=str(model), split=name)
    assert found.found.summary["accuracy"]["pictures"] == parts["test"]
    assert found.found.summary["accuracy"]["value"] > 0.8
    assert rounds_so_far(path)[-1]["split"] == name
    # Rounds of another condition are others: none has a gain from these.
    mine_next(path, 20, model=str(model), split=name[:12], where="uri NOT LIKE '%/149.png'")
    mine_next(path, 20, model=str(model), where="uri NOT LIKE '%/149.png'")
    done = rounds_so_far(path)
    condition = digest("uri NOT LIKE '%/149.png'")[:12]
    assert [(row["split"], row["condition"], row["gain"]) for row in done] == [
        (name, None, None),
        (name, condition, None),
        (None, condition, None),
    ]
    table.write_text("\n".join(["row_id,label", f"{sorted(truth)[70]},0"]))
    take_labels(path, table)
    mine_next(path, 20, model=str(model), split=name)
    assert rounds_so_far(path)[-1]["gain"] is not None


def test_rounds_of_an_older_version_go_on(digits: tuple[Path, dict[str, str]], model: Path) -> None:
    with Collection.open(digits[0]) as collection:
        old = pa.schema([field for field in ROUNDS if field.name != "condition"])
        row = {**dict.fromkeys(old.names), "time": datetime.now(UTC), "labelled": 0, "model": "m"}
        collection.finding("next-rounds", old).append(pa.Table.from_pylist([row], old))
    assert rounds_so_far(digits[0])[0]["condition"] is None
    mine_next(digits[0], 5, model=str(model))
    assert [row["model"] for row in rounds_so_far(digits[0])] == ["m", str(model)]


def test_group_mates_of_the_test_part_are_neither_learnt_nor_chosen(
    made: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    """Sixty digits in pairs of one group: a labelled one of the test part and an unlabelled one."""
    pictures = sorted((made[0].parent / "p").glob("*.png"))[:60]
    lines = ["file,label,sender"]
    for number, picture in enumerate(pictures):
        label = made[1][row_id(file_uri(picture))] if number < 40 else ""
        lines.append(f"{picture.name},{label},{number % 20}")
    (tmp_path / "all.csv").write_text("\n".join(lines))
    (tmp_path / "p").mkdir()
    for picture in pictures:
        shutil.copy(picture, tmp_path / "p")
    options = LabelOptions(labels=str(tmp_path / "all.csv"), group_by="sender")
    path = tmp_path / "c.pixels"
    ingest([tmp_path / "p"], into=path, labels=options)
    with Collection.open(path) as collection:
        rows = collection.images.read(["row_id", "uri", "group"]).to_pylist()
        of = {int(row["uri"][-7:-4]): row for row in rows}
        test = [of[number]["row_id"] for number in range(10)]
        parts = [{"split_id": "ab" * 32, "row_id": row, "part": "test"} for row in test]
        collection.splits.append(pa.Table.from_pylist(parts, collection.splits.schema))
    seen: list[np.ndarray] = []

    def learn(x: np.ndarray, y: np.ndarray, *more: Any) -> np.ndarray:
        seen.append(x)
        return head_probabilities(x, y, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "head_probabilities", learn)
        patch.setattr(to_label, "head_probabilities", learn)
        found = mine_next(path, 60, model=str(model), split="ab" * 32)
    barred = {row["row_id"] for row in rows if int(row["group"]) < 10}
    assert not barred & set(found.rows["row_id"].to_pylist())
    assert found.rows.num_rows == 10, "of 20 without a label half are of a sender of the test part"
    assert [len(x) for x in seen] == [20, 20], "of 40 with a label"
    assert found.notes()[-1].endswith("neither learnt nor chosen: 20.")
    # The test part lies outside the condition but for one picture: its groups are barred as well.
    window = f"row_id = '{test[0]}' OR uri LIKE '%/03_.png' OR uri LIKE '%/05_.png'"
    found = mine_next(path, 60, model=str(model), split="ab" * 32, where=window)
    assert not barred & set(found.rows["row_id"].to_pylist())
    assert found.rows.num_rows == 10


def test_simulated_rounds_write_nothing(
    digits: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    path, truth = digits
    table = tmp_path / "all.csv"
    table.write_text("\n".join(["row_id,label", *(f"{row},{name}" for row, name in truth.items())]))
    take_labels(path, table)
    found = simulate_rounds(path, 3, 10, seeds=2, model=str(model))
    assert found.labels == (10, 20, 30)
    assert found.chosen[:, -1].mean() > 0.8
    assert rounds_so_far(path) == []
    with pytest.raises(UsageError, match="already"):
        mine_next(path, model=str(model))


def test_what_makes_no_sense_is_said(
    digits: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    path, _ = digits
    with pytest.raises(UsageError, match="No picture has a label"):
        simulate_rounds(path, 3, model=str(model))
    with pytest.raises(UsageError, match="at least 1"):
        mine_next(path, 0)
    with pytest.raises(SourceError, match="cannot be read"):
        take_labels(path, tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("file,label\na,b\n")
    with pytest.raises(UsageError, match="no column row_id"):
        take_labels(path, tmp_path / "other.csv")
    (tmp_path / "strange.csv").write_text("row_id,label\nabc,b\n")
    with pytest.raises(UsageError, match="not in"):
        take_labels(path, tmp_path / "strange.csv")


def test_the_command_has_four_faces(
    digits: tuple[Path, dict[str, str]], model: Path, tmp_path: Path
) -> None:
    path, truth = digits

    def run(*more: str) -> str:
        ran = CliRunner().invoke(app, ["mine", "next", str(path), *more])
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    assert "No round yet" in run("--history")
    out = tmp_path / "n.csv"
    assert "--take" in run("--model", str(model), "--count", "40", "--out", str(out))
    fill_in(out, truth)
    assert "40 labels taken" in run("--take", str(out))
    found = json.loads(run("--model", str(model), "--count", "5", "--json"))
    assert len(found["next"]) == 5
    assert "40 labels" in run("--history")
    assert "by chance" in run("--model", str(model), "--count", "5", "--simulate", "2")
    ran = CliRunner().invoke(app, ["mine", "next", str(path), "--history", "--simulate", "2"])
    assert ran.exit_code == 2
