"""Places to write to, each with a way to read what has arrived: real ones, on this machine."""

import asyncio
import csv
import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from pixelmine.output import open_sink

ENDINGS = (".jsonl", ".csv", ".parquet", ".arrow")
KINDS = (
    *ENDINGS,
    *("parts.jsonl", "parts.parquet", "folder", "label"),
    *("sqlite", "postgresql", "mariadb"),
    *("nats", "redis", "amqp", "http"),
)
SENDING = ("nats", "redis", "amqp", "http")
LOOPBACK = "127.0.0.1"


@dataclass
class Receiver:
    """`rows`: what has arrived, with `id` the message's id where it is one."""

    kind: str
    out: str
    state: Path
    rows: Any
    answers: dict[str, list[int]] = field(default_factory=dict)
    requests: list[Any] = field(default_factory=list)

    def sink(self):
        endless = self.kind.startswith("parts")
        by = self.kind if self.kind in ("label", "status", "reason") else None
        return open_sink(self.out, self.state, endless, by)


def reachable(connect):
    """Skip, saying so, where a server is not there."""
    try:
        return connect()
    except Exception as error:  # noqa: BLE001  whatever the driver calls it
        pytest.skip(f"no such server here: {type(error).__name__}")


@contextmanager
def receiver(kind: str, folder: Path) -> Iterator[Receiver]:
    """A place of one kind, of this test alone, removed afterwards."""
    name = f"t{uuid.uuid4().hex}"
    state = folder / "state"
    state.mkdir()
    if kind in ENDINGS or kind.startswith("parts"):
        ending = "." + kind.rpartition(".")[2]
        path = folder / f"results{ending}"
        yield Receiver(kind, str(path), state, lambda: files(path))
    elif kind in ("folder", "label", "status", "reason"):
        path = folder / "results"
        yield Receiver(kind, f"{path}/", state, lambda: hive(path, kind))
    elif kind in SQL:
        yield from SQL[kind](kind, name, folder, state)
    else:
        yield from {"nats": nats, "redis": redis, "amqp": amqp, "http": http}[kind](name, state)


def files(path: Path) -> list[dict[str, Any]]:
    paths = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
    return [row for file in paths for row in one_file(file)]


def one_file(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            {**row, "frame": int(row["frame"]), "reason": row["reason"] or None} for row in rows
        ]
    return ds.dataset([str(path)], format=path.suffix[1:]).to_table().to_pylist()


def hive(path: Path, by: str) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    layout = ds.partitioning(pa.schema([(by, pa.string())]), flavor="hive")
    found = ds.dataset(str(path), format="parquet", partitioning=layout if by != "folder" else None)
    return found.to_table().to_pylist()


def sqlite(kind, name, folder, state):
    import sqlite3
    from contextlib import closing

    path = folder / "results.db"

    def rows():
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"select * from {name}")]

    yield Receiver(kind, f"sqlite:///{path}?table={name}", state, rows)


def postgresql(kind, name, folder, state):
    psycopg = pytest.importorskip("psycopg")
    from psycopg.rows import dict_row

    where = f"host={LOOPBACK} user=postgres dbname=test connect_timeout=3"
    with reachable(lambda: psycopg.connect(where, autocommit=True, row_factory=dict_row)) as link:
        out = f"postgresql://postgres:sec%2Fret@{LOOPBACK}/test?table={name}"
        yield Receiver(kind, out, state, lambda: link.execute(f"select * from {name}").fetchall())
        link.execute(f"drop table if exists {name}")


def mysql(kind, name, folder, state):
    pymysql = pytest.importorskip("pymysql")

    link = reachable(
        lambda: pymysql.connect(
            host=LOOPBACK, user="root", password="", database="test", autocommit=True,
            charset="utf8mb4", cursorclass=pymysql.cursors.DictCursor, connect_timeout=3,
        )
    )  # fmt: skip

    def ask(query):
        with link.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    try:
        out = f"{kind}://root@{LOOPBACK}/test?table={name}"
        yield Receiver(kind, out, state, lambda: ask(f"select * from {name}"))
    finally:
        ask(f"drop table if exists {name}")
        link.close()


SQL = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mysql, "mysql": mysql}


def nats(name, state):
    client = pytest.importorskip("nats")

    async def jetstream(work):
        link = await client.connect(
            f"nats://{LOOPBACK}:4222", connect_timeout=2, allow_reconnect=False
        )
        try:
            return await work(link.jetstream())
        finally:
            await link.close()

    async def read(stream):
        try:
            info = await stream.stream_info(name)
        except client.js.errors.NotFoundError:
            return []
        found = [await stream.get_msg(name, n + 1) for n in range(info.state.last_seq)]
        return [{**json.loads(m.data), "id": m.headers["Nats-Msg-Id"]} for m in found]

    async def remove(stream):
        with suppress(client.js.errors.NotFoundError):
            await stream.delete_stream(name)

    reachable(lambda: asyncio.run(jetstream(lambda stream: stream.account_info())))
    try:
        out = f"nats://{LOOPBACK}:4222/{name}"
        yield Receiver("nats", out, state, lambda: asyncio.run(jetstream(read)))
    finally:
        asyncio.run(jetstream(remove))


def redis(name, state):
    client = pytest.importorskip("redis").Redis(LOOPBACK, socket_connect_timeout=2)
    reachable(client.ping)

    def rows():
        found = [entry for _, entry in client.xrange(name)]
        return [{**json.loads(entry[b"data"]), "id": entry[b"id"].decode()} for entry in found]

    try:
        yield Receiver("redis", f"redis://{LOOPBACK}/0/{name}", state, rows)
    finally:
        client.delete(name)
        client.close()


def amqp(name, state):
    pika = pytest.importorskip("pika")
    link = reachable(lambda: pika.BlockingConnection(pika.ConnectionParameters(LOOPBACK)))
    link.channel().queue_declare(name, durable=True)
    taken = []

    def rows():
        channel = link.channel()
        while (got := channel.basic_get(name, auto_ack=True))[0] is not None:
            _, properties, body = got
            assert properties.delivery_mode == 2
            taken.append({**json.loads(body), "id": properties.message_id})
        channel.close()
        return taken

    try:
        yield Receiver("amqp", f"amqp://guest:guest@{LOOPBACK}/?queue={name}", state, rows)
    finally:
        link.channel().queue_delete(name)
        link.close()


def http(name, state):
    place = Receiver("http", "", state, lambda: list(taken))
    taken, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            row = {**json.loads(body), "id": self.headers["Idempotency-Key"]}
            with lock:
                place.requests.append((dict(self.headers), body))
                left = place.answers.get(row["row_id"]) or place.answers.get("*") or [200]
                status = left.pop(0) if len(left) > 1 else left[0]
                if status == 200:
                    taken.append(row)
            if status == 0:  # no answer at all
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status in (429, 503):
                self.send_header("Retry-After", "0")
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    place.out = f"http://{LOOPBACK}:{server.server_port}/hook?token=secret"
    try:
        yield place
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Wire:
    """A TCP connection's way to a server on this machine that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.whole = True
        self.left: int | None = None
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self, after_bytes: int | None = None) -> None:
        """Now, or in the middle of what is sent, after so many bytes more."""
        if after_bytes is not None:
            self.left = after_bytes
            return
        self.whole, self.left = False, None
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def mend(self) -> None:
        self.whole, self.left = True, None

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                if not self.whole:
                    here.close()
                    continue
                there = socket.create_connection((LOOPBACK, self._to))
                with self._lock:
                    self._open += [here, there]
                for ends in ((here, there, True), (there, here, False)):
                    thread = threading.Thread(target=self._carry, args=ends, daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _carry(self, source: socket.socket, to: socket.socket, out: bool) -> None:
        with suppress(OSError), source:
            while data := source.recv(4096):
                to.sendall(data)
                if out and self.left is not None:
                    self.left -= len(data)
                    if self.left < 0:
                        self.cut()
            to.shutdown(socket.SHUT_WR)


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    from pixelmine.output.parts import PART

    return pa.RecordBatch.from_pylist(rows, PART)
