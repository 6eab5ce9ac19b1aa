"""`pixelmine export`, `mine report` and `mine table` on the command line."""

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.found import find
from pixelmine.cli.main import app
from pixelmine.store import Collection


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(map(str, words)))
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    for number in range(3):
        folder = tmp_path / "photos" / "cat"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number}.png"), np.full((9, 9, 3), 50 * number, np.uint8))
    ingest([tmp_path / "photos"], tmp_path / "c")
    return tmp_path / "c"


def test_export_counts_and_strict(taken: Path, tmp_path: Path) -> None:
    code, out, said = run("export", taken, "--as", "folder", "--out", tmp_path / "out")
    assert (code, out) == (0, "")
    assert "3 pictures of 3 good ones" in said
    (tmp_path / "photos" / "cat" / "0.png").unlink()
    words = ("export", taken, "--as", "webdataset", "--out", tmp_path / "shards", "--json")
    code, out, _ = run(*words, "--strict")
    assert code == 3
    found = json.loads(out)
    assert (found["selected"], found["written"]) == (3, 2)
    assert found["skipped"] == {"not_found": 1}
    code, out, _ = run(*words)
    assert code == 2
    assert "--overwrite" in json.loads(out)["error"]["message"]


@pytest.mark.parametrize("size", ["0", "1XB", "-1GB", "much"])
def test_sizes_are_checked(taken: Path, tmp_path: Path, size: str) -> None:
    code, _, said = run(
        *("export", taken, "--as", "webdataset", "--out", tmp_path / "o", "--shard-size", size)
    )
    assert code == 2
    assert "--shard-size must be a size" in said


def test_a_finding_as_a_table(taken: Path, tmp_path: Path) -> None:
    with Collection.open(taken) as collection:
        find(collection, "outliers", {}, lambda: ({}, pa.table({"row_id": ["a"]})))
    code, out, _ = run("mine", "table", taken, "outliers", "--out", tmp_path / "o.csv", "--json")
    assert code == 0
    assert json.loads(out)["rows"] == 1
    code, _, said = run("mine", "table", taken, "clusters", "--out", tmp_path / "c.csv")
    assert code == 1
    assert "It has: outliers" in said


def test_a_report(taken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelmine.api.mine.report.Step.is_there", property(lambda _: False))
    page = tmp_path / "mining.html"
    code, out, _ = run("mine", "report", taken, "--report", page, "--language", "zh", "--json")
    assert code == 0
    assert json.loads(out)["pile"]["pictures"] == 3
    assert page.is_file()
    code, _, said = run("mine", "report", taken, "--report", tmp_path / "mining.pdf")
    assert code == 2
    assert ".pdf" in said
