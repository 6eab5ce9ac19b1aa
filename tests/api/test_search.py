"""Searching a collection by a picture, a part of one, and labels."""

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.search import Region, search
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError, SourceError, UsageError
from pixelmine.index.vectors import IndexOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection


def square(at: tuple[int, int], size: int = 64) -> np.ndarray:
    """White 16x16 at (x, y), on black with some grey."""
    pixels = np.full((size, size, 3), 30, np.uint8)
    pixels[at[1] : at[1] + 16, at[0] : at[0] + 16] = 255
    return pixels


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, linear_bundle) -> tuple[Path, str]:
    """A collection of squares at 49 places, half of them labelled, and a model of their pixels."""
    folder = tmp_path_factory.mktemp("search")
    pictures = folder / "pictures"
    pictures.mkdir()
    lines = ["name,label"]
    for x in range(0, 49, 8):
        for y in range(0, 49, 8):
            cv2.imwrite(str(pictures / f"{x}-{y}.png"), square((x, y)))
            if x < 24:
                lines.append(f"{x}-{y}.png,left")
    (folder / "labels.csv").write_text("\n".join(lines))
    linear_bundle(folder / "m.bundle", np.random.default_rng(0).normal(size=(64, 3)).astype("f4"))
    ingest(
        [pictures], into=folder / "c.pixels", labels=LabelOptions(labels=str(folder / "labels.csv"))
    )
    return folder / "c.pixels", str(folder / "m.bundle")


def names(found) -> list[str]:
    return [uri.rsplit("/")[-1] for uri in found.rows["uri"].to_pylist()]


def test_the_same_picture_is_the_nearest_then_its_neighbours(made, tmp_path: Path) -> None:
    path, model = made
    cv2.imwrite(str(tmp_path / "asked.png"), square((24, 24)))
    found = search(path, tmp_path / "asked.png", model=model, k=5)
    assert names(found)[0] == "24-24.png"
    assert set(names(found)[1:]) == {"16-24.png", "32-24.png", "24-16.png", "24-32.png"}
    alike = found.rows["similarity"].to_pylist()
    assert alike[0] == pytest.approx(1, abs=1e-5)
    assert alike == sorted(alike, reverse=True)
    assert found.exact
    assert found.to_dict()["index"] is None


def test_a_row_is_searched_by_without_finding_itself(made) -> None:
    path, model = made
    images = Collection.open(path).images.read(["row_id", "uri"]).to_pylist()
    row = next(one["row_id"] for one in images if one["uri"].endswith("/0-0.png"))
    found = search(path, row=row[:16], model=model, k=2)
    assert set(names(found)) == {"8-0.png", "0-8.png"}


def test_a_region_is_searched_as_its_cut_would_be(made, tmp_path: Path) -> None:
    path, model = made
    large = np.full((200, 300, 3), 120, np.uint8)
    large[100:164, 200:264] = square((40, 8))
    cv2.imwrite(str(tmp_path / "large.png"), large)
    region = Region(x=200, y=100, width=64, height=64)
    found = search(path, tmp_path / "large.png", region=region, model=model, k=1)
    assert names(found) == ["40-8.png"]
    assert found.rows["similarity"][0].as_py() == pytest.approx(1, abs=1e-5)
    whole = search(path, tmp_path / "large.png", model=model, k=1)
    assert whole.rows["similarity"][0].as_py() < 0.99


def test_a_region_is_of_the_upright_picture(made, tmp_path: Path) -> None:
    from PIL import Image

    path, model = made
    large = np.full((100, 300, 3), 120, np.uint8)
    large[10:74, 200:264] = square((40, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(large)))
    turned.save(tmp_path / "turned.png", exif=exif)
    region = Region(x=200, y=10, width=64, height=64)
    found = search(path, tmp_path / "turned.png", region=region, model=model, k=1)
    assert names(found) == ["40-8.png"]
    assert found.rows["similarity"][0].as_py() == pytest.approx(1, abs=1e-5)


def test_labels_and_where_leave_only_what_has_them(made, tmp_path: Path) -> None:
    path, model = made
    cv2.imwrite(str(tmp_path / "asked.png"), square((48, 24)))
    found = search(path, tmp_path / "asked.png", labels=["left"], model=model, k=3)
    assert found.among == 21
    assert all(labels == ["left"] for labels in found.rows["labels"].to_pylist())
    assert all(int(name.split("-")[0]) < 24 for name in names(found))
    found = search(path, labels=["left"], where="uri LIKE '%/16-%'", k=99)
    assert len(names(found)) == 7
    assert found.rows["similarity"].null_count == 7
    none = search(path, tmp_path / "asked.png", where="width > 5000", model=model)
    assert none.rows.num_rows == 0


def test_what_was_added_is_found(made, tmp_path: Path) -> None:
    path, model = made
    new = tmp_path / "new"
    new.mkdir()
    cv2.imwrite(str(new / "new.png"), square((4, 4)))
    before = search(path, new / "new.png", model=model, k=1)
    assert names(before) != ["new.png"]
    ingest([new], into=path)
    assert names(search(path, new / "new.png", model=model, k=1)) == ["new.png"]


def test_an_index_is_made_once_and_told_of(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = made
    monkeypatch.setattr(IndexOptions, "__post_init__", lambda self: None)
    few = IndexOptions(exact_below=20, queries=10)
    cv2.imwrite(str(tmp_path / "asked.png"), square((24, 24)))
    found = search(path, tmp_path / "asked.png", model=model, k=1, index=few)
    assert names(found) == ["24-24.png"]
    assert not found.exact
    assert found.index is not None
    assert 0 < found.to_dict()["index"]["recall"]["value"] <= 1
    assert "of the 10 nearest" in found.notes()[0]
    measured = list((path / "features").glob("*.index.json"))
    before = measured[0].stat().st_mtime_ns
    search(path, tmp_path / "asked.png", model=model, k=1, index=few)
    assert measured[0].stat().st_mtime_ns == before


def test_what_makes_no_sense_is_said(made, tmp_path: Path) -> None:
    path, model = made
    cv2.imwrite(str(tmp_path / "asked.png"), square((8, 8)))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    asked = tmp_path / "asked.png"
    with pytest.raises(UsageError, match="Give a PICTURE"):
        search(path, model=model)
    with pytest.raises(UsageError, match="not both"):
        search(path, asked, row="abcdef", model=model)
    with pytest.raises(UsageError, match="--region"):
        search(path, labels=["left"], region=Region(x=0, y=0, width=1, height=1))
    with pytest.raises(UsageError, match="64x64"):
        search(path, asked, region=Region(x=60, y=0, width=5, height=5), model=model)
    with pytest.raises(UsageError, match=r"The labels: left\."):
        search(path, asked, labels=["right"], model=model)
    with pytest.raises(UsageError, match="condition in SQL"):
        search(path, asked, where="colour = 3", model=model)
    with pytest.raises(UsageError, match="hexadecimal"):
        search(path, row="xyz", model=model)
    with pytest.raises(UsageError, match="0 good pictures"):
        search(path, row="0" * 64, model=model)
    with pytest.raises(SourceError, match="cannot be searched by"):
        search(path, tmp_path / "broken.png", model=model)
    with pytest.raises(UsageError, match="whole pixels"):
        Region.parse("1,2,3")
    Collection.create(tmp_path / "empty.pixels")
    with pytest.raises(CollectionError, match="no good picture"):
        search(tmp_path / "empty.pixels", asked, model=model)


def test_a_policy_takes_names_away(made, tmp_path: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(["uri"])

    path, model = made
    cv2.imwrite(str(tmp_path / "asked.png"), square((8, 8)))
    found = search(path, tmp_path / "asked.png", model=model, policy=Nameless())
    assert "uri" not in found.to_dict()["found"][0]


def test_the_command_says_the_same(made, tmp_path: Path) -> None:
    from pixelmine.cli.main import app

    path, model = made
    cv2.imwrite(str(tmp_path / "asked.png"), square((24, 24)))
    asked = ["search", str(path), str(tmp_path / "asked.png"), "--model", model, "--k", "2"]
    said = CliRunner().invoke(app, [*asked, "--label", "left", "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["found"][0]["uri"].rsplit("/")[-1] == "16-24.png"
    assert found["among"] == 21
    shown = CliRunner().invoke(app, asked)
    assert shown.stdout.splitlines()[0].startswith("1.000  ")
    assert shown.stdout.splitlines()[0].endswith(".png")
