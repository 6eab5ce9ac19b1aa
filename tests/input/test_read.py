import hashlib
import os
import signal
import socket
import tracemalloc
from pathlib import Path

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import file_uri
from pixelmine.input import read, read_file


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a b%20é.jpg"
    path.write_bytes(b"0123456789")
    return path


@pytest.fixture(autouse=True)
def never_hang():
    """A pipe that is opened without care waits for ever."""

    def too_long(*_):
        pytest.fail("it waits")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def handles():
    return len(list(Path("/proc/self/fd").iterdir()))


def row(path, **more):
    return {"uri": file_uri(path), "content_id": None, "reason": None, **more}


def test_all_bytes(path):
    assert read_file(file_uri(path), Limits()) == b"0123456789"
    assert read(row(path), Limits()) == b"0123456789"
    path.write_bytes(b"")
    assert read(row(path), Limits()) == b""


def test_a_limit_is_the_largest_size_that_is_read(path):
    assert read(row(path), Limits(max_bytes=10)) == b"0123456789"
    assert read(row(path), Limits(max_bytes=9)) is Reason.TOO_LARGE_FILE


def test_a_file_that_grows_while_it_is_read_stays_under_the_limit(path, monkeypatch):
    fstat = os.fstat

    def earlier(handle):
        found = list(fstat(handle))
        found[6] = 3
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", earlier)
    assert read(row(path), Limits(max_bytes=10)) == b"0123456789"
    assert read(row(path), Limits(max_bytes=9)) is Reason.TOO_LARGE_FILE


def test_a_huge_sparse_file_costs_nothing(path):
    os.truncate(path, 2**42)
    tracemalloc.start()
    assert read(row(path), Limits()) is Reason.TOO_LARGE_FILE
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_row_that_came_with_a_reason_is_not_read(path):
    assert read(row(path, reason="denied"), Limits()) is Reason.DENIED


def test_other_bytes_than_were_ingested_are_changed(path):
    known = hashlib.sha256(b"0123456789").hexdigest()
    assert read(row(path, content_id=known), Limits()) == b"0123456789"
    path.write_bytes(b"0123456780")
    assert read(row(path, content_id=known), Limits()) is Reason.CHANGED
    path.unlink()
    assert read(row(path, content_id=known), Limits()) is Reason.NOT_FOUND


def test_what_is_not_there(path, tmp_path):
    assert read_file(file_uri(tmp_path / "nothing"), Limits()) is Reason.NOT_FOUND
    assert read_file(file_uri(path / "below"), Limits()) is Reason.NOT_FOUND


def test_what_may_not_be_read(path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "open", refuse)  # root may read anything
    assert read(row(path), Limits()) is Reason.DENIED


def test_a_pipe_that_took_the_place_of_the_file(path):
    path.unlink()
    os.mkfifo(path)
    assert read(row(path), Limits()) is Reason.UNREADABLE


def test_a_folder_that_took_the_place_of_the_file(path):
    path.unlink()
    path.mkdir()
    before = handles()
    for _ in range(5):
        assert read(row(path), Limits()) is Reason.UNREADABLE
    assert handles() == before


def test_a_socket_or_device_that_took_the_place_of_the_file(path, monkeypatch):
    path.unlink()
    monkeypatch.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
        assert read(row(path), Limits()) is Reason.UNREADABLE
    path.unlink()
    path.symlink_to("/dev/zero")
    assert read(row(path), Limits()) is Reason.UNREADABLE


@pytest.mark.parametrize(
    "uri",
    ["file:///" + "x" * 300, "file:///a%00b", "http://host/a.jpg", "/etc/passwd", ""],
)
def test_what_is_no_path_of_a_file(uri):
    assert read_file(uri, Limits()) is Reason.UNREADABLE


def test_links_that_go_round(path):
    path.unlink()
    path.symlink_to(path.name)
    assert read(row(path), Limits()) is Reason.UNREADABLE


def test_a_disk_that_fails(path, monkeypatch):
    def broken(handle, size):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", broken)
    assert read(row(path), Limits()) is Reason.UNREADABLE


def test_no_handle_is_left_open(path):
    before = handles()
    for limit in (1, 100):
        read(row(path), Limits(max_bytes=limit))
    assert handles() == before


@pytest.mark.parametrize("was", [0, 3, 2**20 + 5])
def test_a_file_that_changes_its_length_while_it_is_read(path, monkeypatch, was):
    path.write_bytes(bytes(1000) + b"x" * 5)
    stat = os.fstat

    def before(handle):
        found = stat(handle)
        return os.stat_result((*found[:6], was, *found[7:10]))

    monkeypatch.setattr(os, "fstat", before)
    assert read(row(path), Limits()) == bytes(1000) + b"x" * 5
    assert read(row(path), Limits(max_bytes=1004)) is Reason.TOO_LARGE_FILE
