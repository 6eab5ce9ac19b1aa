import pytest

from pixelmine.core.errors import UsageError
from pixelmine.engine import ENGINES, run_stage
from pixelmine.engine.engine import FEW


@pytest.fixture
def called(monkeypatch):
    names = []
    for name in ENGINES.names():
        monkeypatch.setitem(ENGINES._entries, name, f"{__name__}:fake_{name}")
    monkeypatch.setattr(f"{__name__}.CALLED", names)
    return names


CALLED = []


def fake_local(stage, shards):
    CALLED.append(("local", stage, shards))
    return iter(["local"])


def fake_native(stage, shards):
    CALLED.append(("native", stage, shards))
    return iter(["native"])


@pytest.mark.parametrize(
    ("rows", "engine", "used"),
    [
        (FEW, "auto", "local"),
        (FEW + 1, "auto", "native"),
        (FEW + 1, "local", "local"),
        (1, "native", "native"),
    ],
)
def test_auto_takes_the_plain_loop_for_few_rows(called, rows, engine, used):
    assert list(run_stage("stage", ["shard"], rows, engine)) == [used]
    assert called == [(used, "stage", ["shard"])]


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no engine named 'ray'. Known: local, native"):
        run_stage("stage", [], 1, "ray")
