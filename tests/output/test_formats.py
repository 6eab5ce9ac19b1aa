import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import RESULTS
from pixelmine.output import FORMATS, json_rows
from pixelmine.output.formats import CSV_COLUMNS, writer_for


@pytest.fixture
def table(batch):
    return pa.table(batch(range(9))).select(RESULTS.names)


def write(path, *tables):
    writer_for(path)(path, tables)
    return path


def test_json_lines_hold_every_column(tmp_path, table):
    path = write(tmp_path / "r.jsonl", table.slice(0, 4), table.slice(4))
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    rows = [json.loads(line) for line in lines]
    expected = table.to_pylist()
    for row in expected:
        for entry in row["top"] or ():
            entry["probability"] = float(f"{entry['probability']:.6g}")
    assert rows == expected
    assert all(list(row) == RESULTS.names for row in rows)
    assert "图片".encode() in lines[1]


def test_a_probability_has_six_digits(tmp_path, table):
    path = write(tmp_path / "r.jsonl", table)
    assert '"probability": 0.612346}' in path.read_text("utf-8")
    assert '"probability": 1e-07}' in path.read_text("utf-8")


def test_rows_as_json_values_are_the_lines(tmp_path, table):
    with write(tmp_path / "r.jsonl", table).open(encoding="utf-8") as file:
        assert json_rows(table) == [json.loads(line) for line in file]


def test_csv_holds_its_columns(tmp_path, table):
    path = write(tmp_path / "r.csv", table.slice(0, 4), table.slice(4))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(CSV_COLUMNS)
    for row, whole in zip(rows, table.to_pylist(), strict=True):
        for name in ("row_id", "uri", "member", "status", "model", "model_digest"):
            assert row[name] == whole[name]
        assert row["frame"] == str(whole["frame"])
        assert row["reason"] == (whole["reason"] or "")
        assert row["picture_id"] == (whole["picture_id"] or "")
        best = whole["top"][0] if whole["top"] else None
        assert row["label"] == (best["label"] if best else "")
        assert row["probability"] == ("0.612346" if best else "")
        assert row["decision"] == ("|".join(whole["decision"]) if best else "")
        assert (json.loads(row["top"])[1]["label"] == "cat") if best else row["top"] == ""


def test_parquet_is_the_table(tmp_path, table):
    path = write(tmp_path / "r.parquet", table.slice(0, 4), table.slice(4))
    assert pq.read_table(path) == table
    assert pq.read_schema(path) == RESULTS


@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_written_twice_is_the_same(tmp_path, table, ending):
    one, two = (write(tmp_path / f"{n}{ending}", table) for n in "12")
    assert one.read_bytes() == two.read_bytes()


def test_nothing_at_all(tmp_path):
    assert write(tmp_path / "r.jsonl").read_bytes() == b""
    assert write(tmp_path / "r.csv").read_bytes() == ",".join(CSV_COLUMNS).encode() + b"\r\n"
    assert pq.read_table(write(tmp_path / "r.parquet")) == RESULTS.empty_table()


def test_a_model_that_abstains_decides_nothing(tmp_path, batch):
    table = pa.table(batch([1], decision=None)).select(RESULTS.names)
    assert json.loads(write(tmp_path / "r.jsonl", table).read_text())["decision"] is None
    with write(tmp_path / "r.csv", table).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["decision"], row["probability"]) == ("", "0.612346")


@pytest.mark.parametrize("name", ["r.JSONL", "a.b.csv", "r.Parquet"])
def test_the_ending_says_the_format(name):
    assert writer_for(Path(name)) is FORMATS[Path(name.lower()).suffix]


@pytest.mark.parametrize("name", ["r", "r.json", "r.txt", "csv", ".csv", "r.csv.gz"])
def test_another_ending_is_refused(name):
    with pytest.raises(UsageError, match=r"--out must end in \.jsonl, \.csv, \.parquet, \.arrow"):
        writer_for(Path(name))


def test_a_probability_is_read_back_as_it_was(tmp_path, batch):
    values = np.float32([1, 0.5, 0.3333333, 1e-20])
    tops = [[{"index": 0, "label": "x", "probability": float(value)}] for value in values]
    table = pa.table(batch([1, 2, 4, 5])).select(RESULTS.names)
    table = table.set_column(
        RESULTS.names.index("top"), RESULTS.field("top"), pa.array(tops, RESULTS.field("top").type)
    )
    lines = write(tmp_path / "r.jsonl", table).read_bytes().splitlines()
    found = [json.loads(line)["top"][0]["probability"] for line in lines]
    np.testing.assert_allclose(found, values, rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("=1+1", False),
        ("+cmd|' /C calc'!A0", False),
        ("-2+3", False),
        ("@SUM(A1)", False),
        ("\t=1", False),
        ("\r=1", False),
        ("\uff1d1", False),
        ("-1", True),
        ("+1.5", True),
        (".5", True),
        ("a=1", True),
        ("'=1", True),
        (" =1", True),
        ("", True),
    ],
)
def test_a_spreadsheet_runs_no_label(tmp_path, batch, text, kept):
    top = [{"index": 0, "label": text, "probability": 0.5}]
    rows = pa.table(batch([1], top=top, decision=[text, "x"], member=text)).select(RESULTS.names)
    with write(tmp_path / "r.csv", rows).open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    guarded = text if kept else f"'{text}"
    assert (row["label"], row["member"]) == (guarded, guarded)
    assert json.loads(row["top"])[0]["label"] == text


def test_arrow_is_the_table_compressed(tmp_path, table):
    path = write(tmp_path / "r.arrow", table.slice(0, 4), table.slice(4))
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        assert reader.read_all() == table
    assert b"\x28\xb5\x2f\xfd" in path.read_bytes()  # how a zstd frame begins
