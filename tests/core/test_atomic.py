import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys

import pytest

from pixelmine.core.atomic import replace_file, replace_folder, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_after(_, error):
    raise error


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replace_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), replace_file(path) as temporary:
        fail_after(temporary.write_text("half"), error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_new_file_has_the_rights_that_the_user_asked_for(tmp_path):
    mask = os.umask(0o027)
    try:
        with replace_file(tmp_path / "a") as temporary:
            temporary.write_text("x")
        with replace_folder(tmp_path / "b") as temporary:
            pass
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


def test_what_is_renamed_has_reached_the_disk_before(tmp_path, monkeypatch):
    order = []
    fsync, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("flush"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *a, **k: (order.append("rename"), rename(*a, **k)))
    with replace_file(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert order == ["flush", "rename", "flush"]  # the file; its new name


def test_json_is_whole_or_not_there(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"größe": [1, None]})
    assert json.loads(path.read_text("utf-8")) == {"größe": [1, None]}
    with pytest.raises(TypeError):
        write_json(path, {"x": object()})
    assert json.loads(path.read_text("utf-8")) == {"größe": [1, None]}
    assert names(tmp_path) == ["a.json"]


def test_a_folder_replaces_the_one_before_whole(tmp_path):
    path = tmp_path / "out"
    for text in ("old", "new"):
        with replace_folder(path) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / text).write_text(text)
    assert names(path / "sub") == ["new"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path, error):
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(error), replace_folder(path) as temporary:
        fail_after((temporary / "half").write_text("half"), error)
    assert names(path) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.mkdir()
    (path / "old").write_text("old")
    rename = os.rename

    def refuse(source, target, **more):
        if str(source).endswith(".tmp"):
            raise PermissionError("not now")
        rename(source, target, **more)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(PermissionError), replace_folder(path) as temporary:
        (temporary / "new").write_text("new")
    assert names(path) == ["old"]
    assert names(tmp_path) == ["out"]


def test_a_folder_that_another_process_has_just_put_there_is_left_to_it(tmp_path, monkeypatch):
    path = tmp_path / "out"
    rename = os.rename

    def too_late(source, target, **more):
        if str(source).endswith(".tmp"):  # theirs was there, and a third has taken it away again
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        rename(source, target, **more)

    monkeypatch.setattr(os, "rename", too_late)
    with replace_folder(path) as temporary:
        (temporary / "ours").touch()
    assert names(tmp_path) == []


REPLACE = """
import sys
from pathlib import Path
from pixelmine.core import atomic

atomic._flush = lambda path: None  # the disk is slow, and would keep the processes apart
for turn in range(500):
    with atomic.replace_folder(Path(sys.argv[1])) as folder:
        for name in "abc":
            (folder / name).write_text(f"{sys.argv[2]} {turn}")
"""


def test_processes_that_replace_one_folder_at_once_leave_a_whole_one(tmp_path):
    path = tmp_path / "out"
    children = [
        subprocess.Popen([sys.executable, "-c", REPLACE, path, who], stderr=subprocess.PIPE)
        for who in "xyz"
    ]
    errors = [child.communicate(timeout=60)[1].decode() for child in children]
    assert errors == ["", "", ""]
    assert names(path) == ["a", "b", "c"]
    assert len({file.read_text() for file in path.iterdir()}) == 1
    assert names(tmp_path) == ["out"]


KILL = """
import os, signal, sys
from pathlib import Path
from pixelmine.core.atomic import replace_file

with replace_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    child = subprocess.run([sys.executable, "-c", KILL, path], check=False)
    assert child.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_many_files_are_flushed_at_once_before_they_appear(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr("pixelmine.core.atomic._MANY", 3)
    monkeypatch.setattr(os, "sync", lambda: order.append((tmp_path / "a").exists()))
    for count in (2, 9):
        with replace_folder(tmp_path / "a") as folder:
            (folder / "b").mkdir()
            for number in range(count):
                (folder / "b" / str(number)).touch()
        shutil.rmtree(tmp_path / "a")
    assert order == [False]
