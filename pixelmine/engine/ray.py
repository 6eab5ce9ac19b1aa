"""Daft on Ray: the same query on as many machines as the cluster has."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core.errors import RunError, UsageError

from .daft_rows import daft_engine, load_daft
from .engine import EngineOptions, RunShards
from .stage import Stage

__all__ = ["open_ray"]


@contextmanager
def open_ray(stage: Stage, options: EngineOptions) -> Iterator[RunShards]:
    """Run the stage over listing shards; batches come as they are ready.

    The folders that shards, pictures and copies lie in must be the same on every machine. Raises
    RunError where the cluster cannot be reached, or loses more than Ray mends by itself.
    """
    if find_spec("ray") is None:
        raise UsageError("--engine ray needs Ray: pip install 'pixelmine[ray]'.")
    daft, ray = load_daft(), _connect(options.ray_address)
    with suppress(daft.exceptions.DaftCoreException):  # it is set once a process, and stays
        daft.set_runner_ray(noop_if_initialized=True)
    if daft.get_or_infer_runner_type() != "ray":
        raise RunError("This process has used another engine already: begin a new one for ray.")
    with daft_engine(stage) as run:
        yield partial(
            _told, run, (ray.exceptions.RayError, daft.exceptions.DaftCoreException, RuntimeError)
        )


def _told(
    run: RunShards, failures: tuple[type[BaseException], ...], shards: Sequence[Path]
) -> Iterator[pa.RecordBatch]:
    try:
        yield from run(shards)
    except failures as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RunError(
            f"Ray lost a part of the work ({first}). What was committed is kept: run the same "
            "command again to go on."
        ) from error


def _connect(address: str | None) -> Any:
    import ray

    if ray.is_initialized():
        return ray
    try:
        ray.init(
            address=address,
            include_dashboard=False,
            configure_logging=False,
            log_to_driver=False,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"the Ray cluster at {address}" if address else "a Ray of its own"
        raise RunError(f"Cannot start or reach {where}: {error}.") from error
    return ray
