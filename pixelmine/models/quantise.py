"""A float32 network to an 8-bit one: static quantisation with calibration pictures.

Method: ONNX Runtime's static quantisation in QDQ form (Jacob et al., "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018): the least and largest
value of each tensor, seen on the calibration pictures, become the ends of 256 steps.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pixelmine.core.errors import ModelError

__all__ = ["quantise"]

_OPERATORS = (
    "Add",
    "AveragePool",
    "Clip",
    "Concat",
    "Conv",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Relu",
)
"""Where the time of a network goes, and what lies between: a ReLU that is left out would cost the
convolution before it the steps below 0. What makes pixels ready stays float32."""

_FLOAT_OUTPUTS = ["Gemm", "GlobalAveragePool", "MatMul"]
"""Logits and embeddings keep their precision: in 256 steps, near classes would tie."""


def quantise(
    network: bytes,
    batches: Iterable[np.ndarray],
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> bytes:
    """The network with 8-bit weights and activations, `batches` of its input showing their ranges.

    `ranges`: the least and largest value of tensors by name, where they are known already.

    Weights are symmetric, one scale an output channel, and take 7 of the 8 bits: CPUs without VNNI
    add pairs of products in 16 bits, which 8-bit weights overflow (seen 2026-11 on AVX2, where
    agreement with float32 fell from .89 to .81). Operators of `ai.onnx` alone, the same inputs and
    outputs. Raises ModelError where ONNX Runtime cannot quantise it or finds nothing to quantise.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    reader = _reader(onnx.load_model_from_string(network).graph.input[0].name, batches)
    with tempfile.TemporaryDirectory(prefix="pixelmine-") as folder:
        given, ready, made = (Path(folder) / f"{name}.onnx" for name in ("given", "ready", "made"))
        given.write_bytes(network)  # of a model in memory the tool loses the target of a Reshape
        try:
            quant_pre_process(given, ready, skip_symbolic_shape=True)
            quantize_static(
                ready,
                made,
                reader,
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(_OPERATORS),
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={
                    "OpTypesToExcludeOutputQuantization": _FLOAT_OUTPUTS,
                    "TensorQuantOverrides": _overrides(ranges or {}),
                },
            )
        except Exception as error:  # onnx and ONNX Runtime raise whatever they like
            raise ModelError(f"ONNX Runtime cannot quantise the network: {error}.") from error
        return _finished(onnx.load_model(made))


def _overrides(ranges: Mapping[str, tuple[float, float]]) -> dict[str, list[dict[str, Any]]]:
    low_high = ((name, map(np.float32, ends)) for name, ends in ranges.items())
    return {name: [dict(zip(("rmin", "rmax"), ends, strict=True))] for name, ends in low_high}


def _reader(name: str, batches: Iterable[np.ndarray]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # its module has no types
        def __init__(self) -> None:
            self._batches: Iterator[np.ndarray] = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._batches, None)
            return None if batch is None else {name: batch}

    return Reader()


def _finished(model: onnx.ModelProto) -> bytes:
    """Without what the tool leaves behind: operator sets that nothing uses, and its notes."""
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ModelError("The network has nothing to quantise: no convolution, no dense layer.")
    used = {node.domain for node in model.graph.node}
    for entry in [e for e in model.opset_import if e.domain not in used]:
        model.opset_import.remove(entry)
    del model.metadata_props[:]
    del model.graph.value_info[:]
    model.producer_name, model.producer_version = "pixelmine", ""
    return bytes(model.SerializeToString(deterministic=True))
