"""What a network may contain. ONNX is data, but some of it can read files: that is refused.

Allowed are the operators of `ai.onnx` and `ai.onnx.ml`, with every tensor inside the file. Custom
operators run foreign code; external data names paths outside the bundle (several CVEs).
"""

from collections.abc import Iterator

import onnx

from pixelmine.core.errors import ModelError

from .card import Card

__all__ = ["MAX_BYTES", "check_network"]

MAX_BYTES = 2**31 - 1
"""Protobuf's own limit."""

DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_DTYPES = {"uint8": onnx.TensorProto.UINT8, "float32": onnx.TensorProto.FLOAT}


def check_network(data: bytes, card: Card) -> None:
    """Raise ModelError unless the bytes are a network that fits its card."""
    if len(data) > MAX_BYTES:
        raise ModelError(f"model.onnx is larger than {MAX_BYTES} bytes.")
    try:
        model = onnx.load_model_from_string(data)
        check_parts(model)
        onnx.checker.check_model(model)
    except ModelError:
        raise
    except Exception as error:  # protobuf and onnx raise whatever they like
        raise ModelError(f"model.onnx is not a valid ONNX model: {error}.") from error
    _check_input(model, card)
    _check_outputs(model, card)


def check_parts(model: onnx.ModelProto) -> None:
    """Refuse foreign operators and tensors that lie outside the file."""
    domains = {entry.domain for entry in model.opset_import}
    if foreign := domains - DOMAINS:
        raise ModelError(f"model.onnx asks for operators that are not ONNX's own: {foreign}.")
    if model.functions:
        raise ModelError("model.onnx defines functions of its own; export it with plain operators.")
    if model.training_info:
        raise ModelError("model.onnx carries training graphs; export it for inference.")
    for node in _nodes(model.graph):
        if node.domain not in DOMAINS:
            raise ModelError(f"model.onnx uses a custom operator: {node.domain}.{node.op_type}.")
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ModelError(f"model.onnx keeps the tensor {tensor.name!r} in another file.")


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _check_input(model: onnx.ModelProto, card: Card) -> None:
    initial = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initial]
    pixels = card.input
    name, dtype = "pixels", str(pixels.dtype)
    shape: tuple[int | None, ...] = (None, pixels.height, pixels.width, pixels.channels)
    if card.features is not None:
        name, dtype, shape = "features", "float32", (None, card.features.dimensions)
    if [value.name for value in inputs] != [name]:
        names = [value.name for value in inputs]
        raise ModelError(f"model.onnx must take one input named {name}. Got {names} instead.")
    tensor = inputs[0].type.tensor_type
    found = tuple(_dimension(d) for d in tensor.shape.dim)
    if tensor.elem_type != _DTYPES[dtype] or found != shape:
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise ModelError(
            f"model.onnx must take {dtype} {name} of shape {shape}, as its card says. "
            f"Got {kind} {found} instead."
        )


def _check_outputs(model: onnx.ModelProto, card: Card) -> None:
    outputs = {value.name: value.type.tensor_type for value in model.graph.output}
    wanted = {"logits": len(card.labels), "embedding": card.embedding_dimensions}
    for name, size in wanted.items():
        if name not in outputs:
            raise ModelError(f"model.onnx has no output {name}. It has: {', '.join(outputs)}.")
        shape = tuple(_dimension(d) for d in outputs[name].shape.dim)
        if outputs[name].elem_type != onnx.TensorProto.FLOAT or shape != (None, size):
            raise ModelError(f"{name} must be float32 (N, {size}). Got shape {shape} instead.")


def _dimension(value: onnx.TensorShapeProto.Dimension) -> int | None:
    return int(value.dim_value) if value.HasField("dim_value") else None
