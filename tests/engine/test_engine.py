from contextlib import nullcontext

import pytest

from pixelmine.core.errors import UsageError
from pixelmine.engine import ENGINES, EngineOptions, open_engine
from pixelmine.engine.engine import FEW


@pytest.fixture
def called(monkeypatch):
    names = []
    for name in ("local", "native"):
        monkeypatch.setitem(ENGINES._entries, name, f"{__name__}:fake_{name}")
    monkeypatch.setattr(f"{__name__}.CALLED", names)
    return names


CALLED = []


def fake_local(stage, options):
    CALLED.append(("local", stage))
    return nullcontext("local")


def fake_native(stage, options):
    CALLED.append(("native", stage))
    return nullcontext("native")


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
    with open_engine("stage", rows, EngineOptions(name=engine)) as run:
        assert run == used
    assert called == [(used, "stage")]


def test_an_unknown_engine_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"must be one of auto, local, native, ray\. Got 'spark'"):
        EngineOptions(name="spark")


def test_an_address_is_for_ray_alone():
    assert EngineOptions(name="ray", ray_address="auto").ray_address == "auto"
    with pytest.raises(UsageError, match="--ray-address goes with --engine ray"):
        EngineOptions(ray_address="auto")
