"""What leaves of a table is what the rules let through, and nothing else."""

import datetime
import math
import tomllib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import IMAGES
from pixelmine.privacy.columns import ColumnRule, mask_table, read_rules
from pixelmine.privacy.pseudonym import Pseudonyms

NAMES = Pseudonyms(bytes(32), "table")
MAP = pa.map_(pa.string(), pa.string())


def masked(column, rule, kind=None):
    table = pa.table({"it": pa.array(column, kind)})
    found = mask_table(table, read_rules({"it": rule}), pseudonyms=NAMES)
    return found["it"].to_pylist() if found.num_columns else None


def test_only_columns_with_a_rule_leave():
    table = pa.table({"a": [1], "b": ["x"], "c": ["secret"]}).replace_schema_metadata(
        {"s": "secret"}
    )
    found = mask_table(table, read_rules({"b": "keep", "a": "keep", "c": "drop", "gone": "keep"}))
    assert found.to_pydict() == {"a": [1], "b": ["x"]}
    assert found.schema.metadata is None
    assert mask_table(table, {}).num_columns == 0
    assert mask_table(
        table, read_rules({"c": "drop"}), default=ColumnRule(do="keep")
    ).to_pydict() == {
        "a": [1],
        "b": ["x"],
    }
    batch = table.to_batches()[0]
    assert isinstance(
        mask_table(batch, read_rules({"b": "hash"}), pseudonyms=NAMES), pa.RecordBatch
    )


def test_hash_is_a_pseudonym_and_needs_a_key():
    assert masked(["x", None, "x"], "hash") == [NAMES.of("x"), None, NAMES.of("x")]
    with pytest.raises(UsageError, match="'it' is hash, which needs a key"):
        mask_table(pa.table({"it": ["x"]}), read_rules({"it": "hash"}))


TIME = datetime.datetime(2026, 3, 17, 12, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("column", "rule", "expected"),
    [
        (["Müller", "", None], {"truncate": {"characters": 2}}, ["Mü", "", None]),
        ([19, -1, None], {"truncate": {"step": 10}}, [10, -10, None]),
        ([1.3, -0.1], {"truncate": {"step": 0.5}}, [1.0, -0.5]),
        ([3], {"truncate": {"step": 2.5}}, [2.5]),
        ([50.7374, None], {"truncate": {"decimals": 1}}, [50.7, None]),
        (
            ["50.7374", "+7", "north", None],
            {"truncate": {"decimals": 1}},
            ["50.7", "7", None, None],
        ),
        ([TIME, None], {"truncate": "month"}, [TIME.replace(day=1, hour=0, minute=0), None]),
        ([TIME.date()], {"truncate": "year"}, [datetime.date(2026, 1, 1)]),
        (
            ["2026:03:17 12:30:00", "2026-03-17T12:30", "yesterday", None],
            {"truncate": "month"},
            ["2026-03", "2026-03", None, None],
        ),
        ([TIME, None], {"generalise": {"period": "day"}}, ["2026-03-17", None]),
        (["2026:03:17 12:30:00"], {"generalise": {"period": "day"}}, ["2026-03-17"]),
        (
            [17, 18, 64.9, 65, None, math.nan],
            {"generalise": {"bins": [18, 65]}},
            ["below 18", "18 to below 65", "18 to below 65", "65 and above", None, None],
        ),
        (
            [7.1, -0.1, None],
            {"generalise": {"grid": 0.5}},
            ["7 to below 7.5", "-0.5 to below 0", None],
        ),
        (["a", "b", None], {"generalise": {"groups": {"a": "A"}}}, ["A", None, None]),
        (["a", "b", None], {"generalise": {"groups": {"a": "A"}, "other": "-"}}, ["A", "-", None]),
        ([["ab", None], [], None], {"truncate": {"characters": 1}}, [["a", None], [], None]),
        ([["ab"]], "hash", [[NAMES.of("ab")]]),
        ([["ab"], None], "keep", [["ab"], None]),
    ],
)
def test_a_rule_does_what_it_says(column, rule, expected):
    assert masked(column, rule) == expected
    assert masked([], rule, pa.array(column).type) == []


def test_keys_of_a_map_are_named():
    rows = [[("Model", "X"), ("Serial", "s1"), ("Day", "2026:03:17")], None, [], [("Serial", None)]]
    table = pa.table(
        {"meta": pa.chunked_array([pa.array(rows, MAP), pa.array(rows, MAP).slice(2)])}
    )

    def found(**rules):
        masks = mask_table(table, read_rules({k.replace("_", "."): v for k, v in rules.items()}),
                           pseudonyms=NAMES)  # fmt: skip
        return masks["meta"].to_pylist() if masks.num_columns else None

    keep = found(meta_Model="keep", meta_Serial="hash")
    first = [("Model", "X"), ("Serial", NAMES.of("s1"))]
    assert keep == [first, None, [], [("Serial", None)], [], [("Serial", None)]]
    most = found(meta="keep", meta_Serial="drop", meta_Day={"truncate": "year"})
    assert most == [[("Model", "X"), ("Day", "2026")], None, [], [], [], []]
    assert found(meta="keep")[0] == rows[0]
    assert found(other="keep") is None
    assert found(meta="drop", meta_Model="keep")[0] == [("Model", "X")]
    with pytest.raises(UsageError, match="name the keys"):
        found(meta="hash")
    with pytest.raises(UsageError, match="itself it is kept or dropped"):
        found(meta="hash", meta_Model="keep")


def test_a_column_with_a_dot_is_not_a_key():
    table = pa.table({"meta": pa.array([[("a", "1")]], MAP), "meta.a": ["2"]})
    assert mask_table(table, read_rules({"meta.a": "keep"})).to_pydict() == {"meta.a": ["2"]}


@given(
    st.lists(st.none() | st.lists(st.none() | st.text("ab", max_size=3), max_size=3), max_size=8),
    st.integers(0, 3),
    st.booleans(),
)
def test_slices_of_lists_and_maps_are_masked_as_their_values(rows, start, large):
    kind = pa.large_list(pa.string()) if large else pa.list_(pa.string())
    lists = pa.array(rows, kind).slice(start)
    maps = pa.array(
        [None if row is None else [(f"k{n}", v) for n, v in enumerate(row)] for row in rows], MAP
    ).slice(start)
    rule = {"truncate": {"characters": 1}}
    found = mask_table(pa.table({"l": lists, "m": maps}), read_rules({"l": rule, "m.k1": rule}))

    def cut(value):
        return None if value is None else value[:1]

    rows = rows[start:]
    assert found["l"].to_pylist() == [row and [cut(v) for v in row] for row in rows]
    assert found["m"].to_pylist() == [
        None if row is None else [("k1", cut(v)) for v in row[1:2]] for row in rows
    ]


def test_what_lies_under_a_null_does_not_leave():
    under = pa.ListArray.from_arrays([0, 1, 2], ["secret", "b"], mask=pa.array([True, False]))
    rule = {"truncate": {"characters": 9}}
    found = mask_table(pa.table({"l": under}), read_rules({"l": rule}))["l"]
    assert found.to_pylist() == [None, ["b"]]
    assert found.chunk(0).values.to_pylist() == ["b"]


def test_image_rows_without_their_secrets():
    row = {
        "row_id": "r", "uri": "file:///home/anna/secret.jpg", "member": "", "frame": 0,
        "size": 12345, "mtime_ns": 5, "status": "ok",
        "meta": [("GPSLatitude", "secret"), ("Model", "X")],
    }  # fmt: skip
    table = pa.Table.from_pylist([row], schema=IMAGES)
    text = """
        row_id = "hash"
        uri = "hash"
        status = "keep"
        size = { truncate = { step = 1000 } }
        "meta.Model" = "keep"
        [group.generalise]
        groups = { a = "b" }
    """
    found = mask_table(table, read_rules(tomllib.loads(text)), pseudonyms=NAMES)
    assert "secret" not in str(found.to_pylist())
    assert found.column_names == ["row_id", "uri", "size", "group", "meta", "status"]
    assert found["size"].to_pylist() == [12000]
    assert not found.schema.field("status").nullable
    assert found.schema.field("meta").type == IMAGES.field("meta").type


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("kept", r"columns\.a\.do .*'keep'"),
        ({"hash": True}, r"columns\.a\.hash .*not permitted"),
        ({}, "has 0"),
        ({"do": "keep", "truncate": "year"}, "has 2"),
        ({"truncate": "century"}, "'year'"),
        ({"truncate": {"step": 0}}, "greater than 0"),
        ({"truncate": {"step": 1, "decimals": 1}}, "has 2"),
        ({"generalise": {"bins": [2, 1]}}, "ascend"),
        ({"generalise": {"grid": 1, "other": "x"}}, "only groups"),
        (3, "columns.a is wrong"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(rule, said):
    with pytest.raises(UsageError, match=said):
        read_rules({"a": rule})


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ([True], {"truncate": {"step": 1}}),
        ([1], {"truncate": "year"}),
        ([1], {"generalise": {"period": "year"}}),
        ([[[1]]], {"truncate": "year"}),
        ([{"a": 1}], "hash"),
        ([b"a"], {"truncate": {"characters": 1}}),
    ],
)
def test_a_rule_that_does_not_fit_its_column_is_refused(column, rule):
    with pytest.raises(UsageError, match=r"'it'|made of text"):
        masked(column, rule)
    with pytest.raises(UsageError, match="must be a table"):
        read_rules("keep")
