"""What every sink keeps to, whatever lies behind it."""

import contextlib
from collections import Counter

import pyarrow as pa
import pytest

from pixelmine.core import PASSING, PassPolicy, Reason, clear
from pixelmine.core.ids import digest
from pixelmine.output.parts import DONE
from tests.output.conftest import bad, frames, good, name_of
from tests.output.receivers import KINDS, SENDING, batch_of, receiver

CONTROLS = "".join(map(chr, [*range(1, 32), 127, 0x85, 0x2028])) + "\u202e 😀 \\u0000 \\ ' \" `"
LONG = "长" * 20_000


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    with receiver(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def begin(place):
    """New sink objects on the one place, as new processes would make them."""
    with contextlib.ExitStack() as stack:

        def make():
            sink = place.sink()
            if hasattr(sink, "_close"):
                stack.callback(sink._close)
            return sink

        yield make


def write(sink, *rows):
    sink.write(clear(batch_of(list(rows)), PassPolicy()))


def keys(sink):
    batches = list(sink.start())
    assert all(batch.schema == DONE for batch in batches)
    return Counter(tuple(row.values()) for batch in batches for row in batch.to_pylist())


def key(row):
    return row["row_id"], row["size"], row["mtime_ns"]


def ids_of(*rows):
    return [row["row_id"] for row in rows]


def arrived(place):
    """The row_ids; of a place that is sent to, once for each id, as its receiver keeps them."""
    rows = place.rows()
    if place.kind in SENDING:
        for row in rows:
            named = ("row_id", "model_digest", "picture_id", "reason")
            assert row["id"] == digest(*(row[name] or "" for name in named))
        return sorted({row["id"]: row["row_id"] for row in rows}.values())
    if place.kind.startswith("parts"):
        return sorted({row["row_id"]: row for row in rows})
    return sorted(row["row_id"] for row in rows)


def test_a_new_place_holds_nothing(begin):
    assert keys(begin()) == Counter()


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: rows.to_pylist()])
def test_what_the_gate_did_not_clear_is_refused(place, begin, wrap):
    sink = begin()
    keys(sink)
    with pytest.raises(TypeError, match=r"core\.clear"):
        sink.write(wrap(batch_of([good(1)])))
    with pytest.raises(TypeError, match=r"core\.clear"):
        sink.write(pa.table(batch_of([good(1)])))
    assert sink.finish([name_of(1)]).items == 0
    assert arrived(place) == []


def test_what_was_flushed_is_known_to_the_next(place, begin):
    sink = begin()
    keys(sink)
    write(sink, good(1), bad(3))
    sink.flush()
    again = begin()
    assert keys(again) == Counter([key(good(1)), key(bad(3))])
    write(again, good(2))
    delivered = again.finish(map(name_of, [1, 2, 3]))
    assert (delivered.items, delivered.reasons) == (3, {None: 2, "truncated": 1})
    assert arrived(place) == sorted(map(name_of, [1, 2, 3]))
    assert keys(begin()).total() == 3


def test_finish_delivers_what_was_not_flushed(place, begin):
    sink = begin()
    keys(sink)
    write(sink, *(good(number) for number in range(20)))
    write(sink, *(bad(number) for number in range(20, 25)))
    delivered = sink.finish(map(name_of, range(25)))
    assert (delivered.items, delivered.refused) == (25, 0)
    assert arrived(place) == sorted(map(name_of, range(25)))


def test_nothing_at_all(place, begin):
    sink = begin()
    keys(sink)
    sink.flush()
    assert sink.finish([]).items == 0
    assert arrived(place) == []
    assert keys(begin()) == Counter()


@pytest.mark.parametrize("reason", [Reason.EMPTY, Reason.UNREACHABLE])
def test_failed_rows_go_through(place, begin, reason):
    sink = begin()
    keys(sink)
    write(sink, bad(1, reason=reason))
    assert sink.finish([name_of(1)]).reasons == {reason: 1}
    (row,) = place.rows()
    assert (row["reason"], row["status"]) == (reason, "failed")
    assert keys(begin()).total() == (0 if reason in PASSING else 1)


def test_what_passed_is_replaced(place, begin):
    sink = begin()
    keys(sink)
    write(sink, bad(1, reason=Reason.UNREACHABLE))
    sink.flush()
    again = begin()
    assert keys(again) == Counter()
    write(again, good(1))
    assert again.finish([name_of(1)]).reasons == {None: 1}
    assert set(arrived(place)) == {name_of(1)}
    assert place.rows()[-1]["status"] == "ok"


def test_the_same_rows_again_change_nothing(place, begin):
    sink = begin()
    keys(sink)
    for _ in range(2):
        write(sink, good(1), *frames(2, 3))
        sink.flush()
    again = begin()
    keys(again)
    write(again, good(1), *frames(2, 3))
    listed = ids_of(good(1), frames(2, 1)[0])
    delivered = again.finish(listed)
    assert (delivered.items, delivered.reasons) == (2, {None: 4})
    assert arrived(place) == sorted(ids_of(good(1), *frames(2, 3)))
    assert len(place.rows()) == 4


def test_frames_are_of_their_file(place, begin):
    sink = begin()
    keys(sink)
    write(sink, *frames(1, 3), *frames(2, 2), good(3))
    sink.flush()
    first = [frames(1, 1)[0], frames(2, 1)[0], good(3)]
    assert keys(begin()) == Counter(map(key, first))
    again = begin()
    keys(again)
    delivered = again.finish(ids_of(*first))
    assert (delivered.items, delivered.reasons) == (3, {None: 6})


def test_a_changed_file_leaves_no_frames_behind(place, begin):
    sink = begin()
    keys(sink)
    write(sink, *frames(1, 3), good(2))
    sink.flush()
    again = begin()
    keys(again)
    write(again, *frames(1, 2, size=99))
    sink.flush()
    listed = ids_of(frames(1, 1)[0], good(2))
    delivered = again.finish(listed)
    assert (delivered.items, delivered.reasons) == (2, {None: 3})
    assert keys(begin()) == Counter([key(frames(1, 1, size=99)[0]), key(good(2))])
    if place.kind not in SENDING and not place.kind.startswith("parts"):  # what was sent is sent
        assert arrived(place) == sorted(ids_of(*frames(1, 2), good(2)))


def test_a_file_that_becomes_what_it_was_is_delivered_again(place, begin):
    sink = begin()
    keys(sink)
    for size in (1, 2, 1):
        write(sink, good(1, size=size, model=f"net {size}"))
        sink.flush()
    assert keys(begin()) == Counter([key(good(1, size=1))])
    if place.kind != "nats":  # the stream drops the id that it has seen
        assert sink.finish([name_of(1)]).items == 1
        assert place.rows()[-1]["model"] == "net 1"


def test_what_is_not_listed_is_not_counted(place, begin):
    sink = begin()
    keys(sink)
    write(sink, good(1), good(2), *frames(3, 3))
    delivered = sink.finish([name_of(1)])
    assert (delivered.items, delivered.reasons) == (1, {None: 1})
    if place.kind not in SENDING and not place.kind.startswith("parts"):
        assert arrived(place) == [name_of(1)]


def test_restart_forgets(place, begin):
    sink = begin()
    keys(sink)
    write(sink, good(1), good(2))
    sink.finish(map(name_of, [1, 2]))
    again = begin()
    again.restart()
    assert keys(begin()) == Counter()
    write(again, good(2), good(3))
    delivered = again.finish(map(name_of, [2, 3]))
    assert delivered.items == 2
    if place.kind not in SENDING:
        assert arrived(place) == sorted(map(name_of, [2, 3]))
    assert keys(begin()) == Counter(map(key, [good(2), good(3)]))


@pytest.mark.parametrize(
    "text",
    [CONTROLS, LONG, "=1+1", "", "a/b=c|d"],
    ids=["controls", "long", "formula", "none", "odd"],
)
def test_any_text_survives(place, begin, text):
    sink = begin()
    keys(sink)
    top = [{"index": 0, "label": text, "probability": 0.5}]
    write(sink, good(1, top=top, decision=[text], member=text), good(2, top=top, member=text))
    assert sink.finish(map(name_of, [1, 2])).items == 2
    for row in place.rows():
        guarded = f"'{text}" if place.kind.endswith(".csv") and text.startswith("=") else text
        assert row["member"] == guarded
        if "label" in row and place.kind != "label":
            assert row["label"] == guarded
        elif place.kind not in ("label",):
            assert row["top"][0]["label"] == text


def test_texts_with_a_nul(place, begin):
    sink = begin()
    keys(sink)
    write(sink, good(1, member="a\0b", decision=["\0"]))
    assert sink.finish([name_of(1)]).items == 1
    (row,) = place.rows()
    assert row["member"] == ("a\ufffdb" if place.kind == "postgresql" else "a\0b")


def test_many_rows_in_one_write(place, begin):
    sink = begin()
    keys(sink)
    write(sink, *(good(number) for number in range(300)))
    sink.flush()
    write(sink, *(good(number) for number in range(300, 350)))
    assert sink.finish(map(name_of, range(350))).items == 350
    assert arrived(place) == sorted(map(name_of, range(350)))


def test_more_columns_than_results_do_not_leave(place, begin):
    sink = begin()
    keys(sink)
    rows = batch_of([good(1)]).append_column("embedding", pa.array([[0.5]]))
    sink.write(clear(rows, PassPolicy()))
    sink.finish([name_of(1)])
    assert all("embedding" not in row and "size" not in row for row in place.rows())
