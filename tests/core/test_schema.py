import pyarrow as pa
import pytest

from pixelmine.core import schema
from pixelmine.core.schema import (
    IMAGES,
    LABELS,
    LISTING,
    RESULTS,
    SPLITS,
    features_schema,
    predictions_schema,
)

ALL = {"LISTING": LISTING, "IMAGES": IMAGES, "LABELS": LABELS, "SPLITS": SPLITS, "RESULTS": RESULTS}
REQUIRED = {
    "LISTING": ["row_id", "uri", "member", "frame"],
    "IMAGES": ["row_id", "uri", "member", "frame", "status"],
    "LABELS": ["row_id", "labels", "source", "who", "time"],
    "SPLITS": ["split_id", "row_id", "part"],
    "RESULTS": ["row_id", "uri", "member", "frame", "status"],
}


@pytest.mark.parametrize("name", ALL)
def test_what_is_never_null(name):
    assert [field.name for field in ALL[name] if not field.nullable] == REQUIRED[name]
    assert len(set(ALL[name].names)) == len(ALL[name])


def test_a_result_has_these_columns_in_this_order():
    assert RESULTS.names == [
        *("row_id", "uri", "member", "frame", "picture_id", "status", "reason", "top", "decision"),
        *("set", "ood", "found", "model", "model_digest"),
    ]
    assert [field.name for field in RESULTS.field("top").type.value_type] == [
        *("index", "label", "probability"),
    ]


def test_a_place_a_name_or_a_serial_number_is_no_result_column():
    words = ("gps", "latitude", "longitude", "serial", "owner", "artist", "author", "meta")
    assert not [name for name in RESULTS.names for word in words if word in name]


def test_what_the_tables_share_has_one_type():
    for name in IMAGES.names:
        for other in (LISTING, RESULTS):
            if name in other.names:
                assert IMAGES.field(name).type == other.field(name).type, name


def test_vectors_have_the_length_that_was_asked_for():
    assert features_schema(7).field("values").type == pa.list_(pa.float32(), 7)
    assert predictions_schema(3).field("logits").type == pa.list_(pa.float32(), 3)


def test_the_version_is_a_number_that_only_grows():
    assert isinstance(schema.SCHEMA_VERSION, int)
    assert schema.SCHEMA_VERSION >= 1
