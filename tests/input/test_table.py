import base64
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import file_uri
from pixelmine.input import parquet, table
from pixelmine.input.labels import LabelOptions
from pixelmine.input.open import open_source
from pixelmine.input.read import read
from pixelmine.input.source import SourceOptions


def rows(path, picture=None, **labels):
    options = SourceOptions(picture_column=picture, labels=LabelOptions(**labels))
    return [row for b in open_source(path, options).list() for row in b.to_pylist()]


def places(path, **options):
    return [(row["uri"], row["member"], row["reason"]) for row in rows(path, **options)]


def write(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


CELLS = [
    ("a.jpg", None),
    ("./sub/../a.jpg", None),
    ("nothing.jpg", "not_found"),
    ("sub", "unreadable"),
    ("", "empty"),
    ("https://h.example/a.jpg", None),
    ("http://[::1", "unreadable"),
    ("gopher://h/a.jpg", "unreadable"),
    ("s3://bucket/a.jpg", None),
    ("s3://user:SECRET@bucket/a.jpg", "corrupt"),
    ("a\0.jpg", "unreadable"),
]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl"])
def test_what_a_cell_may_say(tmp_path, made, kind):
    (tmp_path / "a.jpg").write_bytes(b"123")
    (tmp_path / "sub").mkdir()
    cells = [cell for cell, _ in CELLS] + [file_uri(tmp_path / "a.jpg"), None]
    path = tmp_path / f"t.{kind}"
    if kind == "jsonl":
        write(path, "\n".join(json.dumps({"image": cell}) for cell in cells))
    elif kind == "parquet":
        made.write_parquet(path, pa.table({"image": cells}))
    else:
        made.write_arrow(path, pa.table({"image": cells}))
    found = rows(path)
    assert [row["reason"] for row in found] == [*(reason for _, reason in CELLS), None, "empty"]
    uri = file_uri(tmp_path / "a.jpg")
    assert [(r["member"]) for r in found if r["uri"] == uri] == ["", "#2", "#3"]
    assert {read(r, Limits()) for r in found if r["uri"] == uri} == {b"123"}
    assert [r["size"] for r in found if r["uri"] == uri] == [3, 3, 3]
    assert (found[5]["uri"], found[5]["address"]) == ("https://h.example/a.jpg",) * 2
    assert "SECRET" not in str([{**row, "address": None} for row in found])


def test_columns_are_label_group_and_meta(tmp_path):
    path = write(
        tmp_path / "t.csv", "file,what,who,n,link\na.jpg,cat,ann,007,https://u:p@h/x?k=1\n"
    )
    (row,) = rows(path, label_column="what", group_by="who")
    assert (row["label"], row["group"]) == ("cat", "ann")
    assert row["meta"] == [("n", "007"), ("link", "https://h/x")]
    assert rows(write(path, "file,Label\na.jpg,cat\n"))[0]["label"] == "cat"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"picture": "x"}, "no column x. It has: one, two. Name one with --picture-column"),
        ({}, "--picture-column"),
        ({"picture": "one", "label_column": "x"}, "--label-column"),
        ({"picture": "one", "group_by": "x"}, "--group-by"),
    ],
)
def test_a_column_that_is_not_there(tmp_path, made, options, said):
    for path in (
        write(tmp_path / "t.csv", "one,two\n1,2\n"),
        write(tmp_path / "t.jsonl", '{"one": 1, "two": 2}\n'),
        made.write_parquet(tmp_path / "t.parquet", pa.table({"one": ["1"], "two": ["2"]})),
    ):
        with pytest.raises(UsageError, match=said):
            rows(path, **options)


def test_broken_lines_are_rows(tmp_path):
    lines = [
        b'{"image": "a.jpg"}',
        b"{",
        b"",
        b"[1]",
        b"\xff",
        b"[" * 9999,
        b'{"n": 1}',
        b'{"image": 3}',
    ]
    path = write(tmp_path / "t.jsonl", b"\n".join(lines))
    found = places(path)
    assert [reason for *_, reason in found] == [
        *("not_found", "corrupt", "corrupt", "corrupt", "corrupt", "empty", "corrupt"),
    ]
    assert found[1][:2] == (file_uri(path), "1")


def test_a_line_without_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_MAX_CELL", 100)
    path = write(
        tmp_path / "t.jsonl", '{"image": "a"}\n{"image": "' + "x" * 950 + '"}\n{"image": "b"}\n'
    )
    assert [reason for *_, reason in places(path)] == ["not_found", "too_large_file", "not_found"]
    path = write(tmp_path / "t.csv", "file,n\n" + "x" * 150 + ",1\nb,2\n")
    assert places(path)[0][2] == "corrupt"


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_of_all_sorts(tmp_path, mark, ending):
    text = '\ufefffile,label\r\n"a, ""b""\nc.jpg",x\r\n\r\nd.jpg\r\ne.jpg,y,z\r\n'.replace(
        ",", mark
    )
    found = rows(write(tmp_path / f"t.{ending}", text))
    name = 'a, "b"\nc.jpg'.replace(",", mark)
    assert [row["uri"] for row in found] == [
        file_uri(tmp_path / file) for file in (name, "d.jpg", "e.jpg")
    ]
    assert [row["label"] for row in found] == ["x", None, "y"]


def test_a_name_that_is_not_utf8_is_found(tmp_path):
    (tmp_path / "caf\udce9.jpg").write_bytes(b"1")
    path = write(tmp_path / "t.csv", b"file,note\ncaf\xe9.jpg,\xe9\n")
    (row,) = rows(path)
    assert read(row, Limits()) == b"1"
    assert row["meta"] == [("note", "\\xe9")]


def test_base64_is_told_from_names(tmp_path, made):
    data = made.jpeg()
    text = base64.b64encode(data).decode()
    digest = "0123456789abcdef" * 4
    lines = [{"image": text}, {"image": f"data:image/jpeg;base64,{text}"}, {"image": digest}]
    lines += [{"image": {"bytes": "%%"}}, {"image": {"bytes": None, "path": "x"}}]
    found = rows(write(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines))))
    assert [row["data"] for row in found] == [data, data, None, None, None]
    assert [row["reason"] for row in found] == [None, None, "not_found", "corrupt", "not_found"]


def test_lists_of_addresses(tmp_path):
    text = "https://h.example/a.jpg?X-Amz-Signature=1\n\nhttps://h.example/a.jpg\nhttp://x:y:z/\n"
    for name in ("urls.txt", "urls", "urls.csv", "urls.txt.gz"):
        path = write(tmp_path / name, text)
        found = rows(path)
        assert [(row["uri"], row["member"]) for row in found] == [
            ("https://h.example/a.jpg", ""),
            ("https://h.example/a.jpg", "#2"),
            (file_uri(path), "2"),
        ]
        assert found[0]["address"].endswith("?X-Amz-Signature=1")
        assert found[2]["reason"] == "unreadable"


def test_a_compressed_table_that_breaks_off(tmp_path):
    path = tmp_path / "t.csv.gz"
    text = "file\n" + "".join(f"{n * n}.jpg\n" for n in range(20_000))
    path.write_bytes(gzip.compress(text.encode())[:-5000])
    found = places(path)
    assert len(found) > 100
    assert found[-1] == (file_uri(path), "", "truncated")


def test_nested_columns(tmp_path, made):
    cells = [{"jpg": {"bytes": b"1"}}, {"jpg": {"bytes": b"22"}}, {"jpg": None}, None]
    nested = pa.table({"deep": cells, "deep.other": ["w"] * 4})
    for path in (
        made.write_parquet(tmp_path / "t.parquet", nested),
        made.write_arrow(tmp_path / "t.arrow", nested),
    ):
        for column in ("deep.jpg", "deep.jpg.bytes"):
            found = rows(path, picture=column)
            assert [row["reason"] for row in found] == [None, None, "empty", "empty"]
            assert [read(row, Limits()) for row in found[:2]] == [b"1", b"22"]
            assert found[0]["meta"] == [("deep.other", "w")]


KINDS = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int32(), pa.binary())]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_type_of_bytes(tmp_path, made, kind):
    cells = [b"1", None, b"", b"22", b"333"]
    array = pa.array(cells, pa.binary())
    array = array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)
    rows_in = pa.table({"image": array})
    for path in (
        made.write_parquet(tmp_path / "t.parquet", rows_in, group=2),
        made.write_arrow(tmp_path / "t.arrow", rows_in),
        made.write_arrow(tmp_path / "u.arrow", rows_in, stream=False, compression="lz4"),
    ):
        found = rows(path)
        assert [row["reason"] for row in found] == [None, "empty", "empty", None, None]
        assert [read(row, Limits()) for row in found] == [b"1", "empty", "empty", b"22", b"333"]


def test_a_parquet_is_unpacked_once_when_read_in_order(tmp_path, monkeypatch):
    count = 2000
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"image": [b"%d" % n * 100 for n in range(count)]}), path, row_group_size=1000
    )
    found, calls = rows(path), []
    whole = parquet.column_of

    def counted(batch, name):
        calls.append(len(batch))
        return whole(batch, name)

    monkeypatch.setattr(parquet, "column_of", counted)
    for n, row in enumerate(found):
        assert read(row, Limits()) == b"%d" % n * 100
    assert sum(calls) == count
    monkeypatch.setattr(parquet, "_AHEAD_BYTES", 1000)
    assert [len(read(found[n], Limits())) for n in (1500, 3, 1999, 0)] == [400, 100, 400, 100]


@pytest.mark.parametrize("cut", [-1, -200, 500])
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_table_that_was_cut_off(tmp_path, made, kind, cut):
    path = tmp_path / f"t.{kind}"
    made.write_parquet(path) if kind == "parquet" else made.write_arrow(path, stream=False)
    path.write_bytes(path.read_bytes()[:cut])
    last = rows(path)[-1]
    assert (last["uri"], last["member"], last["reason"]) == (file_uri(path), "", "truncated")


def test_an_arrow_stream_that_was_cut_off(tmp_path, made):
    path = made.write_arrow(tmp_path / "t.arrow")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 9 // 10])
    found = rows(path)
    assert [row["reason"] for row in found] == [None] * 4 + ["truncated"]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_table_with_damage_ends_somehow(tmp_path, made, kind):
    path = tmp_path / f"t.{kind}"
    made.write_parquet(path) if kind == "parquet" else made.write_arrow(path)
    whole = path.read_bytes()
    reasons = set()
    for at in range(8, len(whole) - 8, len(whole) // 60):
        path.write_bytes(whole[:at] + b"\xff\xff\xff" + whole[at + 3 :])
        for row in rows(path):
            data = read(row, Limits())
            assert isinstance(data, bytes | Reason)
            reasons.add(row["reason"])
    assert reasons <= {
        None,
        "corrupt",
        "truncated",
        "not_found",
        "unreadable",
        "not_an_image",
        "empty",
    }


def test_a_member_that_is_no_row_of_the_table(tmp_path, made):
    path = made.write_parquet(tmp_path / "t.parquet")
    for member in ("6", "-1", "x", "", "1.0", "\u0663"):
        assert parquet.read_member(path, member, Limits()) is Reason.NOT_FOUND
    assert parquet.read_member(path, "label/0", Limits()) is Reason.CORRUPT
    assert parquet.read_member(path, "none/0", Limits()) is Reason.CORRUPT
