"""Which runtime is the fastest here: timed once for a network and machine, then remembered."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from pixelmine.core.atomic import write_json
from pixelmine.core.errors import ModelError, UsageError
from pixelmine.core.ids import digest
from pixelmine.core.processors import processors
from pixelmine.models import Bundle

from .network import RUNTIMES, Network

__all__ = ["Choice", "open_network"]

CHOICES = (("openvino", "bf16"), ("onnxruntime", "f32"), ("openvino", "f32"))
_BATCH = 16
_ROUNDS = 3


def open_network(model: bytes, runtime: str, precision: str, threads: int) -> Network:
    """Load a network on the runtime of that name. Raises UsageError, ModelError."""
    return RUNTIMES.get(runtime)(model, precision, threads)


@dataclass(frozen=True)
class Choice:
    """The choice of a runtime for one bundle on this machine.

    `wanted`: runtime and precision, either may be `auto`. `cache`: the folder of earlier choices.
    `refused`: filled with why a runtime could not load the network.
    """

    bundle: Bundle
    wanted: tuple[str, str]
    cache: Path
    threads: int = field(default_factory=processors)
    refused: list[str] = field(default_factory=list)

    def candidates(self) -> Iterator[Network]:
        """Loaded networks, the one to use first.

        A choice made before comes alone; only if it is turned down are the others loaded and timed.
        The caller keeps the first that passes its check, and says so with `remember`. Raises
        UsageError where nothing can be what is wanted.
        """
        choices = [choice for choice in CHOICES if self._matches(choice)]
        if not choices:
            known = ", ".join(" ".join(choice) for choice in CHOICES)
            raise UsageError(f"There is no {' '.join(self.wanted)}. Known: {known}.")
        model = self.bundle.files["model.onnx"]
        before = self._remembered()
        if before in choices:
            choices.remove(before)
            with suppress(ModelError):
                yield open_network(model, *before, self.threads)
        loaded = [network for choice in choices if (network := self._try(model, choice))]
        if len(loaded) > 1:
            batch = self._sample()
            loaded.sort(key=lambda network: _seconds(network, batch))
        yield from loaded

    def remember(self, network: Network) -> None:
        """Keep the choice for the next start. An unwritable cache costs time, no more."""
        choice = {"runtime": network.runtime, "precision": network.precision}
        if self._remembered() != tuple(choice.values()):
            with suppress(OSError):
                write_json(self._path(), choice)

    def _try(self, model: bytes, choice: tuple[str, str]) -> Network | None:
        try:
            return open_network(model, *choice, self.threads)
        except ModelError as error:  # this machine or this runtime cannot; another one may
            self.refused.append(f"{' '.join(choice)}: {error}")
            return None

    def _remembered(self) -> tuple[str, str] | None:
        try:
            found = json.loads(self._path().read_text("utf-8"))
            choice = (str(found["runtime"]), str(found["precision"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return choice if choice in CHOICES else None

    def _path(self) -> Path:
        network = self.bundle.card.files["model.onnx"]
        versions = [version("onnxruntime"), version("openvino")]
        key = digest(network, *self.wanted, str(self.threads), _cpu_model(), *versions)
        return self.cache / f"{key}.json"

    def _sample(self) -> np.ndarray:
        takes, described = self.bundle.card.input, self.bundle.card.features
        if described is not None:
            return np.zeros((_BATCH, described.dimensions), np.float32)
        return np.zeros((_BATCH, takes.height, takes.width, takes.channels), takes.dtype)

    def _matches(self, choice: tuple[str, str]) -> bool:
        pairs = zip(self.wanted, choice, strict=True)
        return all(wanted in ("auto", offered) for wanted, offered in pairs)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.machine()
    return next((line for line in lines if line.startswith("model name")), platform.machine())


def _seconds(network: Network, pixels: np.ndarray) -> float:
    network.run(pixels)
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        network.run(pixels)
        best = min(best, time.perf_counter() - start)
    return best
