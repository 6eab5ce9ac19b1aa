import os
import socket
import subprocess
from pathlib import Path

import pytest

from pixelmine.core.errors import SourceError
from pixelmine.core.ids import file_uri, row_id, uri_path
from pixelmine.core.schema import LISTING
from pixelmine.input import folder as module
from pixelmine.input import list_folder


def rows(path, describe=None):
    batches = list(list_folder(path, describe))
    assert all(batch.schema == LISTING for batch in batches)
    found = [row for batch in batches for row in batch.to_pylist()]
    assert len({row["row_id"] for row in found}) == len(found)
    return found


def names(path):
    return [str(uri_path(row["uri"]).relative_to(path)) for row in rows(path)]


def reasons(path):
    return {
        str(uri_path(row["uri"]).relative_to(path)): row["reason"]
        for row in rows(path)
        if row["reason"]
    }


def touch(path, *files):
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_bytes(b"x")


def test_every_regular_file_is_a_row(tmp_path):
    touch(tmp_path, "a.jpg", "notes.txt", ".hidden", "no ending")
    (tmp_path / "a.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "a.jpg", ns=(1, 1_700_000_000_123_456_789))
    row = next(row for row in rows(tmp_path) if row["uri"].endswith("a.jpg"))
    assert row == {
        **dict.fromkeys(LISTING.names),
        "uri": file_uri(tmp_path / "a.jpg"),
        "row_id": row_id(file_uri(tmp_path / "a.jpg")),
        "member": "",
        "frame": 0,
        "size": 5,
        "mtime_ns": 1_700_000_000_123_456_789,
    }
    assert len(names(tmp_path)) == 4


def test_sorted_folder_by_folder(tmp_path):
    touch(tmp_path, "b", "a/2", "a/10", "a/x/y/z", "c/1", "B", "a.jpg")
    assert names(tmp_path) == ["B", "a/10", "a/2", "a/x/y/z", "a.jpg", "b", "c/1"]
    assert names(tmp_path) == names(tmp_path)


def test_empty_folders_give_nothing(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert list(list_folder(tmp_path)) == []


def test_one_file_is_its_own_source(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg")
    assert [row["uri"] for row in rows(tmp_path / "a.jpg")] == [file_uri(tmp_path / "a.jpg")]


def test_a_relative_path(tmp_path, monkeypatch):
    touch(tmp_path, "a/b.jpg")
    monkeypatch.chdir(tmp_path)
    assert [row["uri"] for row in rows(Path("a"))] == [file_uri(tmp_path / "a" / "b.jpg")]


def test_many_files_come_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 4)
    touch(tmp_path, *(f"{n:02d}" for n in range(10)))
    assert [batch.num_rows for batch in list_folder(tmp_path)] == [4, 4, 2]
    assert names(tmp_path) == [f"{n:02d}" for n in range(10)]


def test_a_link_to_a_file_keeps_its_own_name(tmp_path):
    touch(tmp_path, "folder/a.jpg")
    (tmp_path / "outside.jpg").write_bytes(b"12345")
    (tmp_path / "folder" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    found = rows(tmp_path / "folder")
    assert [row["uri"].rpartition("/")[2] for row in found] == ["a.jpg", "link.jpg"]
    assert [row["size"] for row in found] == [1, 5]


def test_a_link_to_a_folder_is_followed_unless_it_was_entered_before(tmp_path):
    touch(tmp_path, "a/1", "a/b/2", "c/3")
    (tmp_path / "a" / "b" / "up").symlink_to("../..")
    (tmp_path / "a" / "b" / "here").symlink_to(".")
    (tmp_path / "a" / "side").symlink_to("../c")
    (tmp_path / "c" / "back").symlink_to("../a")
    assert names(tmp_path) == ["a/1", "a/b/2", "a/side/3", "c/3"]


def test_links_to_folders_do_not_multiply_each_other(tmp_path):
    touch(tmp_path, "0/x")
    for level in range(1, 15):  # each level leads to the one below twice: 16,384 ways to x
        (tmp_path / str(level)).mkdir()
        for side in "ab":
            (tmp_path / str(level) / side).symlink_to(f"../{level - 1}")
    assert names(tmp_path) == ["0/x"]


def test_a_folder_is_listed_where_it_lies_and_where_a_link_came_first(tmp_path):
    touch(tmp_path, "b/1")
    for name in "ac":
        (tmp_path / name).symlink_to("b")
    assert names(tmp_path) == ["a/1", "b/1"]


def test_the_source_itself_may_be_a_link(tmp_path):
    touch(tmp_path, "real/a")
    (tmp_path / "link").symlink_to("real")
    assert [row["uri"] for row in rows(tmp_path / "link")] == [file_uri(tmp_path / "link" / "a")]


def test_a_broken_link_is_a_row_with_a_reason(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    assert names(tmp_path) == ["a.jpg", "broken.jpg", "itself.jpg"]
    assert reasons(tmp_path) == {"broken.jpg": "not_found", "itself.jpg": "unreadable"}
    broken = rows(tmp_path)[1]
    assert (broken["size"], broken["mtime_ns"]) == (None, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "no"), "denied"),
        (FileNotFoundError(2, "gone"), "not_found"),
        (OSError(5, "Input/output error"), "unreadable"),
    ],
)
def test_a_folder_that_cannot_be_listed_is_a_row_with_a_reason(
    tmp_path, monkeypatch, error, reason
):
    touch(tmp_path, "a/1", "b/2", "c/3")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("/b"):
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may list anything
    assert names(tmp_path) == ["a/1", "b", "c/3"]
    assert reasons(tmp_path) == {"b": reason}


def test_pipes_sockets_and_devices_are_left_out_and_not_opened(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "null.jpg").symlink_to(os.devnull)
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        listening.bind("socket.jpg")
        monkeypatch.setattr(os, "open", lambda *a: pytest.fail("listing opens nothing"))
        assert names(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    "name", [b"new\nline.jpg", b"caf\xe9.jpg", b"100%.jpg", b"%41.jpg", b"a#b?c=d.jpg", b"-", b"\\"]
)
def test_any_name_is_found_again(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"123")
    (row,) = rows(tmp_path)
    assert os.fsencode(uri_path(row["uri"])) == os.fsencode(path)
    assert uri_path(row["uri"]).read_bytes() == b"123"


@pytest.fixture
def deep(tmp_path):
    """A file below 1,100 folders, which pytest itself could not remove."""
    home = os.open(tmp_path, os.O_RDONLY)
    here = home
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        here, before = os.open("d", os.O_RDONLY, dir_fd=here), here
        if before != home:
            os.close(before)
    os.close(os.open("a.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    os.close(home)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_folders_may_lie_deeper_than_calls_may(deep):
    (found,) = names(deep)
    assert found == "d/" * 1100 + "a.jpg"


def test_what_is_known_of_a_file_is_put_in_its_row(tmp_path):
    touch(tmp_path, "a", "b")
    told = {"a": {"label": "cat", "group": "7", "meta": [("size", "XL")]}}
    one, two = rows(tmp_path, lambda path: told.get(path.name, {}))
    assert (one["label"], one["group"], one["meta"]) == ("cat", "7", [("size", "XL")])
    assert (two["label"], two["group"], two["meta"]) == (None, None, None)


def test_what_is_being_written_is_left_out(tmp_path):
    touch(tmp_path, "a", "out.csv", "out.csv.run/run.json", "sub/out.csv", "out.csv.runs")
    left_out = [tmp_path / "out.csv", tmp_path / "out.csv.run", tmp_path / "nothing"]
    found = [
        row["uri"] for rows in list_folder(tmp_path, None, left_out) for row in rows.to_pylist()
    ]
    assert found == [file_uri(tmp_path / name) for name in ("a", "out.csv.runs", "sub/out.csv")]


@pytest.mark.parametrize("name", ["nothing", "file/below", "x" * 300])
def test_a_source_that_is_not_there(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"There is no file or folder|cannot be read"):
        list(list_folder(tmp_path / name))


def test_a_source_that_is_no_file_and_no_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        list(list_folder(tmp_path / "pipe"))


def test_a_source_that_may_not_be_listed(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="permission denied"):
        list(list_folder(tmp_path))
