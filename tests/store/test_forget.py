"""Rows that are taken out of a table, and files that hold them no more."""

from pathlib import Path

import pyarrow as pa
import pytest

from pixelmine.store import Table
from pixelmine.store.lock import WriteLock

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("other", pa.string())])


def rows(*numbers: int) -> pa.Table:
    found = [{"name": f"name-{n:04}", "other": f"other-{n:04}"} for n in numbers]
    return pa.Table.from_pylist(found, SCHEMA)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path / "t.lance", SCHEMA, ["name"], WriteLock(tmp_path / ".lock"))
    for start in range(0, 40, 10):
        made.upsert(rows(*range(start, start + 10)))
    return made


def holding(table: Table, text: str) -> list[Path]:
    files = [path for path in table.path.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


def names(table: Table) -> list[str]:
    return sorted(table.read()["name"].to_pylist())


def test_rows_go_by_any_of_the_columns(table: Table) -> None:
    gone = pa.array(["name-0003", "other-0021", "nobody"])
    assert table.remove(["name", "other"], gone) == 2
    assert names(table) == [f"name-{n:04}" for n in range(40) if n not in (3, 21)]
    assert table.remove(["name", "other"], gone) == 0
    assert table.remove(["name"], pa.array([], pa.string())) == 0


def test_more_than_one_commit_takes(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelmine.store.table._TOGETHER", 7)
    assert table.remove(["name"], pa.array([f"name-{n:04}" for n in range(5, 35)])) == 30
    assert table.count() == 10


def test_nothing_is_left_of_them(table: Table) -> None:
    table.upsert(pa.Table.from_pylist([{"name": "name-0001", "other": "changed since"}], SCHEMA))
    table.remove(["name"], pa.array(["name-0002"]))
    assert holding(table, "name-0002")
    assert holding(table, "other-0001")
    before = table.version
    table.forget()
    for gone in ("name-0002", "other-0002", "other-0001"):
        assert holding(table, gone) == []
    assert len(list(table.path.glob("_versions/*.manifest"))) == 1
    assert table.version > before
    assert names(table) == [f"name-{n:04}" for n in range(40) if n != 2]


@pytest.mark.parametrize("left", [0, 39])
def test_an_index_of_the_key_is_made_again_without_them(table: Table, left: int) -> None:
    table.newest().create_scalar_index("name", "BTREE")
    table.remove(["name"], pa.array([f"name-{n:04}" for n in range(left, 40)]))
    table.forget()
    assert holding(table, "name-0039") == []
    assert [index.field_names for index in table.newest().describe_indices()] == [["name"]]
    assert names(table) == [f"name-{n:04}" for n in range(left)]
    table.upsert(rows(39))
    assert table.count("name = 'name-0039'") == 1


def test_what_a_killed_commit_has_left_goes(table: Table) -> None:
    left = table.path / "data" / "left.lance"
    left.write_bytes(b"other-0001 of long ago")
    table.forget()
    assert not left.exists()
    assert table.count() == 40


def test_a_table_that_was_never_written_is_left_alone(tmp_path: Path) -> None:
    none = Table(tmp_path / "none.lance", SCHEMA, ["name"], WriteLock(tmp_path / ".lock"))
    assert none.remove(["name"], pa.array(["a"])) == 0
    none.forget()
    assert not none.path.exists()
