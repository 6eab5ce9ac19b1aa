import json
import signal
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pixelmine.core.errors import OutputError, RunError
from pixelmine.engine import DONE_KEY, Keys, Run
from pixelmine.engine import run as run_module

ASKED = {"job": "test", "source": "file:///a", "top": 5}


def names(batches):
    return [name for batch in batches for name in batch["row_id"].to_pylist()]


def keys(batches):
    return Keys(batch.select(DONE_KEY) for batch in batches)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def without_data(batches):
    return pa.Table.from_batches(batches).drop_columns(["data"])


def remaining(run, done):
    with run.remaining(run.shards(), done) as (shards, count):
        found = [row for shard in shards for row in pq.read_table(shard)["row_id"].to_pylist()]
        assert len(found) == count
    assert not (run.folder / "remaining").exists()
    return found


def test_a_run_is_named_by_what_is_asked(tmp_path):
    with Run.open(tmp_path / "a", ASKED) as run, Run.open(tmp_path / "b", ASKED) as same:
        assert run.id == same.id
        with Run.open(tmp_path / "c", {**ASKED, "top": 6}) as other:
            assert other.id != run.id


def test_it_goes_on_with_what_it_settled_on(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.settle(settled={"runtime": "x"})
        assert run.list(lambda: batches(2500)) == 2500
        started = run.state["started"]
    with Run.open(tmp_path, dict(reversed(ASKED.items()))) as again:
        assert again.state["settled"] == {"runtime": "x"}
        assert again.state["started"] == started
        assert again.list(lambda: pytest.fail("a run that is not finished lists once")) == 2500
        assert names(again.rows()) == names(batches(2500))


def test_a_listing_keeps_every_column(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(7))
        assert pa.Table.from_batches(run.rows()) == without_data(batches(7))
        assert pq.read_table(run.shards()[0]) == pa.Table.from_batches(batches(7))


def test_a_finished_run_lists_anew(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(10))
        run.finish()
    with Run.open(tmp_path, ASKED) as run:
        assert run.list(lambda: batches(12)) == 12
        assert run.list(lambda: pytest.fail("it is not finished now")) == 12
        assert run.list(lambda: batches(3), anew=True) == 3
        assert names(run.rows()) == names(batches(3))


def test_a_listing_that_fails_half_way_leaves_none(tmp_path, batches):
    def broken():
        yield from batches(2000)
        raise OSError("the source went away")

    with Run.open(tmp_path, ASKED) as run:
        with pytest.raises(OSError, match="went away"):
            run.list(broken)
        assert files(tmp_path) == [".lock", "run.json"]
        assert run.list(lambda: batches(10)) == 10
        run.finish()
        with pytest.raises(OSError, match="went away"):
            run.list(broken)
        assert names(run.rows()) == []


def test_nothing_listed(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        assert run.list(list) == 0
        assert list(run.shards()) == list(run.rows()) == remaining(run, Keys([])) == []
        assert remaining(run, keys(batches(1))) == []


def test_what_remains_is_what_is_not_done(tmp_path, batches, monkeypatch):
    monkeypatch.setattr(run_module, "SHARD_ROWS", 1000)
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(2500))
        assert len(run.shards()) == 2
        assert remaining(run, Keys([])) == names(batches(2500))
        assert remaining(run, keys(batches(1000, 500))) == names(batches(500) + batches(1000, 1500))
        assert remaining(run, keys(batches(2500))) == []
        assert names(run.rows()) == names(batches(2500))


def test_a_shard_that_is_done_is_not_looked_at_again(tmp_path, batches, monkeypatch):
    monkeypatch.setattr(run_module, "SHARD_ROWS", 1000)
    monkeypatch.setattr(run_module, "GROUP", 2)
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(5500))
        groups = list(run.groups())
        assert [len(group) for group in groups] == [2, 1]
        assert run.left() == 5500
        run.mark(groups[0])
    with Run.open(tmp_path, ASKED) as run:
        assert list(run.groups()) == groups[1:]
        assert run.left() == 5500 - run.rows_of(groups[0])
        assert names(run.rows()) == names(batches(5500))
        run.finish()
        run.list(lambda: batches(5500))
        assert list(run.groups()) == groups


def test_a_listing_with_pictures_is_cut_by_their_bytes(tmp_path, batches, monkeypatch):
    monkeypatch.setattr(run_module, "SHARD_BYTES", 50_000)
    with Run.open(tmp_path, ASKED) as run:
        run.list(
            lambda: (b.slice(n, 1) for b in batches(10, data=bytes(20_000)) for n in range(10))
        )
        assert [run.rows_of([shard]) for shard in run.shards()] == [3, 3, 3, 1]


def test_a_changed_file_is_not_done(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(10))
        for other in ({"size": 77}, {"mtime_ns": 77}):
            assert remaining(run, keys(batches(10, **other))) == names(batches(10))
        assert remaining(run, keys(batches(5))) == names(batches(5, 5))


def test_what_remained_of_a_killed_run_is_forgotten(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(10))
        (tmp_path / "remaining").mkdir()
        pq.write_table(pa.table({"row_id": ["old"]}), tmp_path / "remaining" / "000007.parquet")
        assert remaining(run, keys(batches(5))) == names(batches(5, 5))


def test_another_run_is_refused_with_the_changed_options_named(tmp_path, batches):
    with Run.open(tmp_path, {**ASKED, "precision": "auto"}) as run:
        run.list(lambda: batches(10))
    before = files(tmp_path)
    with (
        pytest.raises(RunError) as caught,
        Run.open(tmp_path, {**ASKED, "top": 3, "extra": [1]}),
    ):
        pass
    text = str(caught.value)
    assert "extra: None then, [1] now; precision: 'auto' then, None now; top: 5 then, 3 now" in text
    assert "source" not in text
    assert "--overwrite" in text
    assert files(tmp_path) == before
    with Run.open(tmp_path, {**ASKED, "precision": "auto"}) as run:
        assert names(run.rows()) == names(batches(10))


def test_overwrite_empties_the_folder(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(10))
        run.settle(settled={"runtime": "x"})
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / "000001.parquet").touch()
    with Run.open(tmp_path, {**ASKED, "top": 3}, overwrite=True) as run:
        assert files(tmp_path) == [".lock", "run.json"]
        assert "settled" not in run.state
        assert list(run.rows()) == []


def test_overwrite_keeps_the_same_run(tmp_path, batches):
    with Run.open(tmp_path, ASKED) as run:
        run.list(lambda: batches(10))
    with Run.open(tmp_path, ASKED, overwrite=True) as run:
        assert len(names(run.rows())) == 10


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 3}', "null", "\x00"])
def test_a_damaged_state_is_refused_or_overwritten(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match="holds another run"), Run.open(tmp_path, ASKED):
        pass
    with Run.open(tmp_path, ASKED, overwrite=True) as run:
        assert json.loads((tmp_path / "run.json").read_text())["id"] == run.id


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write to"), Run.open(tmp_path / "file", ASKED):
        pass


def test_it_is_free_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="inside"), Run.open(tmp_path, ASKED):
        raise ValueError("inside")
    with Run.open(tmp_path, ASKED):
        pass


HOLD = """
import sys, time
from pathlib import Path
from pixelmine.engine import Run

with Run.open(Path(sys.argv[1]), {"job": "test", "source": "file:///a", "top": 5}):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_at_once_and_a_dead_one_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        for overwrite in (False, True):
            with (
                pytest.raises(RunError, match="Another process is working on"),
                Run.open(tmp_path, ASKED, overwrite),
            ):
                pass
        child.send_signal(signal.SIGKILL)
    with Run.open(tmp_path, ASKED) as run:
        assert run.state["finished"] is None
