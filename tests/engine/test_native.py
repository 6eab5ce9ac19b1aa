import os

import pytest

from pixelmine.core.errors import ModelError, PixelmineError
from pixelmine.engine import EngineOptions
from pixelmine.engine.local import open_local
from pixelmine.engine.native import open_native


def run_on(engine, stage, shards, options):
    with engine(stage, options) as run:
        yield from run(shards)


def rows(run):
    found = [row for batch in run for row in batch.to_pylist()]
    return sorted(found, key=lambda row: row["row_id"])


def test_it_gives_the_rows_of_the_plain_loop(say, shards):
    listing = shards(1000, 1, 300)
    batches = list(run_on(open_native, say(), listing, EngineOptions()))
    assert all(batch.schema == say().schema for batch in batches)
    assert rows(batches) == rows(run_on(open_local, say(), listing, EngineOptions()))
    assert len(rows(batches)) == 1301


def test_a_row_may_become_several(say, shards):
    listing = shards(70)
    found = rows(run_on(open_native, say(frames=3), listing, EngineOptions()))
    assert found == rows(run_on(open_local, say(frames=3), listing, EngineOptions()))
    assert [row["frame"] for row in found] == [0, 1, 2] * 70


def test_it_can_be_used_again_in_one_process(say, shards):
    for name in ("one", "two"):
        assert len(rows(run_on(open_native, say(), shards(5, name=name), EngineOptions()))) == 5


@pytest.mark.parametrize(
    "name", ["a b", "50%20", "#1", "[a]", "{a,b}", "back\\slash", "é", "new\nline", "[", "**"]
)
def test_a_folder_may_have_any_name(say, shards, name):
    assert len(rows(run_on(open_native, say(), shards(5, name=name), EngineOptions()))) == 5


@pytest.mark.parametrize(("name", "alike"), [("what?", "whats"), ("st*r", "star"), ("[ab]", "a")])
def test_a_name_is_no_pattern_that_finds_another_run(say, shards, name, alike):
    shards(7, name=alike)
    assert len(rows(run_on(open_native, say(), shards(5, name=name), EngineOptions()))) == 5


def test_an_error_of_the_stage_reaches_the_caller_as_itself(say, shards):
    with pytest.raises(LookupError, match=r"^'?row 000150 is odd"):
        rows(run_on(open_native, say(fail="row 000150"), shards(300), EngineOptions()))


def test_an_error_of_ours_stays_one(say, shards):
    with pytest.raises(PixelmineError, match=r"^the model is broken: file:///ünï$") as caught:
        rows(run_on(open_native, say(fail="open"), shards(3), EngineOptions()))
    assert type(caught.value) is ModelError


def test_it_works_again_after_an_error(say, shards):
    listing = shards(300)
    with pytest.raises(LookupError):
        rows(run_on(open_native, say(fail="row 000150"), listing, EngineOptions()))
    assert len(rows(run_on(open_native, say(), listing, EngineOptions()))) == 300


def test_nothing_listed(say):
    assert list(run_on(open_native, say(), [], EngineOptions())) == []


def test_it_may_be_left_early(say, shards):
    run = run_on(open_native, say(), shards(1000), EngineOptions())
    assert next(run).num_rows > 0
    run.close()


def test_the_stage_runs_in_this_process(say, shards, monkeypatch):
    seen = set()
    work = say.__call__
    monkeypatch.setattr(say, "__call__", lambda self, r: (seen.add(os.getpid()), work(self, r))[1])
    rows(run_on(open_native, say(), shards(10), EngineOptions()))
    assert seen == {os.getpid()}


def test_it_closes_what_it_opened(say, shards, tmp_path):
    closed = tmp_path / "closed"
    rows(run_on(open_native, say(closed=str(closed)), shards(3), EngineOptions()))
    assert closed.exists()
    closed.unlink()
    failing = say(closed=str(closed), fail="row 000001")
    with pytest.raises(LookupError):
        rows(run_on(open_native, failing, shards(3, name="b"), EngineOptions()))
    assert closed.exists()
