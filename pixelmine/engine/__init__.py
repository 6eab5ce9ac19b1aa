"""The same work over one picture or over millions."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import ENGINES, EngineOptions, open_engine
    from .isolation import Isolated
    from .keys import DONE_KEY, Keys
    from .run import Run
    from .stage import Stage, Work

_HOMES = {
    "DONE_KEY": "keys",
    "ENGINES": "engine",
    "EngineOptions": "engine",
    "Isolated": "isolation",
    "Keys": "keys",
    "Run": "run",
    "Stage": "stage",
    "Work": "stage",
    "open_engine": "engine",
}

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


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: a decoding process needs none of the tables."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
