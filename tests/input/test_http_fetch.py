"""Against a real server that does everything wrong. It listens on 127.0.0.2, which the tests let
pass as public; 127.0.0.1 and all others are as private as they are.
"""

import datetime
import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.input import http_guard
from pixelmine.input.http import fetch_row, url_row
from pixelmine.input.http_fetch import Fetcher
from pixelmine.input.http_options import HttpOptions

PUBLIC = "127.0.0.2"
HOSTS = {"here.test": [PUBLIC], "loopback.test": ["127.0.0.1", "::1"], "slow.test": [PUBLIC]}
LIMITS = Limits(max_bytes=200_000)
QUICK = HttpOptions(
    connect_timeout_s=0.5,
    read_timeout_s=0.5,
    total_timeout_s=1.5,
    backoff_s=0.02,
    max_retry_after_s=1.2,
)
PICTURE = bytes(range(256)) * 100
BOMB = gzip.compress(bytes(30 * 2**20), 1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, path = self.server, self.path.partition("?")[0]
        with server.lock:
            server.seen.append((path, dict(self.headers), self.client_address))
            server.open_now += 1
            server.open_most = max(server.open_most, server.open_now)
            number = sum(seen[0] == path for seen in server.seen)
        try:
            getattr(self, "get_" + path.strip("/").partition("/")[0])(number)
        except OSError:
            self.close_connection = True
        finally:
            with server.lock:
                server.open_now -= 1

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, data, every_s):
        self.close_connection = True
        for byte in data:
            if self.server.stopping.wait(every_s):
                return
            self.wfile.write(bytes([byte]))

    def get_good(self, number):
        self.say(200, PICTURE)

    def get_nothing(self, number):
        self.say(200)

    def get_until_close(self, number):
        self.close_connection = True
        self.say(200, PICTURE, Content_Length=None)

    def get_busy(self, number):
        time.sleep(0.05)
        self.say(200, PICTURE)

    def get_status(self, number):
        self.say(int(self.path.split("/")[2]))

    def get_500_once(self, number):
        self.say(500 if number == 1 else 200, PICTURE)

    def get_wait(self, number):
        after = self.path.split("/")[2]
        if after == "date":
            then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
            after = format_datetime(then, usegmt=True)
        self.say(429 if number == 1 else 200, PICTURE, Retry_After=after)

    def get_huge(self, number):
        self.close_connection = True
        self.say(200, Content_Length=10 * 2**30)
        self.drip(itertools.repeat(0), 0.01)

    def get_endless(self, number):
        self.close_connection = True
        self.say(200, Content_Length=None, Transfer_Encoding="chunked")
        while not self.server.stopping.is_set():
            self.server.sent += 2**16
            self.wfile.write(b"10000\r\n" + bytes(2**16) + b"\r\n")

    def get_bomb(self, number):
        self.say(200, BOMB, Content_Encoding="gzip")

    def get_packed(self, number):
        coding = self.path.split("/")[2]
        body = {"gzip": gzip.compress, "deflate": zlib.compress}.get(coding, bytes)(PICTURE)
        self.say(200, body, Content_Encoding=coding)

    def get_cut_gzip(self, number):
        self.say(200, gzip.compress(PICTURE)[:-9], Content_Encoding="gzip")

    def get_no_gzip(self, number):
        self.say(200, PICTURE, Content_Encoding="gzip")

    def get_short(self, number):
        self.close_connection = True
        self.say(200, PICTURE, Content_Length=len(PICTURE) + 1)

    def get_short_once(self, number):
        self.close_connection = True
        self.say(200, PICTURE, Content_Length=len(PICTURE) + (number == 1))

    def get_drip(self, number):
        self.close_connection = True
        self.say(200, Content_Length=10_000)
        self.drip(itertools.repeat(0), 0.1)

    def get_drip_headers(self, number):
        self.drip(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000, 0.1)

    def get_continue(self, number):
        self.close_connection = True
        while not self.server.stopping.wait(0.01):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def get_long_headers(self, number):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.stopping.is_set():
            self.wfile.write(b"X: " + b"a" * 10_000 + b"\r\n")

    def get_silent(self, number):
        self.close_connection = True
        self.server.stopping.wait(10)

    def get_garbage(self, number):
        self.close_connection = True
        self.wfile.write(b"\x00\xff SSH-2.0 hello\r\n\r\n" * 5)

    def get_long_length(self, number):
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc")

    def get_gone(self, number):
        self.close_connection = True

    def get_redirect(self, number):
        self.say(302, Location=self.path.partition("?to=")[2])

    def get_loop(self, number):
        self.say(302, Location="/loop")

    def get_lost(self, number):
        self.say(302)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, address):
        super().__init__(address, Handler)
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.seen, self.sent, self.open_now, self.open_most = [], 0, 0, 0
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        pass

    def paths(self, path):
        return [seen for seen in self.seen if seen[0] == path]

    def stop(self):
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


@pytest.fixture
def server():
    server = Server((PUBLIC, 0))
    yield server
    server.stop()


def resolver(host, port):
    try:
        return HOSTS.get(host) or http_guard.resolve(host, port)
    except OSError:
        raise OSError(-2, "Name or service not known") from None


@pytest.fixture(autouse=True)
def one_public_address(monkeypatch):
    real = http_guard.is_public
    monkeypatch.setattr(http_guard, "is_public", lambda a: a == PUBLIC or real(a))


@pytest.fixture
def fetch(server):
    with Fetcher(QUICK, resolve=resolver) as fetcher:
        yield lambda path, limits=LIMITS, host="here.test": fetcher.fetch(
            url_row(
                path if path.startswith("http") else f"http://{host}:{server.server_port}{path}"
            ),
            limits,
        )


def test_all_bytes_over_one_connection(fetch, server):
    for _ in range(5):
        assert fetch("/good") == PICTURE
    assert fetch("/nothing") == b""
    assert fetch("/until_close") == PICTURE
    assert len({client for _, _, client in server.seen}) == 1
    (_, headers, _), *_ = server.seen
    assert headers["Host"] == f"here.test:{server.server_port}"
    assert headers["User-Agent"].startswith("pixelmine/")
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("path", "expected", "asked"),
    [
        ("/status/404", Reason.NOT_FOUND, 1),
        ("/status/410", Reason.NOT_FOUND, 1),
        ("/status/401", Reason.DENIED, 1),
        ("/status/403", Reason.DENIED, 1),
        ("/status/418", Reason.SERVER_ERROR, 1),
        ("/status/304", Reason.SERVER_ERROR, 1),
        ("/status/500", Reason.SERVER_ERROR, 3),
        ("/status/429", Reason.SERVER_ERROR, 3),
        ("/500_once", PICTURE, 2),
        ("/wait/1", PICTURE, 2),
        ("/wait/date", PICTURE, 2),
        ("/wait/2", Reason.SERVER_ERROR, 1),
        ("/wait/1000000000000", Reason.SERVER_ERROR, 1),
        ("/wait/soon", PICTURE, 2),
        ("/wait/-1", PICTURE, 2),
        ("/huge", Reason.TOO_LARGE_FILE, 1),
        ("/endless", Reason.TOO_LARGE_FILE, 1),
        ("/bomb", Reason.TOO_LARGE_FILE, 1),
        ("/packed/gzip", PICTURE, 1),
        ("/packed/deflate", PICTURE, 1),
        ("/packed/br", Reason.SERVER_ERROR, 1),
        ("/cut_gzip", Reason.TRUNCATED, 1),
        ("/no_gzip", Reason.CORRUPT, 1),
        ("/short", Reason.TRUNCATED, 3),
        ("/short_once", PICTURE, 2),
        ("/drip", Reason.SOURCE_TIMEOUT, 1),
        ("/drip_headers", Reason.SOURCE_TIMEOUT, 1),
        ("/continue", Reason.SOURCE_TIMEOUT, 1),
        ("/silent", Reason.SOURCE_TIMEOUT, 1),
        ("/long_headers", Reason.SERVER_ERROR, 3),
        ("/long_length", Reason.SERVER_ERROR, 3),
        ("/garbage", Reason.SERVER_ERROR, 3),
        ("/gone", Reason.SERVER_ERROR, 3),
        ("/loop", Reason.SERVER_ERROR, 6),
        ("/lost", Reason.SERVER_ERROR, 1),
    ],
)
def test_what_a_server_does_and_what_comes_of_it(fetch, server, path, expected, asked):
    start = time.monotonic()
    assert fetch(path) == expected
    assert len(server.paths(path)) == asked
    assert time.monotonic() - start < 1.9
    assert fetch("/good") == PICTURE


def test_pauses_are_those_that_the_server_asks_for(fetch):
    start = time.monotonic()
    assert fetch("/wait/1") == PICTURE
    assert 1 <= time.monotonic() - start < 1.5


def test_the_limit_is_the_largest_size_that_is_taken(fetch):
    for path in ("/good", "/until_close", "/packed/gzip"):
        assert fetch(path, Limits(max_bytes=len(PICTURE))) == PICTURE
        assert fetch(path, Limits(max_bytes=len(PICTURE) - 1)) is Reason.TOO_LARGE_FILE


def test_endless_bodies_and_bombs_cost_no_more_than_the_limit(fetch, server):
    tracemalloc.start()
    assert fetch("/endless", Limits(max_bytes=2_000_000)) is Reason.TOO_LARGE_FILE
    assert fetch("/huge") is Reason.TOO_LARGE_FILE
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()
    assert server.sent < 2_000_000 + 20 * 2**20  # what the sockets' buffers hold
    tracemalloc.start()
    assert fetch("/bomb", Limits(max_bytes=1_000_000)) is Reason.TOO_LARGE_FILE
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.fixture
def secret():
    """A service that only this machine should reach."""
    server = Server(("127.0.0.1", 0))
    yield server
    assert server.seen == []
    server.stop()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "localhost",
        "loopback.test",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
    ],
)
def test_private_addresses_are_reached_neither_directly_nor_by_a_redirect(
    fetch, server, secret, host
):
    url = f"http://{host}:{secret.server_port}/good"
    assert fetch(url) is Reason.PRIVATE_ADDRESS
    assert fetch(f"/redirect?to={url}") is Reason.PRIVATE_ADDRESS
    assert fetch(f"/redirect?to=//{host}:{secret.server_port}/good") is Reason.PRIVATE_ADDRESS


def test_private_addresses_are_asked_where_the_user_allows_it():
    private = Server(("127.0.0.1", 0))
    row = url_row(f"http://127.0.0.1:{private.server_port}/good")
    assert fetch_row(row, LIMITS) is Reason.PRIVATE_ADDRESS
    assert fetch_row(row, LIMITS, allow_private=True) == PICTURE
    private.stop()


def test_proxies_of_the_environment_are_not_asked(server, secret, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{secret.server_port}")
    with Fetcher(QUICK, resolve=resolver) as fetcher:
        row = url_row(f"http://here.test:{server.server_port}/good")
        assert fetcher.fetch(row, LIMITS) == PICTURE


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "ftp://here.test/a", "gopher://x:1/_"])
def test_redirects_keep_to_http(fetch, scheme):
    assert fetch(f"/redirect?to={scheme}") is Reason.DENIED


@pytest.mark.parametrize(
    "location", ["http://[::1", "http://", "http://here.test:0/", "http://x:y/"]
)
def test_redirects_to_nowhere(fetch, location):
    assert fetch(f"/redirect?to={location}") is Reason.SERVER_ERROR


def test_redirects_are_followed(fetch, server):
    assert fetch("/redirect?to=/good") == PICTURE
    assert fetch(f"/redirect?to=http://slow.test:{server.server_port}/good") == PICTURE
    assert server.seen[-1][1]["Host"].startswith("slow.test:")
    assert fetch("/redirect?to=good?a=%C3%A9") == PICTURE
    assert fetch("/redirect?to=/good?ä b") == PICTURE


def test_a_password_goes_to_its_own_host_only(fetch, server):
    port = server.server_port
    own = f"http://user:p%40ss@here.test:{port}"
    assert fetch(f"{own}/good") == PICTURE
    assert server.seen[-1][1]["Authorization"] == "Basic dXNlcjpwQHNz"
    assert fetch(f"{own}/redirect?to=/good") == PICTURE
    assert server.seen[-1][1]["Authorization"] == "Basic dXNlcjpwQHNz"
    for to in (f"http://slow.test:{port}/good", f"http://a:b@slow.test:{port}/good"):
        assert fetch(f"{own}/redirect?to={to}") == PICTURE
        assert "Authorization" not in server.seen[-1][1]
    assert fetch(f"/redirect?to=http://a:b@here.test:{port}/good") == PICTURE
    assert "Authorization" not in server.seen[-1][1]


def test_cookies_are_not_kept(fetch, server):
    Handler.get_cookie = lambda self, number: self.say(200, b"x", Set_Cookie="a=b; Path=/")
    fetch("/cookie")
    fetch("/cookie")
    assert all("Cookie" not in headers for _, headers, _ in server.seen)


def test_no_connection(fetch):
    with socket.socket() as closed:
        closed.bind((PUBLIC, 0))
        assert fetch(f"http://here.test:{closed.getsockname()[1]}/") is Reason.UNREACHABLE
    assert fetch("http://nowhere.invalid/") is Reason.UNREACHABLE
    assert fetch("http://a..b/") is Reason.UNREACHABLE


def test_bad_hosts_do_not_hold_up_the_good_ones(server):
    bad = ["/drip", "/silent", "/drip_headers", "/continue"]
    done = {}
    start = time.monotonic()

    def ask(url):
        answer = fetcher.fetch(url_row(url), LIMITS)
        done[url] = (answer, time.monotonic() - start)

    urls = [f"http://slow.test:{server.server_port}{path}?{n}" for n, path in enumerate(bad)]
    urls += [f"http://here.test:{server.server_port}/good?{n}" for n in range(40)]
    options = HttpOptions(read_timeout_s=2, total_timeout_s=2)
    with Fetcher(options, resolve=resolver) as fetcher, ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, urls))
    good = [done[url] for url in urls[4:]]
    assert all(answer == PICTURE for answer, _ in good)
    assert {done[url][0] for url in urls[:4]} == {Reason.SOURCE_TIMEOUT}
    assert max(after for _, after in good) < 1.5 < min(done[url][1] for url in urls[:4])
    assert max(after for _, after in done.values()) < 3


@pytest.mark.parametrize("most", [1, 4])
def test_a_host_is_asked_over_so_many_connections_at_a_time(server, most):
    options = HttpOptions(connections_per_host=most, connections=6)
    row = url_row(f"http://here.test:{server.server_port}/busy")
    with Fetcher(options, resolve=resolver) as fetcher, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: fetcher.fetch(row, LIMITS), range(16)))
    assert answers == [PICTURE] * 16
    assert server.open_most == most
    assert len({client for _, _, client in server.seen}) == most


def test_connections_are_limited_over_all_hosts(server):
    port, options = server.server_port, HttpOptions(connections=3)
    rows = [url_row(f"http://h{n}.test:{port}/busy") for n in range(12)]
    with Fetcher(options, resolve=lambda *_: [PUBLIC]) as fetcher, ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda row: fetcher.fetch(row, LIMITS), rows)) == [PICTURE] * 12
    assert server.open_most == 3


def test_waiting_for_a_turn_is_not_the_picture_s_fault(server):
    options = HttpOptions(connections_per_host=1, total_timeout_s=0.3)
    row = url_row(f"http://here.test:{server.server_port}/busy")
    with Fetcher(options, resolve=resolver) as fetcher, ThreadPoolExecutor(12) as pool:
        assert [*pool.map(lambda _: fetcher.fetch(row, LIMITS), range(12))] == [PICTURE] * 12


def test_a_dead_host_is_soon_left_alone():
    asked = []

    def nowhere(host, port):
        asked.append(host)
        raise OSError("no such name")

    options = HttpOptions(backoff_s=0.05, host_failing_s=0.1, host_pause_s=30)
    rows = [url_row(f"http://dead.test/{n}") for n in range(1000)]
    start = time.monotonic()
    with Fetcher(options, resolve=nowhere) as fetcher, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: fetcher.fetch(row, LIMITS), rows))
    assert set(answers) == {Reason.UNREACHABLE}
    assert len(asked) < 30
    assert time.monotonic() - start < 2


def test_closing_ends_pauses(server):
    options = HttpOptions(backoff_s=20)
    fetcher = Fetcher(options, resolve=resolver)
    row = url_row(f"http://here.test:{server.server_port}/status/500")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(fetcher.fetch, row, LIMITS)
        while not server.seen:
            time.sleep(0.01)
        fetcher.close()
        assert waiting.result(timeout=2) is Reason.SERVER_ERROR
