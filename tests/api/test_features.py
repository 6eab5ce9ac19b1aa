"""The list of designed features, and the sheet of what they see."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelmine.api.feature_sheet import SheetTile, draw_sheet
from pixelmine.api.features import list_features, show_features
from pixelmine.core.errors import OutputError, SourceError, UsageError
from pixelmine.core.gate import PassPolicy
from pixelmine.features.vector import VECTOR_FEATURES, describe, vector_features_from_card

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "features.md"


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (60, 90, 3), np.uint8)
    pixels[10:50, 20:70] = (200, 40, 30)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def test_every_feature_is_listed_with_the_options_that_make_it():
    found = list_features()
    assert [f["feature"] for f in found] == VECTOR_FEATURES.names()
    for about in found:
        (made,) = vector_features_from_card([{"feature": about["feature"], **about["options"]}])
        assert made == VECTOR_FEATURES.get(about["feature"])()
        assert made.dimensions == about["dimensions"]
        assert re.search(r"\d{4}$", about["source"])


def test_the_numbers_are_those_of_the_features_and_the_sheet_holds_a_tile_of_each(picture):
    found = show_features(picture, picture.with_name("sheet.png"))
    pixels = read(picture)
    assert (found["width"], found["height"]) == (90, 60)
    for about in found["features"]:
        feature = VECTOR_FEATURES.get(about["feature"])()
        assert list(about["values"]) == feature.names()
        assert list(about["values"].values()) == describe(pixels, [feature]).tolist()
    sheet = read(found["sheet"])
    small = show_features(picture, picture.with_name("one.png"), ["hog"])
    one = read(small["sheet"])
    assert sheet.shape[0] > 2.5 * one.shape[0]  # 3 rows and 1
    assert [f["feature"] for f in small["features"]] == ["hog"]


def test_the_sheet_shows_the_picture_and_what_the_features_see(picture):
    found = show_features(picture, picture.with_name("s.png"), ["shape"])
    sheet = read(found["sheet"])
    tile = VECTOR_FEATURES.get("shape")().show(read(picture))
    again = draw_sheet(
        [
            SheetTile(read(picture), "picture", "90 x 60 pixels"),
            SheetTile(tile, "shape", "Hu moments: 15 numbers"),
        ]
    )
    assert (sheet == again).all()


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (400, 9), (30, 900), (700, 500)])
def test_pictures_of_any_size_are_fitted_into_their_tile(size):
    height, width = size
    tile = SheetTile(np.full((height, width, 3), (255, 0, 0), np.uint8), "a" * 80, "b")
    sheet = draw_sheet([tile])
    red = (sheet == (255, 0, 0)).all(2)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    shown = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(shown) <= 380
    assert max(shown) > 300
    assert abs(shown[0] / shown[1] / (height / width) - 1) < 0.3
    assert draw_sheet([tile] * 5).shape[1] > draw_sheet([tile] * 4).shape[1]


def test_without_a_name_the_sheet_lies_in_the_current_folder(picture, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    found = show_features(str(picture), names=["shape"])
    assert found["sheet"] == "photo.features.png"
    assert [file.name for file in folder.iterdir()] == ["photo.features.png"]


def test_the_sheet_leaves_through_the_gate(picture):
    class Black(PassPolicy):
        def thumbnail(self, pixels):
            return pixels * 0

    found = show_features(picture, picture.with_name("s.png"), ["shape"], policy=Black())
    assert read(found["sheet"]).max() == 0


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("nowhere.png", "s.png"), SourceError, "not_found"),
        (("text.png", "s.png"), SourceError, "not_an_image"),
        (("small.png", "s.png"), UsageError, "at least 8x8 pixels"),
        (("photo.png", "s.jpg"), UsageError, "must end in .png"),
        (("photo.png", "photo.png"), UsageError, "is there already"),
        (("photo.png", "s.png", ["smell"]), UsageError, "no vector feature named 'smell'"),
        (("photo.png", "s.png", []), UsageError, "must name some of"),
        (("photo.png", "text.png/s.png"), OutputError, "cannot be written"),
    ],
)
def test_mistakes_get_a_sentence_and_leave_nothing(picture, monkeypatch, arguments, kind, said):
    folder = picture.parent
    monkeypatch.chdir(folder)
    (folder / "text.png").write_text("no picture")
    Image.new("RGB", (30, 7)).save(folder / "small.png")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(kind, match=said):
        show_features(*arguments)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_reference_page_has_every_feature_with_its_options_and_numbers():
    text = PAGE.read_text("utf-8")
    for about in list_features():
        heading = f"## {about['feature']}"
        assert heading in text
        section = text.split(heading + "\n")[1].split("\n## ")[0]
        assert f"D = {about['dimensions']:,}" in section
        for option in about["options"]:
            assert f"| `{option}` |" in section, option
        rows = re.findall(r"^\| `(\w+)` \|", section, re.M)
        assert sorted(rows) == sorted(f.name for f in fields(VECTOR_FEATURES.get(about["feature"])))
