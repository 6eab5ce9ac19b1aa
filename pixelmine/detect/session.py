"""Weights on request, in ONNX Runtime: loaded once in a process, and not before they are used."""

from functools import lru_cache
from typing import Any

import numpy as np

from pixelmine.core.processors import processors
from pixelmine.models.weights import load_weights

__all__ = ["run_weights"]


def run_weights(name: str, pixels: np.ndarray, threads: int | None = None) -> list[np.ndarray]:
    """All outputs of the network for uint8 (N, H, W, 3), RGB.

    `threads`: None for all processors of this process. Equal pixels in a batch of equal shape give
    equal outputs, whatever came before. Raises ModelError where the weights are not on this
    machine.
    """
    found: list[np.ndarray] = _session(name, threads or processors()).run(None, {"pixels": pixels})
    return found


@lru_cache(maxsize=4)
def _session(name: str, threads: int) -> Any:
    import onnxruntime as ort  # here: whoever names a detector need not load a runtime

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(load_weights(name), options, ["CPUExecutionProvider"])
