import os

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import PASSING, Reason
from pixelmine.core.errors import RunError
from pixelmine.core.schema import RESULTS
from pixelmine.output import parts as module
from pixelmine.output import sorting
from pixelmine.output.parts import PART, Parts


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "parts")


@pytest.fixture
def several_buckets(monkeypatch):
    monkeypatch.setattr(sorting, "BUCKET", 10)


def put(parts, *batches):
    for batch in batches:
        parts.add(batch)
    parts.commit()


def ids(batch):
    return batch["row_id"].to_pylist()


def done(parts):
    return {tuple(row.values()) for rows in parts.done() for row in rows.to_pylist()}


def merged(parts, wanted):
    return pa.concat_tables([*parts.merged(wanted), RESULTS.empty_table()])


def test_parts_are_numbered_and_each_is_sorted(parts, batch):
    put(parts, batch([3, 1]), batch([2]))
    put(parts, batch([4]))
    parts.commit()
    assert [path.name for path in parts.paths()] == ["000001.parquet", "000002.parquet"]
    (first, *_) = parts.paths()
    assert ids(pa.parquet.read_table(first)) == sorted(ids(batch([1, 2, 3])))


def test_another_process_goes_on_counting(parts, batch):
    put(parts, batch([1]))
    parts.paths()[0].rename(parts.folder / "000041.parquet")
    put(Parts(parts.folder), batch([2]))
    assert [path.name for path in parts.paths()] == ["000041.parquet", "000042.parquet"]


def test_a_part_is_written_when_enough_rows_have_come_together(parts, batch, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 5)
    for count in (2, 2, 3, 1):
        parts.add(batch(range(count)))
    assert len(parts.paths()) == 1
    parts.commit()
    assert len(parts.paths()) == 2


def test_a_part_is_written_when_enough_time_has_gone_by(parts, batch, monkeypatch):
    now = [parts._since]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parts.add(batch([1]))
    assert parts.paths() == []
    now[0] += module.SECONDS
    parts.add(batch([2]))
    assert len(parts.paths()) == 1
    parts.add(batch([3]))
    assert len(parts.paths()) == 1


def test_what_is_done(parts, batch):
    assert done(parts) == set()
    put(parts, batch([0, 1]))
    put(parts, batch([1], size=99))
    zero, one = ids(batch([0, 1]))
    assert done(parts) == {(zero, None, None), (one, 99, 2**60)}


@pytest.mark.parametrize("reason", Reason)
def test_what_may_pass_by_itself_is_tried_again(parts, batch, reason):
    put(parts, batch([0], reason=reason))
    tried_again = reason in PASSING
    assert done(parts) == (set() if tried_again else {(*ids(batch([0])), None, None)})


def test_the_newest_part_is_right(parts, batch):
    put(parts, batch([1, 2, 4], model="old"))
    put(parts, batch([2, 5], model="new"))
    put(parts, batch([4], model="newest"))
    found = merged(parts, set(ids(batch(range(9))))).to_pylist()
    models = {row["row_id"]: row["model"] for row in found}
    assert len(found) == 4
    assert models == dict(
        zip(ids(batch([1, 2, 4, 5])), ["old", "new", "newest", "new"], strict=True)
    )


def test_within_one_part_the_last_row_is_right(parts, batch):
    put(parts, batch([1], model="first"), batch([1], model="second"))
    assert merged(parts, set(ids(batch([1]))))["model"].to_pylist() == ["second"]


def test_only_what_is_wanted_sorted_with_all_columns(parts, batch, several_buckets):
    put(parts, batch(range(0, 100, 2)))
    put(parts, batch(range(1, 100, 2)))
    wanted = set(ids(batch(range(30, 90))))
    found = merged(parts, wanted)
    assert found.schema == RESULTS
    expected = sorted(
        batch(range(30, 90)).select(RESULTS.names).to_pylist(), key=lambda r: r["row_id"]
    )
    assert found.to_pylist() == expected


def test_a_bucket_is_a_small_part_of_all(parts, batch, several_buckets):
    put(parts, batch(range(200)))
    tables = list(parts.merged(set(ids(batch(range(200))))))
    assert len(tables) == 20
    assert max(table.num_rows for table in tables) < 40
    assert sum(table.num_rows for table in tables) == 200


def test_buckets_meet_at_their_edges(parts, several_buckets, batch):
    edges = ["0" * 64, "f" * 64, *(f"{(1 << 64) * n // 3:016x}" + "0" * 48 for n in (1, 2))]
    edges += [f"{int(edge[:16], 16) - 1:016x}" + "f" * 48 for edge in edges[2:]]
    rows = [{**batch([1]).to_pylist()[0], "row_id": edge} for edge in edges]
    put(parts, pa.RecordBatch.from_pylist(rows, PART))
    put(parts, batch(range(1, 25)))
    wanted = {*edges, *ids(batch(range(1, 25)))}
    assert len(list(parts.merged(wanted))) == 3
    assert ids(merged(parts, wanted)) == sorted(wanted)


@settings(deadline=None, max_examples=15, database=None)
@given(
    st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=4),
    st.sets(st.integers(0, 40)),
)
def test_against_a_dict(tmp_path_factory, commits, wanted):
    from tests.output.conftest import good, name_of

    parts, model = Parts(tmp_path_factory.mktemp("parts")), {}
    for turn, commit in enumerate(commits):
        if commit:
            rows = [good(number, model=f"{turn}") for number in commit]
            put(parts, pa.RecordBatch.from_pylist(rows, PART))
        model.update(dict.fromkeys(commit, f"{turn}"))
    found = merged(parts, {name_of(number) for number in wanted})
    expected = sorted((name_of(n), turn) for n, turn in model.items() if n in wanted)
    assert list(zip(ids(found), found["model"].to_pylist(), strict=True)) == expected


def test_parts_can_be_removed(parts, batch):
    put(parts, batch([1]))
    parts.clear()
    assert (parts.paths(), done(parts), list(parts.merged({"x"}))) == ([], set(), [])


def test_a_part_that_was_being_written_is_none(parts, batch):
    put(parts, batch([1]))
    (parts.folder / ".000002.parquet.abc.tmp").write_bytes(b"PAR1")
    assert len(done(parts)) == 1
    put(parts, batch([2]))
    assert [path.name for path in parts.paths()] == ["000001.parquet", "000002.parquet"]


@pytest.mark.parametrize("data", [b"", b"junk", b"PAR1" * 20])
def test_a_damaged_part_is_said_to_be_one(parts, batch, data):
    put(parts, batch([1]))
    parts.paths()[0].write_bytes(data)
    with pytest.raises(RunError, match=r"000001\.parquet is damaged. Delete it"):
        done(parts)


def test_a_commit_that_fails_can_be_made_again(parts, batch, monkeypatch):
    parts.add(batch([1]))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            parts.commit()
    assert parts.paths() == []
    parts.commit()
    assert len(done(parts)) == 1
