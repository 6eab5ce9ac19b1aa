import contextlib
import json

import pyarrow as pa
import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError
from pixelmine.output import committed, open_sink
from pixelmine.output.formats import CSV_COLUMNS
from tests.output.conftest import frames, good, name_of
from tests.output.receivers import Wire, batch_of, receiver

SERVERS = {"postgresql": 5432, "mariadb": 3306, "mysql": 3306}


@pytest.fixture(params=["sqlite", *SERVERS])
def place(request, tmp_path):
    with receiver(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def sinks():
    """Sinks whose connections end with the test."""
    with contextlib.ExitStack() as stack:

        def keep(sink):
            stack.callback(sink._close)
            return sink

        yield keep


def write(sink, *rows):
    sink.write(clear(batch_of(list(rows)), PassPolicy()))


def test_a_row_lies_in_its_columns(place, sinks):
    sink = sinks(place.sink())
    sink.start()
    write(sink, good(1), good(2, top=None, decision=None, status="failed", reason="empty"))
    sink.finish(map(name_of, [1, 2]))
    rows = {row["row_id"]: row for row in place.rows()}
    assert all(tuple(row) == CSV_COLUMNS for row in rows.values())
    one, two = rows[name_of(1)], rows[name_of(2)]
    top = one["top"] if isinstance(one["top"], list) else json.loads(one["top"])
    assert [entry["probability"] for entry in top] == [0.612346, 1e-7]
    assert (one["label"], one["probability"], one["frame"]) == (top[0]["label"], 0.612346, 0)
    assert one["decision"] == f"{top[0]['label']}|cat"
    assert [two[name] for name in ("top", "label", "probability", "decision")] == [None] * 4
    assert (two["status"], two["reason"]) == ("failed", "empty")


def test_two_models_lie_beside_each_other(place, tmp_path, sinks):
    for model in ("a", "b"):
        sink = sinks(open_sink(place.out, tmp_path / model))
        sink.start()
        write(sink, good(1, model_digest=model * 64))
        sink.finish([name_of(1)])
    assert sorted(row["model_digest"][0] for row in place.rows()) == ["a", "b"]


def test_rows_of_other_runs_are_left_alone(place, tmp_path, sinks):
    for number in (1, 2):
        sink = sinks(open_sink(place.out, tmp_path / f"{number}"))
        sink.start()
        write(sink, good(number))
        sink.finish([name_of(number)])
    sink = sinks(open_sink(place.out, tmp_path / "1"))
    sink.start()
    sink.finish([])
    assert [row["row_id"] for row in place.rows()] == [name_of(2)]


def test_a_lost_ledger_changes_nothing(place, tmp_path, sinks):
    for state in ("a", "b"):
        sink = sinks(open_sink(place.out, tmp_path / state))
        sink.start()
        write(sink, *(good(number) for number in range(50)))
        assert sink.finish(map(name_of, range(50))).items == 50
    assert len(place.rows()) == 50


def test_frames_that_a_file_no_longer_has_go_at_the_next_start(place, sinks):
    sink = sinks(place.sink())
    sink.start()
    write(sink, *frames(1, 5))
    sink.flush()
    write(sink, *frames(1, 2, size=99))
    sink.flush()
    assert len(place.rows()) == 5
    sinks(place.sink()).start()
    assert len(place.rows()) == 2


def test_a_row_comes_back_after_it_was_taken_out(place, sinks):
    for listed in ([1, 2], [1], [1, 2]):
        sink = sinks(place.sink())
        done = {row["row_id"] for rows in sink.start() for row in rows.to_pylist()}
        write(sink, *(good(n) for n in listed if name_of(n) not in done))
        assert sink.finish(map(name_of, listed)).items == len(listed)
        assert sorted(row["row_id"] for row in place.rows()) == sorted(map(name_of, listed))


def test_a_table_of_something_else_is_refused(place, tmp_path, sinks):
    import sqlalchemy as sa

    sink = sinks(place.sink())
    sink.start()
    table = sa.Table(sink._table.name, sa.MetaData(), sa.Column("a", sa.Integer, primary_key=True))
    sink._table.drop(sink._connection)
    table.create(sink._connection)
    sink._connection.commit()
    with pytest.raises(OutputError, match=r"lacks row_id.*\?table=NAME"):
        sinks(open_sink(place.out, tmp_path / "other")).start()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_wrong_password_is_not_told(kind, tmp_path, sinks):
    out = f"{kind}://nobody_known:s3cr3t@127.0.0.1/no_such_database"
    with receiver(kind, tmp_path), pytest.raises(OutputError, match="Cannot open") as caught:
        sinks(open_sink(out, tmp_path)).start()
    assert "s3cr3t" not in f"{caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("kind", SERVERS)
def test_nobody_listens(kind, tmp_path, sinks):
    with pytest.raises(OutputError, match=rf"Cannot open {kind}://127\.0\.0\.1:9/test \(.*same"):
        sinks(open_sink(f"{kind}://u:s3cr3t@127.0.0.1:9/test", tmp_path)).start()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("after_bytes", [None, 10_000])
def test_a_connection_that_is_lost_says_what_is_committed(kind, after_bytes, tmp_path, sinks):
    rows = [good(number) for number in range(200)]
    with receiver(kind, tmp_path) as place:
        wire = Wire(SERVERS[kind])
        place.out = place.out.replace("@127.0.0.1/", f"@127.0.0.1:{wire.port}/")
        try:
            sink = sinks(place.sink())
            list(sink.start())
            write(sink, *rows[:100])
            sink.flush()
            wire.cut(after_bytes)
            write(sink, *rows[100:])
            with pytest.raises(OutputError, match=r"100 rows of this start are committed.*again"):
                sink.flush()
            wire.mend()
            again = sinks(place.sink())
            assert sum(batch.num_rows for batch in again.start()) == 100
            write(again, *rows[100:])
            assert again.finish(map(name_of, range(200))).items == 200
            assert len(place.rows()) == 200
        finally:
            wire.close()


def test_a_batch_is_one_transaction(place, sinks, monkeypatch):
    sink = sinks(place.sink())
    sink.start()
    sink.batch_rows = 10
    write(sink, *(good(number) for number in range(10)))
    sink.flush()
    put, times = sink._put, []

    def failing(values):
        times.append(put(values))
        raise OSError("gone")

    monkeypatch.setattr(sink, "_put", failing)
    with pytest.raises(OutputError):
        write(sink, *(good(number) for number in range(10, 20)))
    sink._close()
    assert len(times) == 1
    assert len(place.rows()) == 10


def test_rows_are_delivered_after_a_while(place, sinks, monkeypatch):
    sink = sinks(place.sink())
    sink.start()
    write(sink, good(1))
    assert place.rows() == []
    monkeypatch.setattr(committed, "SECONDS", 0)
    write(sink, good(2))
    assert len(place.rows()) == 2


def test_a_label_of_a_thousand_tops(place, sinks):
    top = [
        {"index": n, "label": f"label {n} " + "é" * 50, "probability": 0.001} for n in range(1000)
    ]
    sink = sinks(place.sink())
    sink.start()
    write(sink, *(good(number, top=top) for number in range(250)))
    assert sink.finish(map(name_of, range(250))).items == 250
    assert len(place.rows()) == 250


@pytest.mark.parametrize("text", ["a\0b", "\\u0000", "\\\\u0000", "\\\0", '\\"\0\\u0000'])
def test_a_nul_and_what_looks_like_one(place, sinks, text):
    sink = sinks(place.sink())
    sink.start()
    write(sink, good(1, top=[{"index": 0, "label": text, "probability": 0.5}]))
    sink.finish([name_of(1)])
    (row,) = place.rows()
    top = row["top"] if isinstance(row["top"], list) else json.loads(row["top"])
    expected = text.replace("\0", "\ufffd") if place.kind == "postgresql" else text
    assert (row["label"], top[0]["label"]) == (expected, expected)


def test_empty_batches(place, sinks):
    sink = sinks(place.sink())
    sink.start()
    sink.write(clear(batch_of([]), PassPolicy()))
    sink.flush()
    assert isinstance(next(iter(sink.start()), pa.record_batch({"a": []})), pa.RecordBatch)
    assert sink.finish([]).items == 0
