"""Vectors of a table: exact, by an index, among some; and the recall that is told of it."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from filelock import FileLock

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import features_schema
from pixelmine.index import vectors as module
from pixelmine.index.vectors import IndexOptions, VectorIndex
from pixelmine.store import Table
from pixelmine.store.lock import WriteLock

OPTIONS = IndexOptions(exact_below=1_000, queries=40)


def drawn(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    """Clouds about 30 centres, of any length."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((30, dimensions))
    found = centres[np.arange(count) % 30] + 0.4 * rng.standard_normal((count, dimensions))
    return np.asarray(found * rng.uniform(0.5, 2, (count, 1)), np.float32)


def named(start: int, count: int) -> list[str]:
    return [f"{place:064x}" for place in range(start, start + count)]


def filled(path: Path, values: np.ndarray) -> Table:
    table = Table(path, features_schema(values.shape[1]), ["picture_id"], WriteLock(path / ".l"))
    path.mkdir(exist_ok=True)
    add(table, values, 0)
    return table


def add(table: Table, values: np.ndarray, start: int) -> None:
    flat = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    names = pa.array(named(start, len(values)))
    table.insert_new(pa.table([names, flat], schema=table.schema))


def expected(values: np.ndarray, query: np.ndarray, k: int) -> list[str]:
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    return [f"{place:064x}" for place in np.argsort(-(unit @ query), kind="stable")[:k]]


def test_few_are_compared_exactly_whatever_their_length(tmp_path: Path) -> None:
    values = drawn(300, 5)
    near = VectorIndex(filled(tmp_path / "few.lance", values))
    assert near.refresh(1) is None
    found = near.nearest(values[7], 6)
    assert found.exact
    assert found.pictures == expected(values, values[7], 6)
    assert found.cosines[0] == pytest.approx(1, abs=1e-6)
    assert (np.diff(found.cosines) <= 1e-12).all()


@pytest.mark.parametrize(("dimensions", "kind"), [(32, "IVF_RQ"), (5, "IVF_FLAT")])
def test_an_index_finds_what_its_recall_says_and_what_came_after_it(
    tmp_path: Path, dimensions: int, kind: str
) -> None:
    values = drawn(3_000, dimensions)
    table = filled(tmp_path / "many.lance", values)
    near = VectorIndex(table, OPTIONS)
    assert near.nearest(values[0], 3).exact, "nothing waits for an index"
    state = near.refresh(1)
    assert state is not None
    assert state == near.state
    assert (state.kind, state.rows, state.source) == (kind, 3_000, 1)
    assert state.recall.low >= 0.95
    found = [near.nearest(value, 10) for value in values[:40]]
    assert not any(one.exact for one in found)
    share = [
        len(set(one.pictures) & set(expected(values, value, 10))) / 10
        for one, value in zip(found, values[:40], strict=True)
    ]
    assert np.mean(share) == pytest.approx(state.recall.value, abs=0.05)

    new = drawn(100, dimensions, seed=5)
    add(table, new, 3_000)
    assert near.nearest(new[3], 1).pictures == named(3_003, 1), "found before it is indexed"
    assert near.refresh(2).rows == 3_000, "so few are not worth the work"  # type: ignore[union-attr]  # there is one
    add(table, drawn(400, dimensions, seed=6), 3_100)
    extended = near.refresh(3)
    assert extended is not None
    assert (extended.rows, extended.built, extended.source) == (3_500, 3_000, 3)
    assert near.nearest(new[3], 1).pictures == named(3_003, 1)


def test_an_index_without_its_measurement_is_not_used(tmp_path: Path) -> None:
    near = VectorIndex(filled(tmp_path / "many.lance", drawn(2_000, 8)), OPTIONS)
    near.refresh(1)
    (tmp_path / "many.index.json").write_text("{")
    assert VectorIndex(near.table, OPTIONS).nearest(np.ones(8), 3).exact
    assert near.refresh(1) is not None
    assert not near.nearest(np.ones(8), 3).exact


def test_a_table_that_has_doubled_is_learnt_anew(tmp_path: Path) -> None:
    near = VectorIndex(filled(tmp_path / "many.lance", drawn(1_000, 8)), OPTIONS)
    near.refresh(1)
    add(near.table, drawn(1_000, 8, seed=3), 1_000)
    state = near.refresh(2)
    assert state is not None
    assert state.built == 2_000


def test_recall_below_what_is_wanted_is_raised_or_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((4_000, 64)).astype(np.float32)
    near = VectorIndex(filled(tmp_path / "noise.lance", noise), OPTIONS)
    state = near.refresh(1)
    assert state is not None
    assert state.probes > 8, "noise has no cells: more of them must be looked into"
    assert state.recall.low >= 0.95


@pytest.mark.parametrize("few", [20_000, 0])
@pytest.mark.parametrize("share", [0.004, 0.3])
def test_among_some_only_they_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int, share: float
) -> None:
    values = drawn(3_000, 16)
    near = VectorIndex(filled(tmp_path / "many.lance", values), OPTIONS)
    near.refresh(1)
    monkeypatch.setattr(module, "_FEW", few or 1)
    kept = np.sort(np.random.default_rng(1).choice(3_000, round(share * 3_000), replace=False))
    wanted = pa.array([f"{place:064x}" for place in kept])
    found = near.among(values[0], 8, wanted)
    want = [f"{kept[int(name, 16)]:064x}" for name in expected(values[kept], values[0], 8)]
    if few:
        assert found.exact
        assert found.pictures == want
    assert len(found.pictures) == 8
    assert set(found.pictures) <= set(wanted.to_pylist())
    assert len(set(found.pictures) & set(want)) >= 7


def test_what_lies_far_from_the_query_is_found_among_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = drawn(3_000, 16)
    near = VectorIndex(filled(tmp_path / "many.lance", values), OPTIONS)
    near.refresh(1)
    monkeypatch.setattr(module, "_FEW", 1)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    last = np.argsort(unit @ values[0])[:20]
    found = near.among(values[0], 5, pa.array([f"{place:064x}" for place in last]))
    assert found.exact
    assert len(found.pictures) == 5


def test_zeros_are_like_nothing(tmp_path: Path) -> None:
    values = drawn(50, 8)
    values[3] = 0
    near = VectorIndex(filled(tmp_path / "few.lance", values))
    assert named(3, 1)[0] not in near.nearest(values[0], 50).pictures
    assert named(3, 1)[0] not in near.among(values[0], 50, pa.array(named(0, 50))).pictures
    assert near.among(values[0], 5, pa.array([], pa.string())).pictures == []


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match="recall"):
        IndexOptions(recall=1.5)
    with pytest.raises(UsageError, match="queries"):
        IndexOptions(queries=1)


def test_pictures_that_come_while_the_index_is_made_are_kept_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = VectorIndex(filled(tmp_path / "many.lance", drawn(2_000, 16)), OPTIONS)
    new, build = drawn(30, 16, seed=8), module._build

    def build_late(newest: object, rows: int) -> tuple[str, int]:
        add(near.table, new, 2_000)
        return build(newest, rows)

    monkeypatch.setattr(module, "_build", build_late)
    assert near.refresh(1) is not None
    found = near.nearest(new[4], 1)
    assert (found.pictures, found.exact) == (named(2_004, 1), False)
    assert near.table.count() == 2_030


def test_compacting_and_erasing_leave_the_index_right(tmp_path: Path) -> None:
    values = drawn(2_000, 16)
    near = VectorIndex(filled(tmp_path / "many.lance", values), OPTIONS)
    near.refresh(1)
    add(near.table, drawn(50, 16, seed=3), 2_000)
    before = near.nearest(values[5], 6).pictures
    near.table.compact(timedelta(0))
    found = VectorIndex(near.table, OPTIONS).nearest(values[5], 6)
    assert (found.pictures, found.exact) == (before, False)
    near.table.newest().delete(f"picture_id = '{before[0]}'")
    assert near.nearest(values[5], 5).pictures == before[1:]
    assert near.among(values[5], 3, pa.array(before)).pictures == before[1:4]


def test_another_process_at_work_is_not_waited_for(tmp_path: Path) -> None:
    near = VectorIndex(filled(tmp_path / "many.lance", drawn(1_500, 8)), OPTIONS)
    with FileLock(tmp_path / "many.index.lock"):
        assert near.refresh(1) is None
    assert near.nearest(np.ones(8), 2).exact
