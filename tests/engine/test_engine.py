import pytest

from pixelmine.core.errors import UsageError
from pixelmine.engine import ENGINES, EngineOptions, run_stage
from pixelmine.engine.engine import FEW


@pytest.fixture
def called(monkeypatch):
    names = []
    for name in ("local", "native"):
        monkeypatch.setitem(ENGINES._entries, name, f"{__name__}:fake_{name}")
    monkeypatch.setattr(f"{__name__}.CALLED", names)
    return names


CALLED = []


def fake_local(stage, shards, options):
    CALLED.append(("local", stage, shards))
    return iter(["local"])


def fake_native(stage, shards, options):
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
    assert list(run_stage("stage", ["shard"], rows, EngineOptions(name=engine))) == [used]
    assert called == [(used, "stage", ["shard"])]


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"must be one of auto, local, native, ray\. Got 'spark'"):
        EngineOptions(name="spark")


def test_an_address_is_for_ray_alone():
    assert EngineOptions(name="ray", ray_address="auto").ray_address == "auto"
    with pytest.raises(UsageError, match="--ray-address goes with --engine ray"):
        EngineOptions(ray_address="auto")
