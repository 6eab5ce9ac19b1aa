"""The same work over one picture or over millions."""

from .engine import ENGINES, EngineOptions, open_engine
from .isolation import Isolated
from .keys import DONE_KEY, Keys
from .run import Run
from .stage import Stage, Work

__all__ = [
    "DONE_KEY",
    "ENGINES",
    "EngineOptions",
    "Isolated",
    "Keys",
    "Run",
    "Stage",
    "Work",
    "open_engine",
]
