"""The engines by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry

from .stage import Stage

__all__ = ["ENGINES", "FEW", "EngineOptions", "RunShards", "open_engine"]


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Where the work runs.

    `name`: `auto`, or one of ENGINES. `auto` is `local` for few rows and `native` for more; `ray`
    is only ever chosen by name. `ray_address`: of a Ray cluster, as `ray start` prints it; None
    starts one on this machine.
    """

    name: str = "auto"
    ray_address: str | None = None

    def __post_init__(self) -> None:
        check_one_of("engine", self.name, ["auto", *ENGINES.names()])
        if self.ray_address is not None and self.name != "ray":
            raise UsageError("--ray-address goes with --engine ray.")


RunShards = Callable[[Sequence[Path]], Iterator[pa.RecordBatch]]
"""Takes listing shards; gives the batches that come of their rows."""

Engine = Callable[[Stage, EngineOptions], AbstractContextManager[RunShards]]
"""Opens a stage; it stays open, for as many calls as there are, until the end of the block."""

ENGINES: Registry[Engine] = Registry(
    "engine",
    {
        "local": "pixelmine.engine.local:open_local",
        "native": "pixelmine.engine.native:open_native",
        "ray": "pixelmine.engine.ray:open_ray",
    },
)

FEW = 256
"""Up to so many rows `auto` is `local`: Daft takes about half a second to start."""


def open_engine(
    stage: Stage, rows: int, options: EngineOptions | None = None
) -> AbstractContextManager[RunShards]:
    """Open a stage for about `rows` rows in all; at least as many rows come out as go in."""
    options = options or EngineOptions()
    name = options.name
    if name == "auto":
        name = "local" if rows <= FEW else "native"
    return ENGINES.get(name)(stage, options)
