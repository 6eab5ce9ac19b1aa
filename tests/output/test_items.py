import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import ids
from pixelmine.core.schema import RESULTS
from pixelmine.output import latest as latest_module
from pixelmine.output import prefix
from pixelmine.output.items import item_keys, last_writes, newest, with_items
from pixelmine.output.latest import Latest
from pixelmine.output.ledger import Ledger
from pixelmine.output.parts import FILED, Parts
from pixelmine.output.prefix import Names, places, prefixes
from tests.output.conftest import frames, good, name_of
from tests.output.receivers import batch_of

NAMES = st.one_of(
    st.integers(0, 50).map(name_of),
    st.integers(0, 50).map(name_of).map(str.upper),
    st.text("abz 0\0é", max_size=66),
    st.just(" " * 64),
    st.just("\0" * 64),
)
WRITES = st.lists(
    st.dictionaries(st.integers(0, 6), st.integers(1, 4), min_size=1, max_size=5), max_size=6
)


def first(number):
    return frames(number, 1)[0]["row_id"]


@given(st.lists(NAMES, max_size=20), st.lists(NAMES, max_size=20))
def test_a_set_of_names_is_a_set(names, asked):
    known = Names(iter(names))
    same = {name.lower() if len(name) == 64 else name for name in names}
    expected = [(name.lower() if len(name) == 64 else name) in same for name in asked]
    assert known.contains(prefixes(pa.array(asked, pa.string()))).tolist() == expected


@given(st.lists(st.integers(0, 1000).map(name_of), min_size=1))
def test_row_ids_keep_their_order_and_do_not_depend_on_the_batch(names):
    keys = prefixes(pa.array(names))
    assert np.argsort(keys, kind="stable").tolist() == sorted(
        range(len(names)), key=lambda at: names[at]
    )
    alone = [prefixes(pa.array(["x", name]))[1] for name in names]
    assert keys.tolist() == alone
    assert prefixes(pa.chunked_array([names, names])).tolist() == alone * 2
    assert prefixes(pa.array(["", *names]).slice(1)).tolist() == alone


def test_many_names_come_in_pieces(monkeypatch):
    monkeypatch.setattr(prefix, "_CHUNK", 10)
    known = Names(name_of(number) for number in range(95))
    found = known.contains(prefixes(pa.array([name_of(number) for number in range(100)])))
    assert found.tolist() == [True] * 95 + [False] * 5


def test_places_in_nothing():
    assert places(np.empty(0, "S16"), prefixes(pa.array(["a"]))).tolist() == [-1]


def test_a_frame_is_of_the_frame_0_before_it():
    rows = with_items(batch_of([*frames(1, 3), good(2), *frames(3, 2)]))
    one, three = first(1), first(3)
    assert rows["item"].to_pylist() == [None, one, one, None, None, three]
    assert with_items(rows) is rows


def test_that_holds_where_a_policy_has_changed_the_uri():
    rows = [{**row, "uri": "hidden", "member": ""} for row in [*frames(1, 2), *frames(2, 3)]]
    one, two = first(1), first(2)
    assert with_items(batch_of(rows))["item"].to_pylist() == [None, one, None, two, two]


def test_a_frame_alone_is_of_what_its_uri_says():
    row = frames(1, 3)[2]
    assert with_items(batch_of([row]))["item"].to_pylist() == [ids.row_id(row["uri"], "", 0)]


@given(st.lists(st.tuples(st.integers(0, 8).map(name_of), st.integers(0, 3)), max_size=30))
def test_the_last_turn_of_each_item(rows):
    rows.sort(key=lambda row: row[1])
    names = [name for name, _ in rows]
    turns = np.array([turn for _, turn in rows], np.int64)
    final = dict(rows)
    found = newest(prefixes(pa.array(names, pa.string())), turns)
    assert found.tolist() == [final[name] == turn for name, turn in rows]


@given(WRITES)
def test_of_several_writes_the_last_of_each_item_remains(writes):
    model, batches = {}, []
    for turn, write in enumerate(writes):
        rows = [row for n, count in write.items() for row in frames(n, count, model=f"{turn}")]
        batches.append(with_items(batch_of(rows)))
        model.update({n: (count, f"{turn}") for n, count in write.items()})
    if not batches:
        return
    found = last_writes(batches)
    expected = [row for n, (count, turn) in model.items() for row in frames(n, count, model=turn)]
    expected.sort(key=lambda row: row["row_id"])
    assert found.drop_columns(["item"]).to_pylist() == batch_of(expected).to_pylist()


@settings(deadline=None, max_examples=30, database=None)
@given(writes=WRITES, wanted=st.sets(st.integers(0, 6)))
def test_parts_and_ledger_hold_the_last_write_of_each_item(tmp_path_factory, writes, wanted):
    folder, model = tmp_path_factory.mktemp("parts"), {}
    parts, ledger, delivered = Parts(folder / "parts"), Ledger(folder / "ledger"), set()
    for turn, write in enumerate(writes):
        rows = [row for n, count in write.items() for row in frames(n, count, size=turn)]
        batch = with_items(batch_of(rows))
        parts.add(batch)
        parts.commit()
        ledger.append(pa.table(batch).select(FILED.names))
        delivered |= {row["row_id"] for row in rows}
        model.update({n: (count, turn) for n, count in write.items()})
    expected = [
        row for n, (count, turn) in model.items() if n in wanted for row in frames(n, count)
    ]
    listed = [first(number) for number in wanted]
    merged = pa.concat_tables([*parts.merged(listed), RESULTS.empty_table()])
    assert merged["row_id"].to_pylist() == sorted(row["row_id"] for row in expected)
    done = {(first(n), turn, 2**60) for n, (_, turn) in model.items()}
    for place in (parts, ledger):
        assert {tuple(r.values()) for rows in place.done() for r in rows.to_pylist()} == done
    counts = ledger.delivered(Names(listed))
    assert counts.items == len(wanted & model.keys())
    assert counts.reasons.total() == len(expected)

    right = {row["row_id"] for row in expected}
    for _ in range(2):
        stale = [n for rows in ledger.stale(Names(listed)) for n in rows["row_id"].to_pylist()]
        assert set(stale) == delivered - right
        ledger.forget(Names(listed))
        delivered = right
    assert ledger.delivered(Names(listed)) == counts


def test_a_ledger_that_is_cleared_still_knows_what_is_stale(tmp_path):
    ledger = Ledger(tmp_path)
    for number in (1, 2):
        ledger.append(pa.table(with_items(batch_of([good(number)]))))
    ledger.clear()
    assert list(ledger.done()) == list(ledger.stale(None)) == []
    ledger.append(pa.table(with_items(batch_of([good(2)]))))
    listed = Names([name_of(2)])
    for _ in range(2):  # also if it was killed before it forgot
        stale = [n for rows in ledger.stale(listed) for n in rows["row_id"].to_pylist()]
        assert stale == [name_of(1)]
    ledger.forget(listed)
    assert list(ledger.stale(listed)) == []


def test_an_item_of_which_a_row_was_refused_is_not_done(tmp_path):
    ledger = Ledger(tmp_path)
    rows = pa.table(with_items(batch_of([*frames(1, 2), good(2)])))
    ledger.append(rows, np.array([False, True, False]))
    done = [row["row_id"] for batch in ledger.done() for row in batch.to_pylist()]
    assert done == [name_of(2)]
    counts = ledger.delivered(Names([first(1), name_of(2)]))
    assert (counts.items, counts.refused) == (2, 1)
    assert sum(taken.num_rows for taken in ledger.rows()) == 2
    ledger.append(pa.table(with_items(batch_of(frames(1, 2)))))
    assert sum(batch.num_rows for batch in ledger.done()) == 2


@settings(deadline=None)
@pytest.mark.parametrize("chunk", [0, 3, 1000])
@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=8), max_size=6))
def test_the_latest_state_of_each_row_is_known(chunk, puts):
    before, latest_module._CHUNK = latest_module._CHUNK, chunk
    try:
        known, model = Latest(), {}
        for put in puts:
            known.put(batch_of([good(n, size=size) for n, size in put]))
            model.update(put)
            every = [(n, size) for n in range(10) for size in range(3)]
            found = known.has(batch_of([good(n, size=size) for n, size in every]))
            assert found.tolist() == [model.get(n) == size for n, size in every]
    finally:
        latest_module._CHUNK = before


def test_keys_of_nothing():
    nothing = with_items(batch_of([]))
    assert len(item_keys(nothing)) == 0
    assert Latest().has(nothing).tolist() == []
