import json
import resource
import shutil
import subprocess

import pyarrow as pa
import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError
from pixelmine.core.schema import RESULTS
from pixelmine.output import FORMATS, FileSink


def cleared(batch):
    return clear(batch, PassPolicy())


def ids(batch):
    return batch["row_id"].to_pylist()


def keys(sink):
    return {tuple(row.values()) for rows in sink.start() for row in rows.to_pylist()}


def lines(path):
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture
def sink(tmp_path):
    return FileSink(tmp_path / "r.jsonl", tmp_path / "r.jsonl.run")


def test_the_file_appears_at_the_end_sorted(sink, batch):
    assert keys(sink) == set()
    sink.write(cleared(batch([5, 3])))
    sink.write(cleared(batch([1, 4])))
    assert not sink.path.exists()
    delivered = sink.finish(ids(batch(range(9))))
    assert (delivered.items, delivered.reasons) == (4, {None: 3, "truncated": 1})
    assert [row["row_id"] for row in lines(sink.path)] == sorted(ids(batch([1, 3, 4, 5])))
    assert sorted(path.name for path in sink.path.parent.iterdir()) == ["r.jsonl", "r.jsonl.run"]


def test_only_what_is_listed_is_delivered(sink, batch):
    sink.write(cleared(batch([1, 2, 4])))
    assert sink.finish(iter(ids(batch([2, 4])))).items == 2
    assert [row["row_id"] for row in lines(sink.path)] == sorted(ids(batch([2, 4])))


def test_a_later_process_knows_what_is_done(sink, batch, tmp_path):
    sink.write(cleared(batch([1, 3])))
    sink.finish(ids(batch([1, 3])))
    again = FileSink(sink.path, tmp_path / "r.jsonl.run")
    one, three = ids(batch([1, 3]))
    assert keys(again) == {(one, 1, 2**60), (three, None, None)}
    again.write(cleared(batch([1], size=2)))
    assert again.finish([one, three]).reasons == {None: 1, "truncated": 1}
    assert len(lines(sink.path)) == 2


def test_restart_forgets(sink, batch):
    sink.write(cleared(batch([1])))
    sink.finish(ids(batch([1])))
    sink.restart()
    assert keys(sink) == set()
    assert len(lines(sink.path)) == 1  # what was delivered stays until there is better
    sink.write(cleared(batch([2])))
    sink.finish(ids(batch([1, 2])))
    assert [row["row_id"] for row in lines(sink.path)] == ids(batch([2]))


@pytest.mark.parametrize("wrap", [lambda rows: rows, pa.table, lambda rows: rows.to_pylist()])
def test_what_the_gate_did_not_clear_is_refused(sink, batch, wrap):
    with pytest.raises(TypeError, match=r"core\.clear"):
        sink.write(wrap(batch([1])))
    assert sink.finish(ids(batch([1]))).items == 0


def test_more_columns_than_results_do_not_leave(sink, batch):
    rows = batch([1]).append_column("embedding", pa.array([[0.5]]))
    sink.write(cleared(rows))
    sink.finish(ids(rows))
    assert list(lines(sink.path)[0]) == RESULTS.names


def test_a_folder_is_no_file(sink, batch):
    sink.path.mkdir()
    for begin in (sink.start, sink.restart):
        with pytest.raises(OutputError, match="is a folder"):
            begin()


@pytest.mark.parametrize("name", ["a b", "50%20", "#1", "what?", "[a]", "{a,b}", "é", "new\nline"])
@pytest.mark.parametrize("ending", FORMATS)
def test_any_folder_and_format(tmp_path, batch, name, ending):
    sink = FileSink(tmp_path / name / f"r{ending}", tmp_path / name / "state")
    sink.write(cleared(batch(range(4))))
    sink.finish(ids(batch(range(4))))
    assert keys(FileSink(sink.path, tmp_path / name / "state"))
    assert sink.path.stat().st_size > 0


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    if not mount or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_full_disk_keeps_the_old_file(small_disk, tmp_path, batch, ending):
    path = small_disk / f"r{ending}"
    path.write_text("old")
    sink = FileSink(path, tmp_path / "state")
    sink.write(cleared(batch(range(50))))
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    with pytest.raises(OutputError, match=r"No space left on device.*same command again"):
        sink.finish(ids(batch(range(50))))
    assert path.read_text() == "old"
    assert sorted(file.name for file in small_disk.iterdir()) == ["filler", path.name]
    filler.unlink()
    again = FileSink(path, tmp_path / "state")
    assert len(keys(again)) == 50
    assert again.finish(ids(batch(range(50)))).items == 50
    assert path.stat().st_size > 1000


def test_a_full_disk_under_the_parts_keeps_them(small_disk, batch):
    sink = FileSink(small_disk / "r.jsonl", small_disk / "state")
    sink.write(cleared(batch(range(10))))
    sink._parts.commit()
    with (small_disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    sink.write(cleared(batch(range(10, 20))))
    with pytest.raises(OutputError, match=r"No space left on device.*is kept"):
        sink.finish(ids(batch(range(20))))
    (small_disk / "filler").unlink()
    assert len(keys(FileSink(sink.path, small_disk / "state"))) == 10


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_that_may_not_grow_keeps_the_old_one(tmp_path, batch, ending):
    path = tmp_path / f"r{ending}"
    path.write_text("old")
    sink, count = FileSink(path, tmp_path / "state"), 400
    sink.write(cleared(batch(range(count))))
    sink._parts.commit()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"File too large"):
            sink.finish(ids(batch(range(count))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, "state"]
    assert sink.finish(ids(batch(range(count)))).items == count


def test_what_a_kill_left_is_removed_and_nothing_else(sink):
    others = [".r.jsonl.short.tmp", ".other.jsonl.abcd_123.tmp", "r.jsonl.abcd_123.tmp"]
    for name in (".r.jsonl.abcd_123.tmp", *others):
        (sink.path.parent / name).write_text("half")
    keys(sink)
    assert sorted(path.name for path in sink.path.parent.iterdir()) == sorted(others)
