"""The engines by name."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from pixelmine.core.registry import Registry

from .stage import Stage

__all__ = ["ENGINES", "FEW", "run_stage"]

Engine = Callable[[Stage, Sequence[Path]], Iterator[pa.RecordBatch]]

ENGINES: Registry[Engine] = Registry(
    "engine",
    {
        "local": "pixelmine.engine.local:run_local",
        "native": "pixelmine.engine.native:run_native",
    },
)

FEW = 256
"""Up to so many rows `auto` is `local`: Daft takes about half a second to start."""


def run_stage(
    stage: Stage, shards: Sequence[Path], rows: int, engine: str = "auto"
) -> Iterator[pa.RecordBatch]:
    """Run a stage over listing shards of `rows` rows in all; as many rows come out."""
    name = ("local" if rows <= FEW else "native") if engine == "auto" else engine
    return ENGINES.get(name)(stage, shards)
