import logging
import socket
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import row_id
from pixelmine.core.schema import LISTING
from pixelmine.input import object_store, object_store_open
from pixelmine.input.object_store import ObjectStoreSource, object_row, read_row
from pixelmine.input.source import SourceOptions

KEYS = {
    "a": b"an object that is also a folder",
    "a/b.jpg": b"12345",
    "a/deep/er/c.jpg": b"6",
    "a/empty.jpg": b"",
    "b c%20+é#?&.jpg": b"789",
    "marker/": b"",
    "z.jpg": b"z" * 1000,
}
ODD = ["..", "./dot.jpg", "/lead.jpg", "a//b.jpg", "u/../v.jpg"]
SECRET = "SECRETKEYOFATEST"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_S3",
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_STORAGE_ENDPOINT",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "STORAGE_EMULATOR_HOST",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NAMEOFATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(object_store_open, "_CONNECT_S", 1.0)
    monkeypatch.setattr(object_store_open, "_SILENCE_S", 1.0)
    monkeypatch.setattr(object_store_open, "_ATTEMPTS", 1)
    object_store_open._open.cache_clear()
    yield
    object_store_open._open.cache_clear()


@pytest.fixture(scope="module")
def store():
    """An S3 of moto's on loopback; its address."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(store, monkeypatch):
    """A bucket with KEYS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    name = f"pixelmine-{uuid.uuid4()}"
    client(store).create_bucket(Bucket=name)
    for key, data in KEYS.items():
        client(store).put_object(Bucket=name, Key=key, Body=data)
    return name


def client(store):
    import boto3

    return boto3.client("s3", endpoint_url=store, region_name="us-east-1")


def rows(text):
    batches = list(ObjectStoreSource(text, SourceOptions()).list())
    assert all(batch.schema == LISTING for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def test_there_and_back(bucket):
    found = rows(f"s3://{bucket}")
    assert [row["uri"].removeprefix(f"s3://{bucket}/") for row in found] == [
        "a",
        "a/b.jpg",
        "a/deep/er/c.jpg",
        "a/empty.jpg",
        "b%20c%2520%2B%C3%A9%23%3F%26.jpg",
        "z.jpg",
    ]
    assert [read_row(row, Limits()) for row in found] == [
        v for k, v in KEYS.items() if k[-1] != "/"
    ]
    assert [row["size"] for row in found] == [len(read_row(row, Limits())) for row in found]
    for row in found:
        assert row["row_id"] == row_id(row["uri"])
        assert row["mtime_ns"] > 0
        assert row["reason"] is None
    assert found == rows(f"s3://{bucket}/")


def test_a_prefix_is_an_object_or_a_folder(bucket):
    assert [row["uri"] for row in rows(f"s3://{bucket}/a/deep/")] == [
        f"s3://{bucket}/a/deep/er/c.jpg"
    ]
    assert [row["uri"] for row in rows(f"s3://{bucket}/z.jpg")] == [f"s3://{bucket}/z.jpg"]
    assert len(rows(f"s3://{bucket}/a")) == 4
    assert rows(f"s3://{bucket}/marker") == []
    (row,) = rows(f"s3://{bucket}/b c%20+é#?&.jpg")
    assert row["row_id"] == object_row(f"s3://{bucket}/b c%20+é#?&.jpg")["row_id"]


def test_names_that_pyarrow_would_take_for_others_are_rows_that_are_not_read(bucket, store):
    for key in ODD:
        client(store).put_object(Bucket=bucket, Key=key, Body=b"odd")
    found = [row for row in rows(f"s3://{bucket}") if row["reason"]]
    assert [row["uri"].removeprefix(f"s3://{bucket}") for row in found] == [
        "/.",
        "/..",
        "//",
        "/a//",
        "/u/..",
    ]
    assert {row["reason"] for row in found} == {"unreadable"}
    assert len(rows(f"s3://{bucket}")) == 6 + len(found)
    for key in ODD:
        assert read_row(object_row(f"s3://{bucket}/{key}"), Limits()) is Reason.UNREADABLE


def test_the_limit_is_the_largest_size_that_is_read(bucket):
    row = object_row(f"s3://{bucket}/z.jpg")
    assert read_row(row, Limits(max_bytes=1000)) == b"z" * 1000
    assert read_row(row, Limits(max_bytes=999)) is Reason.TOO_LARGE_FILE


def test_what_is_not_there(bucket):
    assert read_row(object_row(f"s3://{bucket}/nothing"), Limits()) is Reason.NOT_FOUND
    assert read_row(object_row(f"s3://{bucket}-not/a"), Limits()) is Reason.NOT_FOUND
    assert read_row(object_row(f"s3://{bucket}/marker/"), Limits()) is Reason.UNREADABLE
    for text in (f"s3://{bucket}/nothing", f"s3://{bucket}-not", f"s3://{bucket}-not/a"):
        with pytest.raises(SourceError, match="no such file"):
            rows(text)


def test_many_threads_share_one_connection_pool(bucket, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    wanted = [row for row in rows(f"s3://{bucket}") for _ in range(10)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: read_row(row, Limits()), wanted))
    assert answers == [read_row(row, Limits()) for row in wanted]
    assert object_store_open._open.cache_info().currsize == 1


@pytest.fixture
def answer(monkeypatch):
    """A store that gives everything one answer: a status and a code."""
    servers = []

    def start(status, code):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/xml")
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 -- http.server's name

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "AccessDenied", Reason.DENIED),
        (403, "InvalidAccessKeyId", Reason.DENIED),
        (403, "SignatureDoesNotMatch", Reason.DENIED),
        (500, "InternalError", Reason.SERVER_ERROR),
        (503, "SlowDown", Reason.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("key", ["a.jpg", "ACCESS_DENIED NOT_FOUND curlCode: 28.jpg"])
def test_what_a_store_refuses(answer, status, code, reason, key):
    answer(status, code)
    assert read_row(object_row(f"s3://bucket/{key}"), Limits()) is reason
    with pytest.raises(SourceError) as error:
        rows("s3://bucket")
    assert reason.meaning in str(error.value)
    assert SECRET not in str(error.value)
    assert "NAMEOFATEST" not in str(error.value)


def test_a_store_that_is_not_there(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert read_row(object_row("s3://bucket/a"), Limits()) is Reason.UNREACHABLE
        with pytest.raises(SourceError, match="No connection"):
            rows("s3://bucket")


def test_a_store_that_says_nothing(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert read_row(object_row("s3://bucket/a"), Limits()) is Reason.SOURCE_TIMEOUT


def test_a_folder_that_may_not_be_listed_is_a_row_and_a_broken_store_an_error(bucket, monkeypatch):
    real = ObjectStoreSource._entries
    why = Reason.DENIED
    monkeypatch.setattr(
        ObjectStoreSource,
        "_entries",
        lambda self, folder: why if folder == "a/deep" else real(self, folder),
    )
    found = {row["uri"]: row["reason"] for row in rows(f"s3://{bucket}")}
    assert found[f"s3://{bucket}/a/deep"] == "denied"
    assert found[f"s3://{bucket}/z.jpg"] is None
    why = Reason.UNREACHABLE
    with pytest.raises(SourceError, match="No connection"):
        rows(f"s3://{bucket}")


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3:///secret",
        "s3://user:secret@bucket/a",
        "http://bucket/secret",
        "s3://bucket?secret/a",
        "s3://../secret",
    ],
)
def test_what_names_no_store(text):
    with pytest.raises(SourceError, match=r"s3://BUCKET/PREFIX") as error:
        ObjectStoreSource(text, SourceOptions())
    assert "secret" not in str(error.value)
    assert read_row({"uri": text}, Limits()) is Reason.UNREADABLE


def test_a_bucket_is_no_object():
    with pytest.raises(SourceError, match="names no object"):
        object_row("s3://bucket/")
    assert read_row({"uri": "s3://bucket"}, Limits()) is Reason.UNREADABLE
    assert read_row({"uri": "s3://bucket/%ff"}, Limits()) is Reason.UNREADABLE


def test_without_credentials_a_store_is_asked_without_a_name(monkeypatch, tmp_path):
    assert object_store_open._has_aws_credentials({"AWS_ACCESS_KEY_ID": "a"})
    assert object_store_open._has_aws_credentials({"AWS_EC2_METADATA_DISABLED": "false"})
    assert not object_store_open._has_aws_credentials({"AWS_REGION": "a"})
    file = tmp_path / ".aws" / "credentials"
    file.parent.mkdir()
    file.touch()
    assert object_store_open._has_aws_credentials({})


@pytest.mark.parametrize(
    ("url", "scheme", "host"),
    [
        ("http://127.0.0.1:9000", "http", "127.0.0.1:9000"),
        ("https://S3.example.com/", "https", "s3.example.com"),
        ("localhost:4443", "http", "localhost:4443"),
        ("http://[::1]:9000", "http", "[::1]:9000"),
    ],
)
def test_endpoints(url, scheme, host):
    assert object_store_open._endpoint(url) == {"scheme": scheme, "endpoint_override": host}
    assert object_store_open._endpoint(None) == {}


def test_an_environment_that_does_not_fit_is_said(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "ftp://user:secret@host")
    with pytest.raises(SourceError, match="AWS_ENDPOINT_URL") as error:
        rows("s3://bucket")
    assert "secret" not in str(error.value)
    with pytest.raises(SourceError, match="AZURE_STORAGE_ACCOUNT"):
        rows("az://container")
    assert read_row(object_row("az://container/a"), Limits()) is Reason.UNREACHABLE


def test_all_three_kinds_can_be_opened(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "account")
    monkeypatch.setenv("AZURE_STORAGE_KEY", "a2V5")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    for scheme, kind in (("s3", "s3"), ("gs", "gcs"), ("az", "abfs")):
        assert object_store.open_store(scheme, "bucket").type_name == kind
