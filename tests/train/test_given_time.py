"""Where there is time, cnn-strong trains a larger network."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pixelmine.train.checkpoint import Checkpoint
from pixelmine.train.events import Events
from pixelmine.train.history import History
from pixelmine.train.jobs import TrainJob
from pixelmine.train.plan import Plan, make_plan


@pytest.fixture
def planned(idx_folder: Path, events: Events, tmp_path: Path) -> Any:
    def plan(**options: Any) -> Plan:
        out = str(tmp_path / "x")
        job = TrainJob(source=str(idx_folder), out=out, recipe="cnn-strong", **options)
        return make_plan(job, events)

    return plan


@pytest.fixture
def chosen(keras: ModuleType, events: Events, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The builder that is chosen, and the seconds of an epoch, which take 2 by the probe."""
    from pixelmine.train import by_network

    monkeypatch.setattr(by_network, "epoch_seconds", lambda *_: 2.0)

    def choose(plan: Plan) -> tuple[str, float | None]:
        found, seconds = by_network._given_time(plan, events)
        return found.recipe.builder, seconds

    return choose


def test_minutes_decide(planned: Any, chosen: Any) -> None:
    assert chosen(planned(minutes=3.9)) == ("cnn-strong", 2.0)
    assert chosen(planned(minutes=4.1)) == ("cnn-strong-large", None)
    assert chosen(planned()) == ("cnn-strong", None)
    assert chosen(planned(minutes=60, epochs=9)) == ("cnn-strong", None)


@pytest.mark.parametrize("builder", ["cnn-strong", "cnn-strong-large"])
def test_what_was_begun_goes_on_with_its_network(
    builder: str, planned: Any, chosen: Any, keras: ModuleType
) -> None:
    from pixelmine.train.networks import NETWORKS

    values = [v.numpy() for v in NETWORKS.get(builder)(28, 28, 1, 10).variables]
    begun = Checkpoint(job="a", history=History(), network=values, optimizer=[], best=[])
    for options in ({}, {"minutes": 60}, {"minutes": 0.1}):
        assert chosen(replace(planned(**options), checkpoint=begun)) == (builder, None)


def test_the_speed_is_measured(planned: Any, events: Events, keras: ModuleType) -> None:
    from pixelmine.train import by_network

    plan, seconds = by_network._given_time(planned(minutes=0.01), events)
    assert plan.recipe.builder == "cnn-strong"
    assert seconds is not None
    assert 0 < seconds < 60
