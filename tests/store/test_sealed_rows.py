"""Sealed rows come back as they were, of any type, and fit their own row of their own table."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import TamperedError
from pixelmine.store import Table
from pixelmine.store.lock import WriteLock
from pixelmine.store.sealed_rows import SEALED, RowSeal

SCHEMA = pa.schema(
    [
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("values", pa.list_(pa.float32(), 2)),
        pa.field("hash", pa.binary(4)),
        pa.field("good", pa.bool_()),
    ]
)
ROWS = pa.Table.from_pylist(
    [
        {"picture_id": "a", "reason": None, "values": [1, 2], "hash": b"abcd", "good": True},
        {"picture_id": "b", "reason": "x" * 99, "values": None, "hash": None, "good": None},
        {"picture_id": "c", "reason": "", "values": [3, 4], "hash": b"1234", "good": False},
    ],
    SCHEMA,
)
KEY = ["picture_id"]
SEAL = RowSeal("features/t", bytes(range(32)))


def opened(rows: pa.Table, seal: RowSeal = SEAL) -> pa.Table:
    return pa.Table.from_batches([seal.open(b, KEY, SCHEMA) for b in rows.to_batches()], SCHEMA)


@given(st.permutations(range(3)))
def test_rows_come_back_in_any_order_and_part(order: list[int]) -> None:
    sealed = SEAL.seal(ROWS, KEY)
    assert sealed.column_names == ["picture_id", SEALED]
    assert opened(sealed.take(order)) == ROWS.take(order)
    assert opened(SEAL.seal(ROWS.slice(1), KEY)) == ROWS.slice(1)


@given(st.data())
def test_every_change_is_found(data: st.DataObject) -> None:
    sealed = SEAL.seal(ROWS.slice(0, 1), KEY)
    whole = bytearray(sealed[SEALED][0].as_py())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TamperedError):
        opened(pa.table({"picture_id": ["a"], SEALED: [bytes(whole)]}))
    cut = bytes(whole)[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(TamperedError):
        opened(pa.table({"picture_id": ["a"], SEALED: [cut]}))


def test_a_row_s_values_fit_no_other_row_table_or_key() -> None:
    sealed = SEAL.seal(ROWS.slice(0, 1), KEY)
    with pytest.raises(TamperedError):
        opened(sealed.set_column(0, SCHEMA.field(0), pa.array(["b"])))
    for other in (RowSeal("features/u", bytes(range(32))), RowSeal("features/t", b"k" * 32)):
        with pytest.raises(TamperedError, match=other.table):
            opened(sealed, other)


def test_a_table_writes_sealed_and_reads_plain(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.lance", SCHEMA, KEY, WriteLock(tmp_path / ".l"), SEAL)
    table.insert_new(ROWS)
    table.insert_new(ROWS)
    changed = ROWS.slice(2).set_column(1, SCHEMA.field(1), pa.array(["new"]))
    table.upsert(pa.concat_tables([ROWS.slice(2), changed]))
    expected = ROWS.to_pylist()[:2] + changed.to_pylist()
    assert table.read().sort_by("picture_id").to_pylist() == expected
    assert table.read(["good", "picture_id"], "picture_id = 'c'").to_pylist() == [
        {"good": False, "picture_id": "c"}
    ]
    assert table.stored_schema() == SCHEMA
    assert table.newest().schema.names == ["picture_id", SEALED]
    with pytest.raises(ValueError, match="good"):
        table.read(where="good")
    assert table.remove(["picture_id"], pa.array(["a"])) == 1
    table.forget()
    assert sorted(table.read()["picture_id"].to_pylist()) == ["b", "c"]
