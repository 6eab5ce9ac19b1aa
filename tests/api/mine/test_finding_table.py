"""A finding leaves as a table."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pixelmine.api.mine.finding_table import write_finding
from pixelmine.api.mine.found import find
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.store import Collection

ROWS = pa.table(
    {
        "row_id": ["a", "b"],
        "uri": ["file:///=x.jpg", "=SUM(A1)"],
        "labels": [["red", "round"], None],
        "score": pa.array([0.5, -1.5], pa.float32()),
    }
)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    with Collection.create(tmp_path / "c") as made:
        find(made, "outliers", {}, lambda: ({"pictures": 2}, ROWS))
        find(made, "empty", {}, lambda: ({}, ROWS.slice(0, 0)))
    return tmp_path / "c"


def test_every_format_holds_all_rows(collection: Path, tmp_path: Path) -> None:
    for ending in (".csv", ".jsonl", ".parquet"):
        written = write_finding(collection, "outliers", tmp_path / f"o{ending}")
        assert written.to_dict()["rows"] == 2
    assert pq.read_table(tmp_path / "o.parquet").equals(ROWS)
    lines = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS.to_pylist()
    with (tmp_path / "o.csv").open(newline="") as file:
        one, other = csv.DictReader(file)
    assert one == {"row_id": "a", "uri": "file:///=x.jpg", "labels": "red|round", "score": "0.5"}
    assert other == {"row_id": "b", "uri": "'=SUM(A1)", "labels": "", "score": "-1.5"}


def test_a_finding_without_rows_has_its_header(collection: Path, tmp_path: Path) -> None:
    write_finding(collection, "empty", tmp_path / "e.csv")
    assert (tmp_path / "e.csv").read_text("utf-8") == "row_id,uri,labels,score\n"
    write_finding(collection, "empty", tmp_path / "e.parquet")
    assert pq.read_table(tmp_path / "e.parquet").schema.equals(ROWS.schema)


def test_what_is_wrong_is_a_sentence(collection: Path, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match=r"no finding 'clusters'. It has: empty, outliers"):
        write_finding(collection, "clusters", tmp_path / "c.csv")
    with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.parquet"):
        write_finding(collection, "outliers", tmp_path / "c.xlsx")
    write_finding(collection, "outliers", tmp_path / "c.csv")
    with pytest.raises(UsageError, match="--overwrite"):
        write_finding(collection, "outliers", tmp_path / "c.csv")
    write_finding(collection, "empty", tmp_path / "c.csv", overwrite=True)


def test_it_passes_the_policy(collection: Path, tmp_path: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(["uri"])

    written = write_finding(collection, "outliers", tmp_path / "o.jsonl", policy=Nameless())
    assert "uri" not in written.columns
    assert "SUM" not in (tmp_path / "o.jsonl").read_text("utf-8")
