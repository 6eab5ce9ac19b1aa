"""Vectors of a sealed table are compared in memory as those of a plain one on the disk."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import features_schema
from pixelmine.index import in_memory
from pixelmine.index.vectors import IndexOptions, VectorIndex
from pixelmine.store import Table
from pixelmine.store.lock import WriteLock
from pixelmine.store.sealed_rows import RowSeal

KEY = bytes(range(32))


def filled(path: Path, values: np.ndarray, seal: RowSeal | None) -> Table:
    path.mkdir()
    schema = features_schema(values.shape[1])
    table = Table(path / "v.lance", schema, ["picture_id"], WriteLock(path / ".l"), seal)
    add(table, values, 0)
    return table


def add(table: Table, values: np.ndarray, start: int) -> None:
    flat = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    names = pa.array([f"{place:064x}" for place in range(start, start + len(values))])
    table.insert_new(pa.table([names, flat], schema=table.schema))


def drawn(count: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    made[3] = 0
    made[5] = made[7]
    return made


def test_neighbours_are_those_of_the_plain_table(tmp_path: Path) -> None:
    values = drawn(400)
    plain = VectorIndex(filled(tmp_path / "p", values, None))
    sealed = VectorIndex(
        filled(tmp_path / "s", values, RowSeal("t", KEY)), IndexOptions(exact_below=1_000)
    )
    wanted = pa.array([f"{place:064x}" for place in range(0, 400, 3)])
    for query in values[[0, 5, 7, 100]]:
        for k in (1, 5, 20):
            first, second = plain.nearest(query, k), sealed.nearest(query, k)
            assert first.pictures == second.pictures
            np.testing.assert_allclose(first.cosines, second.cosines, atol=1e-6)
            assert second.exact
            some = sealed.among(query, k, wanted)
            assert some.pictures == plain.among(query, k, wanted).pictures
        every, all_plain = sealed.nearest(query, 500), plain.nearest(query, 500)
        assert set(every.pictures) == set(all_plain.pictures)


def test_what_was_added_since_is_found_and_no_index_is_made(tmp_path: Path) -> None:
    values = drawn(1_500)
    table = filled(tmp_path / "s", values, RowSeal("t", KEY))
    near = VectorIndex(table, IndexOptions(exact_below=1_000))
    near.nearest(values[0], 1)
    new = drawn(8, seed=1)
    add(table, new, 9_000)
    assert near.nearest(new[0], 1).pictures == [f"{9_000:064x}"]
    assert near.refresh(1) is None
    assert not table.newest().describe_indices()


def test_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch) -> None:
    table = filled(tmp_path / "s", drawn(100), RowSeal("t", KEY))
    monkeypatch.setattr(in_memory, "LIMIT_BYTES", 100 * 16 * 4 - 1)
    with pytest.raises(UsageError, match=r"100 of 16 numbers are more than .* GiB"):
        VectorIndex(table).nearest(np.ones(16), 3)
