import json
import os
from typing import Any

import pytest

from pixelmine.train import events as module
from pixelmine.train.events import Events


def lines(descriptor: int) -> list[dict[str, Any]]:
    with os.fdopen(descriptor) as file:
        return [json.loads(line) for line in file]


def test_a_phase_ends_with_its_last_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INTERVAL_S", 1000)
    monkeypatch.setattr(module.time, "monotonic", lambda: 1.0)
    out, into = os.pipe()
    events = Events(into)
    events.start("read", 10)
    for index in range(10):
        events.advance(1, bad=index == 3)
    events.finish()
    events.note("Größe")
    events.close()
    assert lines(out) == [
        {"event": "start", "phase": "read", "total": 10},
        {"event": "progress", "done": 10, "bad": 1},
        {"event": "finish", "phase": "read"},
        {"event": "note", "text": "Größe"},
    ]


def test_a_reader_that_is_gone_stops_the_job() -> None:
    out, into = os.pipe()
    events = Events(into)
    os.close(out)
    with pytest.raises(BrokenPipeError):
        events.note("Is anyone there?")
    events.close()
