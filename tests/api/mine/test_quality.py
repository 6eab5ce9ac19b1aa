"""Pictures that were made bad are found in a collection, and those as they were are not."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.found import read_found
from pixelmine.api.mine.quality import QUALITY, mine_quality
from pixelmine.cli.main import app
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.features import FEATURES
from pixelmine.store import Collection


def noisy(pixels):
    return pixels + np.random.default_rng(1).normal(0, 25, pixels.shape)


def framed(pixels):
    return cv2.copyMakeBorder(pixels, 60, 60, 0, 0, cv2.BORDER_CONSTANT, value=(0, 200, 0))


DAMAGE = {
    "blurred": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 6),
    "dark": lambda pixels: pixels / 8,
    "bright": lambda pixels: 255 - (255 - pixels) / 8,
    "low-contrast": lambda pixels: 128 + (pixels - 128) / 12,
    "noisy": noisy,
    "border": framed,
    "odd-size": lambda pixels: cv2.resize(pixels, None, fx=0.2, fy=0.2),
    "odd-aspect": lambda pixels: cv2.resize(pixels, (pixels.shape[1], 80)),
}


@pytest.fixture(scope="module")
def photographs(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 photographs, and one of each damage, in a collection."""
    folder = tmp_path_factory.mktemp("quality")
    (folder / "photos").mkdir()
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::80]
    for path in paths[:64]:
        shutil.copy(path, folder / "photos" / path.name)
    for (name, damage), path in zip(DAMAGE.items(), paths[64:], strict=False):
        pixels = damage(cv2.imread(str(path)).astype(np.float64))
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), np.clip(pixels, 0, 255))
    ingest([folder / "photos"], folder / "c.pixels")
    return folder / "c.pixels"


def test_each_damage_is_found_as_what_it_is(photographs: Path) -> None:
    found = mine_quality(photographs)
    by_name = {}
    for row in found.rows.to_pylist():
        by_name.setdefault(row["issue"], []).append(row["uri"].rsplit("/")[-1])
    for name in DAMAGE:
        assert f"{name}.jpg" in by_name[name], name
        assert len(by_name[name]) < 6, "few that nobody damaged"
    assert found.rows.schema == QUALITY
    assert found.to_dict()["issues"]["dark"]["flagged"] == len(by_name["dark"])
    assert found.notes() == []
    with Collection.open(photographs) as collection:
        kept = read_found(collection, "quality")
    assert kept is not None
    assert kept.rows == found.found.rows
    assert mine_quality(photographs).found.made == found.found.made, "made once"


def test_an_old_collection_says_what_to_do_and_the_rest_works(photographs: Path) -> None:
    old = photographs.parent / "old.pixels"
    shutil.copytree(photographs, old)
    producer = FEATURES.get("surface")().producer
    shutil.rmtree(old / "features" / f"{producer}.lance")
    found = mine_quality(old)
    assert found.issues["dark"]["flagged"] > 0
    assert "ingest the same sources into it again" in found.notes()[0]
    assert "noisy, border, text" in found.notes()[0]
    ingest([photographs.parent / "photos"], old)
    assert mine_quality(old).rows == mine_quality(photographs).rows, "looked at again"


def test_nothing_leaves_but_through_the_policy(photographs: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(["uri"]).append_column("uri", pa.array(["-"] * rows.num_rows))

    found = mine_quality(photographs, policy=Nameless())
    assert {row["uri"] for rows in found.to_dict()["worst"].values() for row in rows} == {"-"}


def test_wrong_input_gets_a_sentence(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no condition in SQL"):
        mine_quality(photographs, where="nothing > 1")
    with pytest.raises(CollectionError, match="no good picture"):
        mine_quality(photographs, where="width > 100000")
    few = mine_quality(photographs, where="uri LIKE '%dark.jpg'")
    assert few.found.summary["pictures"] == 1
    assert "say too little" in few.notes()[-1]


def test_the_command_tells_counts_and_pictures(photographs: Path) -> None:
    told = CliRunner().invoke(app, ["mine", "quality", str(photographs), "--top", "1"])
    assert told.exit_code == 0
    assert "border.jpg" in told.stdout
