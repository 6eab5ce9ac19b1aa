import pytest

from pixelmine.core.errors import ModelError
from pixelmine.engine import EngineOptions
from pixelmine.engine.local import open_local
from pixelmine.engine.stage import BATCH_ROWS


def run_on(engine, stage, shards, options):
    with engine(stage, options) as run:
        yield from run(shards)


def test_rows_come_in_the_order_of_the_shards_in_small_batches(say, shards):
    found = list(run_on(open_local, say(), shards(300, 2, 129), EngineOptions()))
    names = [name for batch in found for name in batch["row_id"].to_pylist()]
    expected = [*range(300), *range(10_000, 10_002), *range(20_000, 20_129)]
    assert names == [f"row {n:06d}" for n in expected]
    assert max(batch.num_rows for batch in found) == BATCH_ROWS
    assert all(batch.schema == say().schema for batch in found)


def test_it_streams(say, shards):
    rows = run_on(open_local, say(fail="row 000200"), shards(300), EngineOptions())
    assert next(rows).num_rows == BATCH_ROWS
    with pytest.raises(LookupError, match="row 000200 is odd"):
        list(rows)


def test_what_does_not_open_says_so(say, shards):
    with pytest.raises(ModelError, match="the model is broken"):
        list(run_on(open_local, say(fail="open"), shards(3), EngineOptions()))


def test_nothing_listed(say):
    assert list(run_on(open_local, say(), [], EngineOptions())) == []


def test_it_closes_what_it_opened(say, shards, tmp_path):
    closed = tmp_path / "closed"
    list(run_on(open_local, say(closed=str(closed)), shards(3), EngineOptions()))
    assert closed.exists()
    closed.unlink()
    with pytest.raises(LookupError):
        list(
            run_on(
                open_local,
                say(closed=str(closed), fail="row 000001"),
                shards(3, name="b"),
                EngineOptions(),
            )
        )
    assert closed.exists()
