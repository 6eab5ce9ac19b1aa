import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from uuid import uuid4

import pytest

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import row_id
from pixelmine.core.schema import LISTING
from pixelmine.input.feeds import is_feed, open_feed
from pixelmine.input.source import SourceOptions
from pixelmine.input.stream_nats import NatsFeed
from pixelmine.input.stream_redis import RedisFeed

NATS, REDIS = ("127.0.0.1", 4222), ("127.0.0.1", 6379)
SECRET = "hunter2secret"


def listens(place):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(place) == 0


class NatsStream:
    """A JetStream of its own, removed afterwards."""

    def __init__(self):
        self.name = f"pm-{uuid4().hex}"
        self.uri = f"nats://127.0.0.1:4222/{self.name}.in"
        self.run(lambda js: js.add_stream(name=self.name, subjects=[f"{self.name}.>"]))

    def run(self, work):
        import nats

        async def whole():
            client = await nats.connect("nats://127.0.0.1:4222")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(whole())

    def send(self, *bodies, **said):
        headers = {f"Pixelmine-{name.title()}": value for name, value in said.items()}
        headers = headers | {"Authorization": SECRET}

        async def publish(js):
            for body in bodies:
                await js.publish(f"{self.name}.in", body, headers=headers)

        self.run(publish)

    def open(self, wait_s=60.0, text=None, **more):
        return NatsFeed(text or self.uri, SourceOptions(), ack_wait_s=wait_s, **more)

    def unacknowledged(self):
        info = self.run(lambda js: js.consumer_info(self.name, "pixelmine"))
        return info.num_ack_pending + info.num_pending

    def remove(self):
        self.run(lambda js: js.delete_stream(self.name))


class RedisStream:
    """A Redis stream of its own, removed afterwards."""

    def __init__(self):
        import redis

        self.name = f"pm-{uuid4().hex}"
        self.uri = f"redis://127.0.0.1:6379/0/{self.name}"
        self.client = redis.Redis()

    def send(self, *bodies, **said):
        for body in bodies:
            self.client.xadd(self.name, {"data": body, **said})

    def open(self, wait_s=60.0, text=None, **more):
        return RedisFeed(text or self.uri, SourceOptions(), idle_s=wait_s, **more)

    def unacknowledged(self):
        (group,) = self.client.xinfo_groups(self.name)
        return group["pending"] + group["lag"]

    def remove(self):
        self.client.delete(self.name)
        self.client.close()


@pytest.fixture(params=["nats", "redis"])
def stream(request):
    place = {"nats": NATS, "redis": REDIS}[request.param]
    if not listens(place):
        pytest.skip(f"no {request.param} server listens on {place[0]}:{place[1]}")
    found = {"nats": NatsStream, "redis": RedisStream}[request.param]()
    yield found
    found.remove()


@pytest.fixture
def nats_stream():
    if not listens(NATS):
        pytest.skip("no NATS server listens on 127.0.0.1:4222")
    found = NatsStream()
    yield found
    found.remove()


@pytest.fixture
def redis_stream():
    if not listens(REDIS):
        pytest.skip("no Redis server listens on 127.0.0.1:6379")
    found = RedisStream()
    yield found
    found.remove()


@pytest.fixture
def opened(stream):
    """Open feeds on the stream; they are closed at the end."""
    feeds = []

    def open_one(*args, **more):
        feeds.append(stream.open(*args, **more))
        return feeds[-1]

    yield open_one
    while feeds:
        feeds.pop().close()
    gc.collect()  # here, where the test says which warnings of it are none of ours


def pulled(feed, count, wait_s=8.0):
    rows, until = [], time.monotonic() + wait_s
    while len(rows) < count and time.monotonic() < until:
        batch = feed.pull(1000, 0.3)
        assert batch.schema == LISTING
        rows += batch.to_pylist()
    return rows


def bodies(rows):
    return sorted(row["data"] for row in rows)


def batch_of(rows):
    import pyarrow as pa

    return pa.RecordBatch.from_pylist(rows, LISTING)


def test_a_message_is_a_row_with_all_that_is_said_of_it(stream, opened):
    stream.send(b"\xff\xd8picture", label="cat", group="camera 1", place="door")
    (row,) = pulled(opened(), 1)
    assert row["uri"] == stream.uri
    assert row["row_id"] == row_id(stream.uri, row["member"])
    assert (row["data"], row["size"], row["frame"]) == (b"\xff\xd8picture", 9, 0)
    assert (row["label"], row["group"], row["reason"]) == ("cat", "camera 1", None)
    assert dict(row["meta"])["place"] == "door"
    assert SECRET not in repr(row)
    assert abs(row["mtime_ns"] - time.time_ns()) < 60 * 10**9


def test_all_messages_come_in_order_and_no_more_than_asked(stream, opened):
    stream.send(*(b"%03d" % index for index in range(100)))
    feed, got = opened(), []
    assert feed.waiting() == 100
    while batch := feed.pull(30, 0.3).to_pylist():
        assert len(batch) <= 30
        got += batch
    assert [row["data"] for row in got] == [b"%03d" % index for index in range(100)]
    assert len({row["row_id"] for row in got}) == 100
    assert feed.waiting() == 0


def test_nothing_comes_after_the_time_is_over_and_a_new_message_at_once(stream, opened):
    feed = opened()
    begin = time.monotonic()
    assert feed.pull(10, 0.4).num_rows == 0
    assert 0.3 < time.monotonic() - begin < 2
    threading.Timer(0.5, stream.send, [b"late"]).start()
    begin = time.monotonic()
    assert bodies(feed.pull(10, 10).to_pylist()) == [b"late"]
    assert time.monotonic() - begin < 5


def test_what_is_acknowledged_is_done_and_the_rest_comes_again_with_the_same_ids(stream, opened):
    stream.send(b"1", b"2", b"3", b"4")
    first = opened()
    rows = pulled(first, 4)
    first.acknowledge(batch_of(rows[:2]))
    assert stream.unacknowledged() == 2
    first.close()
    again = pulled(opened(), 2)
    assert sorted(r["row_id"] for r in again) == sorted(r["row_id"] for r in rows[2:])
    assert [r["mtime_ns"] for r in again] == [r["mtime_ns"] for r in rows[2:]]
    assert bodies(again) == [b"3", b"4"]


def test_an_acknowledgement_of_nothing_or_twice_is_no_error(stream, opened):
    stream.send(b"1")
    feed = opened()
    rows = pulled(feed, 1)
    for some in ([], rows, rows):
        feed.acknowledge(batch_of(some))
    assert stream.unacknowledged() == 0
    feed.close()
    feed.close()


KILLED = """
import sys
from pixelmine.input.source import SourceOptions
from pixelmine.input.stream_nats import NatsFeed
from pixelmine.input.stream_redis import RedisFeed
name, text = sys.argv[1:]
feed = (NatsFeed(text, SourceOptions(), ack_wait_s=1.0) if name == "NatsStream"
        else RedisFeed(text, SourceOptions(), idle_s=1.0))
rows = feed.pull(2, 5.0)
feed.acknowledge(rows.slice(0, 1))
print(rows.num_rows, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_reader_held_comes_again(stream, opened):
    stream.send(b"1", b"2", b"3")
    command = [sys.executable, "-c", KILLED, type(stream).__name__, stream.uri]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout.readline() == b"2\n"
        os.kill(reader.pid, signal.SIGKILL)
    feed = opened(1.0)
    assert bodies(pulled(feed, 2, 15)) == [b"2", b"3"]
    assert feed.pull(10, 0.3).num_rows == 0


def test_a_living_reader_keeps_what_it_holds_however_long_it_takes(stream, opened):
    stream.send(b"slow")
    slow, other = opened(0.6), opened(0.6)
    rows = pulled(slow, 1)
    assert pulled(other, 1, 2.0) == []
    assert pulled(slow, 1, 0.5) == []
    slow.acknowledge(batch_of(rows))
    assert stream.unacknowledged() == 0


def test_two_readers_share_and_none_gets_what_the_other_has(stream, opened):
    stream.send(*(b"%03d" % index for index in range(60)))
    first, second = opened(), opened()
    got = []
    for _ in range(6):
        got += first.pull(10, 0.3).to_pylist() + second.pull(10, 0.3).to_pylist()
    assert bodies(got) == [b"%03d" % index for index in range(60)]


def test_another_group_reads_all_again(stream, opened):
    stream.send(b"1")
    feed = opened()
    feed.acknowledge(batch_of(pulled(feed, 1)))
    option = "durable" if isinstance(stream, NatsStream) else "group"
    other = opened(text=f"{stream.uri}?{option}=other")
    assert other.uri == stream.uri
    assert bodies(pulled(other, 1)) == [b"1"]


def test_empty_and_too_large_messages_are_rows_with_their_reason(stream, opened):
    stream.send(b"", b"x" * 11, b"x" * 10)
    rows = pulled(opened(max_bytes=10), 3)
    assert [(row["reason"], row["size"], row["data"] is None) for row in rows] == [
        ("empty", 0, True),
        ("too_large_file", 11, True),
        (None, 10, False),
    ]


def test_a_batch_is_full_when_it_is_heavy(stream, opened, monkeypatch):
    for module in ("stream_nats", "stream_redis"):
        monkeypatch.setattr(f"pixelmine.input.{module}._BATCH_BYTES", 1000)
    stream.send(*[b"x" * 100] * 60)
    feed = opened()
    sizes = [feed.pull(1000, 0.3).num_rows for _ in range(4)]
    assert sum(sizes) == 60
    assert max(sizes) <= 32


class Relay:
    """Between a reader and its server; `cut` ends all connections and lets no new one through."""

    def __init__(self, place):
        self.place, self.up, self.pairs = place, True, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            far = socket.create_connection(self.place)
            self.pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def copy(self, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            end.close()

    def cut(self):
        self.up = False
        for end in self.pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.pairs = []

    def close(self):
        self.cut()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@pytest.fixture
def relay(stream):
    found = Relay(NATS if isinstance(stream, NatsStream) else REDIS)
    yield found
    found.close()


def through(stream, relay):
    return stream.uri.replace(str(4222 if stream.uri.startswith("nats") else 6379), str(relay.port))


# nats-py leaves each connection that it makes in vain to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_connection_is_made_again_and_nothing_is_lost_or_twice(stream, opened, relay):
    stream.send(b"1", b"2")
    feed = opened(1.0, text=through(stream, relay))
    rows = pulled(feed, 2)
    relay.cut()
    assert feed.pull(10, 0.5).num_rows == 0
    relay.up = True
    stream.send(b"3")
    rows += pulled(feed, 1, 10)
    assert bodies(rows) == [b"1", b"2", b"3"]
    feed.acknowledge(batch_of(rows))
    assert feed.pull(10, 1.5).num_rows == 0
    assert stream.unacknowledged() == 0


# as above: nats-py leaves each connection that it makes in vain to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_connection_lost_for_good_is_an_error(stream, opened, relay):
    feed = opened(reconnect_s=1.0, text=through(stream, relay))
    relay.cut()
    with pytest.raises(SourceError, match="is lost"):
        pulled(feed, 1)


def test_a_server_that_is_not_there_is_an_error_without_the_password():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for scheme in ("nats", "redis"):
        text = f"{scheme}://someone:{SECRET}@127.0.0.1:{port}/0/photos"
        with pytest.raises(SourceError, match=f"No connection to {scheme}://127") as caught:
            open_feed(text, SourceOptions(), watch=False)
        shown, error = "", caught.value
        while error is not None:
            shown, error = shown + repr(error) + str(error), error.__cause__ or error.__context__
        assert SECRET not in shown
        assert "someone" not in str(caught.value)


def test_a_wrong_password_is_an_error_that_does_not_tell_it(redis_stream):
    text = redis_stream.uri.replace("redis://", f"redis://nobody:{SECRET}@")
    with pytest.raises(SourceError) as caught:
        RedisFeed(text, SourceOptions())
    assert SECRET not in str(caught.value)
    feed = redis_stream.open()
    assert SECRET not in repr(vars(feed))
    feed.close()


def test_a_subject_without_a_stream_and_a_consumer_of_another_kind_are_errors(nats_stream):
    with pytest.raises(SourceError, match="There is no stream"):
        NatsFeed(f"nats://127.0.0.1/{uuid4().hex}", SourceOptions())
    nats_stream.open().close()
    with pytest.raises(SourceError, match="Name another with"):
        nats_stream.open(text=nats_stream.uri.replace(".in", ".other"))


def test_a_stream_that_was_removed_is_an_error(nats_stream, monkeypatch):
    monkeypatch.setattr("pixelmine.input.stream_nats._CHECK_S", 1.0)
    feed = nats_stream.open()
    nats_stream.run(lambda js: js.delete_consumer(nats_stream.name, "pixelmine"))
    with pytest.raises(SourceError, match="no consumer"):
        pulled(feed, 1)
    feed.close()


def test_a_subject_may_have_wildcards(nats_stream):
    text = f"nats://127.0.0.1/{nats_stream.name}.*"
    nats_stream.send(b"1")
    feed = nats_stream.open(text=text)
    (row,) = pulled(feed, 1)
    assert row["uri"] == feed.uri == f"nats://127.0.0.1:4222/{nats_stream.name}.*"
    assert dict(row["meta"])["subject"] == f"{nats_stream.name}.in"
    feed.close()


def test_a_key_of_another_kind_is_an_error(redis_stream):
    redis_stream.client.set(redis_stream.name, "text")
    with pytest.raises(SourceError, match="WRONGTYPE"):
        redis_stream.open()


def test_an_entry_deleted_while_it_was_held_does_not_come_again(redis_stream):
    redis_stream.send(b"1")
    first = redis_stream.open()
    (row,) = pulled(first, 1)
    redis_stream.client.xdel(redis_stream.name, row["member"])
    first.close()
    second = redis_stream.open(1.0)
    assert second.pull(10, 2.0).num_rows == 0
    second.close()


def test_a_closed_reader_leaves_no_name_behind(redis_stream):
    redis_stream.open().close()
    (group,) = redis_stream.client.xinfo_groups(redis_stream.name)
    assert group["consumers"] == 0


def test_the_database_may_be_left_out(redis_stream):
    feed = redis_stream.open(text=f"redis://127.0.0.1/{redis_stream.name}")
    assert feed.uri == redis_stream.uri
    feed.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nats://127.0.0.1", "must name a subject"),
        ("redis://127.0.0.1/", "must name a stream"),
        ("redis:///0/photos", "must name a host"),
        ("nats://127.0.0.1/a?group=x", "takes the options durable"),
        ("redis://127.0.0.1/a?group=", "has no value"),
        ("redis://127.0.0.1:port/a", "not well formed"),
        ("kafka://127.0.0.1/a", "cannot be watched"),
    ],
)
def test_a_wrong_address_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        open_feed(text.replace("//127", f"//me:{SECRET}@127"), SourceOptions(), watch=True)


def test_which_texts_are_feeds(tmp_path):
    assert all(map(is_feed, ("nats://h/s", "REDIS://h/s", "rediss://h/s")))
    assert not any(map(is_feed, (tmp_path, "watch://x", "http://h/s", "photos", "C:/photos")))
    with pytest.raises(UsageError, match="--watch"):
        open_feed(tmp_path, SourceOptions(), watch=False)


def test_an_entry_that_is_held_and_claimed_back_is_not_given_twice(redis_stream, monkeypatch):
    monkeypatch.setattr(RedisFeed, "_stay_alive", lambda feed: None)
    redis_stream.send(b"1")
    feed = redis_stream.open(0.6)
    (row,) = pulled(feed, 1)
    entry = [row["member"]]
    redis_stream.client.xclaim(redis_stream.name, "pixelmine", "thief", 0, entry, idle=10**6)
    assert [feed.pull(10, 0.5).num_rows for _ in range(2)] == [0, 0]
    (pending,) = redis_stream.client.xpending_range(redis_stream.name, "pixelmine", "-", "+", 9)
    assert pending["consumer"] != b"thief"
    feed.close()
