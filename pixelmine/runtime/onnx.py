"""ONNX Runtime."""

import numpy as np
import onnxruntime as ort

from pixelmine.core.errors import ModelError

from .network import Outputs

__all__ = ["OnnxRuntimeNetwork"]


class OnnxRuntimeNetwork:
    """A network on ONNX Runtime's CPU provider, in float32."""

    runtime = "onnxruntime"

    def __init__(self, model: bytes, precision: str, threads: int) -> None:
        if precision != "f32":
            raise ModelError(f"onnxruntime runs in f32 here. Got {precision!r} instead.")
        self.precision = precision
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(model, options, ["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise ModelError(f"ONNX Runtime cannot load the network: {error}.") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, inputs: np.ndarray) -> Outputs:
        """Run (N, H, W, C) pixels or (N, D) features."""
        logits, embedding = self._session.run(["logits", "embedding"], {self._input: inputs})
        return Outputs(logits, embedding)
