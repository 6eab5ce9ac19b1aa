"""One verb for every runtime: `run`."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pixelmine.core.registry import Registry

__all__ = ["RUNTIMES", "Network", "NetworkFactory", "Outputs"]


@dataclass(frozen=True)
class Outputs:
    """`logits`: float32 (N, K). `embedding`: float32 (N, D)."""

    logits: np.ndarray
    embedding: np.ndarray


class Network(Protocol):
    """A loaded network. Any number of threads may call `run` at once."""

    runtime: str
    precision: str

    def run(self, inputs: np.ndarray) -> Outputs:
        """Run what the card names, N >= 1: (N, H, W, C) pixels, or (N, D) float32 features."""
        ...


class NetworkFactory(Protocol):
    """What a runtime registers."""

    def __call__(self, model: bytes, precision: str, threads: int) -> Network:
        """Load `model.onnx`. Raises ModelError where it cannot be run at this precision."""
        ...


RUNTIMES: Registry[NetworkFactory] = Registry(
    "runtime",
    {
        "onnxruntime": "pixelmine.runtime.onnx:OnnxRuntimeNetwork",
        "openvino": "pixelmine.runtime.openvino:OpenVinoNetwork",
    },
)
