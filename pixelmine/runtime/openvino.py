"""OpenVINO."""

import numpy as np
import openvino as ov

from pixelmine.core.errors import ModelError

from .network import Outputs

__all__ = ["OpenVinoNetwork"]


class OpenVinoNetwork:
    """A network on OpenVINO's CPU plug-in, in float32 or, where the CPU computes it, bfloat16."""

    runtime = "openvino"

    def __init__(self, model: bytes, precision: str, threads: int) -> None:
        core = ov.Core()
        if precision == "bf16" and "BF16" not in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        ):
            raise ModelError("this CPU does not compute in bfloat16.")
        self.precision = precision
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }
        try:
            self._model = core.compile_model(core.read_model(model), "CPU", settings)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[-1]
            raise ModelError(f"OpenVINO cannot load the network: {first}.") from error

    def run(self, inputs: np.ndarray) -> Outputs:
        """Run (N, H, W, C) pixels or (N, D) features."""
        found = self._model.create_infer_request().infer([inputs])
        return Outputs(found["logits"], found["embedding"])
