"""Strange pictures in a collection of photographs."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.found import read_found
from pixelmine.api.mine.outliers import OUTLIERS, mine_outliers
from pixelmine.cli.main import app
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection


@pytest.fixture(scope="module")
def clothes(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 photographs of clothes, half of them without a label, and digits, twice, as one."""
    folder = tmp_path_factory.mktemp("outliers")
    (folder / "p").mkdir()
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::90][:60]
    lines = ["file,label"]
    for number, path in enumerate(paths):
        shutil.copy(path, folder / "p" / f"{number:02}.jpg")
        if number < 30:
            lines.append(f"{number:02}.jpg,clothes")
    random = np.random.default_rng(1)
    pixels = np.zeros((400, 400, 3), np.uint8)
    for _ in range(12):
        at = tuple(random.integers(0, 400, 2).tolist())
        cv2.putText(pixels, "3857", at, cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 9)
    cv2.imwrite(str(folder / "p" / "strange.png"), pixels)
    cv2.imwrite(str(folder / "p" / "again.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    (folder / "l.csv").write_text("\n".join(lines))
    labels = LabelOptions(labels=str(folder / "l.csv"))
    ingest([folder / "p"], into=folder / "c.pixels", labels=labels)
    return folder / "c.pixels"


def test_a_stranger_that_lies_there_twice_is_found(clothes: Path) -> None:
    found = mine_outliers(clothes)
    assert found.rows.schema == OUTLIERS
    assert found.rows.num_rows == 62
    names = [row["uri"].rsplit("/", 1)[-1] for row in found.strangest()]
    assert set(names[:2]) == {"strange.png", "again.jpg"}
    near = found.strangest()[0]["near"]
    ids = {row["row_id"] for row in found.strangest()[:2]}
    assert len(near) == 5
    assert not ids & {one["row_id"] for one in near}, "its copy is not a neighbour"
    assert found.found.summary["copies"] == 1
    labelled = found.rows.filter(found.rows["label"].is_valid())
    assert labelled.num_rows == 30
    assert labelled["label_distance"].null_count == 0
    kept = read_found(Collection.open(clothes), "outliers")
    assert kept is not None
    assert kept.rows.equals(found.found.rows)
    assert mine_outliers(clothes).found.made == found.found.made


def test_the_command_says_it_and_gives_json(clothes: Path) -> None:
    ran = CliRunner().invoke(app, ["mine", "outliers", str(clothes), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["pictures"] == 62
    ran = CliRunner().invoke(app, ["mine", "outliers", str(clothes)])
    assert ran.exit_code == 0, ran.output
    assert "strange.png" in ran.output


def test_few_pictures_are_too_few(clothes: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too little"):
        mine_outliers(clothes, where="width = height")
    with Collection.create(tmp_path / "empty.pixels"):
        pass
    with pytest.raises(CollectionError, match="no good picture"):
        mine_outliers(tmp_path / "empty.pixels")
