import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError
from pixelmine.output import FORMATS, PartsFolderSink
from pixelmine.output import parts as parts_module
from tests.output.conftest import good, name_of
from tests.output.receivers import batch_of, one_file


def write(sink, *numbers, **more):
    sink.write(clear(batch_of([good(number, **more) for number in numbers]), PassPolicy()))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def make(tmp_path):
    return lambda name="r.jsonl": PartsFolderSink(tmp_path / name, tmp_path / "state")


@pytest.mark.parametrize("name", [*(f"r{ending}" for ending in FORMATS), "r"])
def test_each_flush_is_a_file_of_the_format(make, name):
    sink = make(name)
    sink.start()
    for number in (1, 2):
        write(sink, number)
        sink.flush()
        sink.flush()
    ending = sink.path.suffix or ".parquet"
    assert names(sink.path) == [f"000001{ending}", f"000002{ending}"]
    found = [one_file(path)[0]["row_id"] for path in sorted(sink.path.iterdir())]
    assert found == [name_of(1), name_of(2)]


def test_a_file_appears_when_enough_rows_have_come(make, monkeypatch):
    monkeypatch.setattr(parts_module, "ROWS", 3)
    sink = make()
    sink.start()
    write(sink, 1, 2)
    assert not sink.path.exists()
    write(sink, 3)
    assert names(sink.path) == ["000001.jsonl"]


def test_files_may_be_taken_away(make):
    sink = make()
    sink.start()
    write(sink, 1)
    sink.flush()
    (sink.path / "000001.jsonl").unlink()
    sink = make()
    assert sum(rows.num_rows for rows in sink.start()) == 1
    write(sink, 1, 2)
    sink.flush()
    assert names(sink.path) == ["000002.jsonl"]


def test_what_has_changed_is_in_a_later_file(make):
    sink = make()
    sink.start()
    for size in (1, 1, 2, 1):
        write(sink, 1, size=size, model=f"{size}")
        sink.flush()
    found = [one_file(path)[0]["model"] for path in sorted(sink.path.iterdir())]
    assert found == ["1", "2", "1"]


def test_files_of_another_run_are_not_written_over(make):
    sink = make()
    sink.path.mkdir()
    (sink.path / "000001.jsonl").write_text("old")
    (sink.path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="did not write"):
        sink.start()
    sink.restart()
    write(sink, 1)
    sink.flush()
    assert names(sink.path) == ["000001.jsonl", "notes.txt"]
    assert one_file(sink.path / "000001.jsonl")[0]["row_id"] == name_of(1)


def test_a_file_is_no_folder(make):
    make().path.write_text("old")
    for begin in (make().start, make().restart):
        with pytest.raises(OutputError, match="is a file"):
            begin()


def test_what_a_kill_left_is_removed_and_nothing_else(make):
    sink = make()
    sink.path.mkdir()
    for name in (".000001.jsonl.abcd_123.tmp", ".hidden", ".a.jsonl.abcd_123.tmp"):
        (sink.path / name).write_text("half")
    sink.start()
    assert names(sink.path) == [".a.jsonl.abcd_123.tmp", ".hidden"]


def test_a_kill_after_a_file_was_noted_does_not_write_it_again(make, tmp_path):
    sink = make()
    sink.start()
    write(sink, 1)
    sink._parts.commit()
    part = (tmp_path / "state" / "parts" / "000001.parquet").read_bytes()
    sink.flush()
    (sink.path / "000001.jsonl").unlink()  # whoever reads has taken it
    (tmp_path / "state" / "parts" / "000001.parquet").write_bytes(part)
    assert sum(rows.num_rows for rows in make().start()) == 1
    assert names(sink.path) == names(tmp_path / "state" / "parts") == []
