"""`pixelmine split`, and the way on where a split leaks."""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest


def pixelmine(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pixelmine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, Path]:
    """A collection of two photographs and a copy, and a split with the copy on the other side."""
    for name, label in (("china.jpg", "palace"), ("flower.jpg", "daisy")):
        (tmp_path / "p" / label).mkdir(parents=True)
        shutil.copy(str(files("sklearn.datasets") / "images" / name), tmp_path / "p" / label / name)
    shutil.copy(tmp_path / "p/daisy/flower.jpg", tmp_path / "p/daisy/again.jpg")
    made = pixelmine("ingest", tmp_path / "p", "--into", tmp_path / "c", "--labels", "folders")
    assert made.returncode == 0, made.stderr
    parts = tmp_path / "parts.csv"
    parts.write_text("name,part\nchina.jpg,train\nflower.jpg,test\nagain.jpg,train\n")
    return tmp_path / "c", parts


def test_a_split_that_leaks_is_told_refused_and_allowed(planted: tuple[Path, Path]) -> None:
    collection, parts = planted
    taken = pixelmine("split", collection, "--from", parts)
    assert taken.returncode == 0
    assert "LEAK: 1 picture lies in more than one part" in taken.stderr
    strict = pixelmine("split", collection, "--from", parts, "--strict", "--json")
    assert strict.returncode == 3
    assert json.loads(strict.stdout)["leaks"] == {"picture_id": 1}
    name = taken.stdout.strip()
    refused = pixelmine("evaluate", "efficientnet-lite0", collection, "--split", name)
    assert refused.returncode == 2
    assert "1 of the 1 test pictures" in " ".join(refused.stderr.split())
    allowed = pixelmine(
        *("evaluate", "efficientnet-lite0", collection, "--split", name, "--allow-leaks", "--json")
    )
    assert allowed.returncode == 0, allowed.stderr
    trained = pixelmine("train", collection, "--split", name, "--out", collection.parent / "b")
    assert trained.returncode == 2
    assert "also there to learn from" in " ".join(trained.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "x.csv", "--folds", "5"), "--from gives the parts"),
        (("--parts", ".5,.5", "--folds", "5"), "not both"),
        (("--parts", "half"), "must be numbers"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], said: str) -> None:
    found = pixelmine("split", "nowhere", *arguments)
    assert found.returncode == 2
    assert said in found.stderr
