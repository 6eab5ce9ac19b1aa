"""What becomes an attribute of a picture, and what never does."""

from datetime import datetime

import pyarrow as pa
import pytest

from pixelmine.api.mine.attributes import attributes, meta_columns, times
from pixelmine.mine.items import Attribute
from pixelmine.store import Collection

META = pa.map_(pa.string(), pa.string())


def rows(*metas, **more):
    count = len(metas)
    columns = {
        "picture_id": [f"{n:064x}" for n in range(count)],
        "uri": [f"file:///data/shop%20A/{n}.jpg" for n in range(count)],
        "member": [""] * count,
        "format": ["jpeg"] * count,
        "width": [400] * count,
        "height": [300] * count,
        "orientation": [1] * count,
        "group": [None] * count,
        "labels": [["cat"]] * count,
        "meta": pa.array([list(meta.items()) for meta in metas], META),
        **more,
    }
    columns["orientation"] = pa.array(columns["orientation"], pa.int8())
    columns["group"] = pa.array(columns["group"], pa.string())
    return pa.table(columns)


@pytest.fixture
def collection(tmp_path):
    return Collection.create(tmp_path / "c.pixels")


def named(found: list[Attribute]) -> dict[str, list[list[str]]]:
    return {one.name: [list(values) for values in one.values] for one in found}


def test_label_file_time_and_table_become_attributes(collection):
    found = named(
        attributes(
            collection,
            rows({"time": "2024:05:03 17:20:11", "make": "Acme"}, {"time": "nonsense"}),
            ["tabby", None],
        )
    )
    assert found["label"] == [["cat"], ["cat"]]
    assert found["predicted"] == [["tabby"], []]
    assert found["source"] == [["shop A"], ["shop A"]]
    assert found["size"] == [["0.1 to 0.5 MP"]] * 2
    assert found["shape"] == [["across"]] * 2
    assert (found["hour"], found["weekday"]) == ([["15-18 h"], []], [["Fri"], []])
    assert found["month"] == [["2024-05"], []]
    assert found["make"] == [["Acme"], []]
    assert "quality" not in found, "it was not looked for"
    assert "group" not in found, "there is none"


def test_who_and_where_are_left_out_unless_they_are_asked_for():
    private = {"GPSLatitude": "1", "serial_no": "2", "Owner": "3", "patient": "4", "colour": "red"}
    assert list(meta_columns(rows(private))) == ["colour"]
    assert list(meta_columns(rows(private), ["patient"])) == ["colour", "patient"]


def test_a_picture_lying_on_its_side_is_taken_upright(collection):
    found = named(attributes(collection, rows({}, {}, orientation=[6, 1])))
    assert found["shape"] == [["upright"], ["across"]]


def test_a_column_that_names_each_picture_is_no_attribute(collection):
    metas = [{"id": f"x{n}", "kind": "ab"[n % 2]} for n in range(250)]
    found = named(attributes(collection, rows(*metas)))
    assert "kind" in found
    assert "id" not in found


def test_times_are_read_as_cameras_and_tables_write_them():
    texts = ("2024:05:03 17:20:11", "2024-05-03 17:20:11", "2024-05-03", "2024-05-03T17:20:11Z")
    whole = datetime(2024, 5, 3, 17, 20, 11)
    found = times(rows(*({"time": text} for text in texts), {}))
    assert found == [whole, whole, datetime(2024, 5, 3), whole, None]
