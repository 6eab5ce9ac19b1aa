"""A network's bytes in ONNX Runtime, on as many threads as this process may use."""

from typing import Any

from pixelmine.core.errors import ModelError
from pixelmine.core.processors import processors

__all__ = ["open_session"]


def open_session(data: bytes, threads: int | None, name: str) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU; `threads`: None for all processors.

    Raises ModelError, which calls the network `name`, where it cannot be loaded.
    """
    import onnxruntime as ort  # here: whoever names a detector need not load a runtime

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or processors()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(data, options, ["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base
        raise ModelError(f"ONNX Runtime cannot load {name}: {error}.") from error
