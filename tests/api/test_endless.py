"""Work that does not end: a watched folder and a stream, committed and then acknowledged."""

import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from importlib.resources import files
from pathlib import Path

import pytest

from pixelmine.api.collection import show, verify
from pixelmine.api.endless import ingest_endless, predict_endless
from pixelmine.core.errors import OutputError, UsageError

CHINA = Path(str(files("sklearn.datasets") / "images/china.jpg"))
FLOWER = CHINA.with_name("flower.jpg")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with a picture that lies there for long, and a file that is none."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    shutil.copy(CHINA, folder / "old.jpg")
    (folder / "letter.jpg").write_text("Dear Sir or Madam")
    return folder


@pytest.fixture
def stream() -> "object":
    """A Redis stream of its own, with two pictures and one message that is none."""
    redis = pytest.importorskip("redis")
    client = redis.Redis()
    try:
        client.ping()
    except redis.exceptions.RedisError:
        client.close()
        pytest.skip("no Redis on 127.0.0.1:6379")
    name = f"test-{uuid.uuid4().hex}"
    for data in (CHINA.read_bytes(), FLOWER.read_bytes(), b"nothing"):
        client.xadd(name, {"data": data})
    yield client, name
    client.delete(name)
    client.close()


def parts(folder: Path) -> list[dict[str, object]]:
    lines = [
        line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()
    ]
    return [json.loads(line) for line in lines]


def test_a_watched_folder_fills_a_collection_once(inbox: Path, tmp_path: Path) -> None:
    found = ingest_endless([inbox], tmp_path / "c", idle_s=4)
    assert (found.counts.rows, found.counts.ok) == (2, 1)
    shutil.copy(FLOWER, inbox / "new.jpg")
    assert ingest_endless([inbox], tmp_path / "c", idle_s=4).counts.rows == 1
    assert show(tmp_path / "c").pictures == 3
    assert verify(tmp_path / "c", files=True) == []


def test_sigterm_ends_a_watch_with_all_committed(inbox: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    command = [sys.executable, "-m", "pixelmine", "predict", inbox, "--watch", "--out", out]
    child = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not parts(out) and time.monotonic() < until:
        time.sleep(0.1)
    shutil.copy(FLOWER, inbox / "new.jpg")
    while len(parts(out)) < 3 and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert json.loads(said)["rows"] == 3
    names = sorted(str(row["uri"]).rpartition("/")[2] for row in parts(out))
    assert names == ["letter.jpg", "new.jpg", "old.jpg"]


def test_a_stream_is_acknowledged_once_it_is_committed(
    stream: tuple[object, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, name = stream
    source = f"redis://127.0.0.1/{name}"

    def broken(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("pixelmine.api.endless.commit_inspected", broken)
    with pytest.raises(OutputError, match="the disk is full"):
        ingest_endless([source], tmp_path / "c", idle_s=2)
    monkeypatch.undo()
    assert show(tmp_path / "c").pictures == 0
    found = ingest_endless([source], tmp_path / "c", idle_s=2)
    assert (found.counts.rows, found.counts.ok) == (3, 2)
    assert client.xinfo_groups(name)[0]["pending"] == 0  # type: ignore[attr-defined]  # a Redis client
    assert show(tmp_path / "c").pictures == 3
    assert verify(tmp_path / "c", files=True) == []  # from the copies: the stream is gone by then


def test_a_stream_is_recognised_into_another(stream: tuple[object, str], tmp_path: Path) -> None:
    client, name = stream
    out = f"{name}-out"
    found = predict_endless(
        f"redis://127.0.0.1/{name}", out=f"redis://127.0.0.1/{out}", state=tmp_path / "s", idle_s=2
    )
    assert (found.counts.rows, found.counts.ok) == (3, 2)
    assert client.xlen(out) == 3  # type: ignore[attr-defined]  # a Redis client
    client.delete(out)  # type: ignore[attr-defined]  # a Redis client


def test_only_one_thing_is_followed(inbox: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="One folder is watched"):
        ingest_endless([inbox, inbox], tmp_path / "c")
    assert not (tmp_path / "c").exists()
