import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.schema import RESULTS
from pixelmine.output import CallerSink


def test_rows_are_kept_and_sorted(batch):
    sink = CallerSink(None)
    assert list(sink.start()) == []
    for numbers in ([3, 1, 4], [2, 0]):
        sink.write(clear(batch(numbers), PassPolicy()))
    delivered = sink.finish([])
    assert (delivered.items, delivered.reasons) == (5, {None: 3, "truncated": 2})
    assert sink.table.schema == RESULTS
    assert sink.table["row_id"].to_pylist() == sorted(batch(range(5))["row_id"].to_pylist())


def test_rows_are_shown_as_they_come(batch):
    shown = []
    sink = CallerSink(shown.append)
    sink.write(clear(batch([1]), PassPolicy()))
    assert [rows.schema for rows in shown] == [RESULTS]
    sink.write(clear(batch([3]), PassPolicy()))
    assert sink.table is None
    assert sink.finish([]).reasons == {None: 1, "truncated": 1}


def test_nothing_at_all():
    assert CallerSink(None).table == RESULTS.empty_table()


def test_what_the_gate_did_not_clear_is_refused(batch):
    sink = CallerSink(lambda rows: pytest.fail("it was shown"))
    with pytest.raises(TypeError, match=r"core\.clear"):
        sink.write(batch([1]))
