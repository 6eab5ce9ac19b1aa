"""What a collection knows of its pictures."""

import csv

import cv2
import numpy as np
import pytest

from pixelmine.api.ingest import ingest
from pixelmine.api.slice_columns import AUTO, slice_columns
from pixelmine.core.errors import UsageError
from pixelmine.store import Collection


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slices")
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        picture = (rng.uniform(size=(40, 40 + i)) * (40 * i + 10)).astype(np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{i}.png"), picture)
    ingest([folder / "pictures"], folder / "c.pixels")
    with Collection.open(folder / "c.pixels") as opened:
        yield opened


def rows_of(collection):
    rows = collection.images.read(["row_id", "picture_id", "width"]).to_pylist()
    return rows, {name: [row[name] for row in rows] for name in ("row_id", "picture_id")}


def test_auto_is_what_says_neither_who_nor_where(collection):
    _, names = rows_of(collection)
    found = slice_columns(collection, names, "auto")
    assert list(found) == list(AUTO)
    assert {len(values) for values in found.values()} == {6}
    assert set(found["format"]) == {"png"}
    assert not {"group", "meta"} & set(found)


def test_values_are_those_of_their_rows(collection):
    rows, names = rows_of(collection)
    found = slice_columns(collection, names, "width, brightness")
    assert found["width"] == [row["width"] for row in rows]
    assert np.argsort(found["brightness"]).tolist() == np.argsort(found["width"]).tolist()
    backwards = {name: values[::-1] for name, values in names.items()}
    assert slice_columns(collection, backwards, "width")["width"] == found["width"][::-1]


def test_a_row_that_is_not_known_has_no_values(collection):
    unknown = {"row_id": ["no such row"], "picture_id": ["no such picture"]}
    assert slice_columns(collection, unknown, "width,contrast") == {
        "width": [None],
        "contrast": [None],
    }


def test_none_and_names_that_there_are_not(collection):
    _, names = rows_of(collection)
    assert slice_columns(collection, names, "none") == {}
    with pytest.raises(UsageError, match=r"'camera' to slice by\. There are: format"):
        slice_columns(collection, names, "width,camera")


def test_columns_of_a_table_are_there_when_they_are_named(tmp_path):
    (tmp_path / "pictures").mkdir()
    paths = []
    for i in range(2):
        path = tmp_path / "pictures" / f"{i}.png"
        cv2.imwrite(str(path), np.full((32, 32), 50 * i + 20, np.uint8))
        paths.append(path)
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "camera"), (paths[0], "phone"), (paths[1], "webcam")])
    ingest([tmp_path / "table.csv"], tmp_path / "c.pixels")
    with Collection.open(tmp_path / "c.pixels") as opened:
        rows = opened.images.read(["row_id", "picture_id", "uri"]).to_pylist()
        names = {name: [row[name] for row in rows] for name in ("row_id", "picture_id")}
        found = slice_columns(opened, names, "camera")["camera"]
    by_file = {row["uri"][-5:]: camera for row, camera in zip(rows, found, strict=True)}
    assert by_file == {"0.png": "phone", "1.png": "webcam"}
