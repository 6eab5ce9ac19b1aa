import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.input import object_store_open
from pixelmine.input.object_store import ObjectStoreSource, object_row, read_row
from pixelmine.input.source import SourceOptions

OBJECTS = {"a.jpg": b"123", "d/b c%.jpg": b"45", "z.jpg": bytes(3_000_000)}


class Handler(BaseHTTPRequestHandler):
    """As much of Google's JSON API as listing and reading take."""

    def do_GET(self):
        url = urlsplit(self.path)
        said = {name: values[0] for name, values in parse_qs(url.query).items()}
        _, is_object, name = unquote(url.path).partition("/bucket/o/")
        if self.server.status != 200:
            self.say(self.server.status, b"{}")
        elif url.path.endswith("/b/bucket/o"):
            self.say(200, json.dumps(self.listed(**said)).encode())
        elif not is_object or name not in OBJECTS:
            self.say(404, b"{}")
        else:
            media = said.get("alt") == "media"
            self.say(200, OBJECTS[name] if media else json.dumps(self.known(name)).encode())

    def listed(self, prefix="", delimiter="", **_):
        below = [name for name in OBJECTS if name.startswith(prefix)]
        here = [n for n in below if not delimiter or delimiter not in n[len(prefix) :]]
        folders = {n[: n.index("/", len(prefix)) + 1] for n in below if n not in here}
        items = [self.known(name) for name in here]
        return {"kind": "storage#objects", "items": items, "prefixes": sorted(folders)}

    def known(self, name):
        return {
            "kind": "storage#object",
            "name": name,
            "bucket": "bucket",
            "size": str(len(OBJECTS[name])),
            "updated": "2024-01-01T00:00:00Z",
            "timeCreated": "2024-01-01T00:00:00Z",
            "generation": "1",
        }

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def google(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(object_store_open, "_SILENCE_S", 1.0)
    object_store_open._open.cache_clear()
    yield server
    object_store_open._open.cache_clear()
    server.shutdown()
    server.server_close()
    thread.join()


def rows(text):
    batches = ObjectStoreSource(text, SourceOptions()).list()
    return [row for batch in batches for row in batch.to_pylist()]


def test_there_and_back(google):
    found = rows("gs://bucket")
    assert [row["uri"] for row in found] == [
        "gs://bucket/a.jpg",
        "gs://bucket/d/b%20c%25.jpg",
        "gs://bucket/z.jpg",
    ]
    assert [row["size"] for row in found] == [len(data) for data in OBJECTS.values()]
    start = time.monotonic()
    assert [read_row(row, Limits()) for row in found] == list(OBJECTS.values())
    assert time.monotonic() - start < 5
    assert len(rows("gs://bucket/d")) == 1


def test_the_limit_is_the_largest_size_that_is_read(google):
    row = object_row("gs://bucket/z.jpg")
    assert len(read_row(row, Limits(max_bytes=3_000_000))) == 3_000_000
    assert read_row(row, Limits(max_bytes=2_999_999)) is Reason.TOO_LARGE_FILE
    assert read_row(row, Limits(max_bytes=1)) is Reason.TOO_LARGE_FILE


def test_what_is_not_there(google):
    assert read_row(object_row("gs://bucket/nothing"), Limits()) is Reason.NOT_FOUND
    with pytest.raises(SourceError, match="no such file"):
        rows("gs://bucket/nothing")
    with pytest.raises(SourceError, match="no such file"):
        rows("gs://other")


@pytest.mark.parametrize("status", [401, 403])
def test_what_may_not_be_read(google, status):
    google.status = status
    assert read_row(object_row("gs://bucket/a.jpg"), Limits()) is Reason.DENIED
    with pytest.raises(SourceError, match="not permitted"):
        rows("gs://bucket")


def test_a_store_that_fails(google):
    google.status = 503
    assert read_row(object_row("gs://bucket/a.jpg"), Limits()) is Reason.SERVER_ERROR
