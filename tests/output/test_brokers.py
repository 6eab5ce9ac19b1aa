import contextlib
import json

import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError
from pixelmine.core.ids import digest
from pixelmine.core.schema import RESULTS
from pixelmine.output import json_rows, messages, nats_stream, open_sink
from tests.output.conftest import good, name_of
from tests.output.receivers import Wire, batch_of, receiver

PORTS = {"nats": 4222, "redis": 6379, "amqp": 5672}
ROWS = [good(number) for number in range(60)]


@pytest.fixture(params=PORTS)
def place(request, tmp_path):
    with receiver(request.param, tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(messages, "PAUSES_S", (0.01, 0.1, 0.2))
    monkeypatch.setattr(nats_stream, "TIMEOUT_S", 2.0)  # it waits for each acknowledgement


@pytest.fixture
def sinks():
    with contextlib.ExitStack() as stack:

        def keep(sink):
            stack.callback(sink._close)
            return sink

        yield keep


@pytest.fixture
def wire(place):
    found = Wire(PORTS[place.kind])
    place.out = place.out.replace("127.0.0.1:4222", "127.0.0.1")
    place.out = place.out.replace("127.0.0.1/", f"127.0.0.1:{found.port}/")
    yield found
    found.close()


def write(sink, rows):
    sink.write(clear(batch_of(rows), PassPolicy()))


def message_id(row):
    return digest(row["row_id"], row["model_digest"], row["picture_id"], row["reason"] or "")


def ids_of(rows):
    return {row["id"] for row in rows}


def test_a_message_is_the_row_as_in_jsonl(place, sinks):
    sink = sinks(place.sink())
    sink.start()
    write(sink, ROWS[:1])
    sink.finish([name_of(0)])
    (found,) = place.rows()
    assert found.pop("id") == message_id(ROWS[0])
    (expected,) = json_rows(batch_of(ROWS[:1]).select(RESULTS.names))
    assert found == json.loads(json.dumps(expected))


def test_a_connection_that_breaks_is_made_anew(place, sinks, wire):
    sink = sinks(place.sink())
    sink.start()
    for begin in range(0, 60, 20):
        write(sink, ROWS[begin : begin + 20])
        wire.cut()
        wire.mend()
        sink.flush()
    assert sink.finish(map(name_of, range(60))).items == 60
    assert ids_of(place.rows()) == set(map(message_id, ROWS))


# nats-py leaves the socket of a failed handshake to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_breaks_in_the_middle_of_a_batch(place, sinks, wire):
    sink = sinks(place.sink())
    sink.start()
    write(sink, ROWS[:20])
    sink.flush()
    wire.cut(after_bytes=8_000)
    write(sink, ROWS[20:])
    with pytest.raises(OutputError, match=r"20 rows of this start were acknowledged.*same command"):
        sink.flush()
    wire.mend()
    again = sinks(place.sink())
    assert sum(batch.num_rows for batch in again.start()) == 20
    write(again, ROWS[20:])
    assert again.finish(map(name_of, range(60))).items == 60
    assert ids_of(place.rows()) == set(map(message_id, ROWS))


@pytest.mark.parametrize(
    "out",
    [
        "nats://u:s3cr3t@127.0.0.1:9/a",
        "redis://u:s3cr3t@127.0.0.1:9/a",
        "rediss://u:s3cr3t@127.0.0.1:9/a",
        "amqp://u:s3cr3t@127.0.0.1:9/?queue=a",
        "amqps://u:s3cr3t@127.0.0.1:9/?queue=a",
    ],
)
def test_nobody_listens(out, tmp_path, sinks):
    with pytest.raises(OutputError, match=r":9 does not take messages.*4 times") as caught:
        sinks(open_sink(out, tmp_path)).start()
    assert "s3cr3t" not in f"{caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("kind", "out"),
    [
        ("amqp", "amqp://nobody:s3cr3t@127.0.0.1/?queue=a"),
        ("redis", "redis://nobody:s3cr3t@127.0.0.1/a"),
        ("amqp", "amqp://guest:guest@127.0.0.1/no-such-host?queue=a"),
    ],
)
def test_who_may_not_write_is_told_without_the_password(kind, out, tmp_path, sinks, caplog):
    with receiver(kind, tmp_path), pytest.raises(OutputError, match="does not take") as caught:
        sinks(open_sink(out, tmp_path)).start()
    assert "s3cr3t" not in f"{caught.value} {caught.value.__cause__!r} {caplog.text}"


def test_a_message_that_no_queue_takes_is_no_message(tmp_path, sinks):
    with receiver("amqp", tmp_path) as place:
        place.out = place.out.split("?")[0] + "?exchange=amq.direct&routing_key=nobody-listens-here"
        sink = sinks(place.sink())
        sink.start()
        write(sink, ROWS[:1])
        with pytest.raises(OutputError, match="does not take messages"):
            sink.flush()


def test_a_stream_that_is_there_is_used(tmp_path, sinks):
    import asyncio

    with receiver("nats", tmp_path) as place:
        name = place.out.rpartition("/")[2]

        async def make():
            import nats

            link = await nats.connect("nats://127.0.0.1:4222")
            await link.jetstream().add_stream(name=name, subjects=[f"{name}.>"])
            await link.close()

        asyncio.run(make())
        place.out += ".results.new"
        sink = sinks(place.sink())
        sink.start()
        write(sink, ROWS[:3])
        assert sink.finish(map(name_of, range(3))).items == 3
        assert len(place.rows()) == 3


def test_a_loop_that_runs_is_not_in_the_way(tmp_path, sinks):
    import asyncio

    with receiver("nats", tmp_path) as place:

        async def inside():
            sink = sinks(place.sink())
            sink.start()
            write(sink, ROWS[:3])
            return sink.finish(map(name_of, range(3)))

        assert asyncio.run(inside()).items == 3
