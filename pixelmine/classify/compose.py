"""One network of a backbone and a head: pixels to logits."""

from typing import cast

import onnx
from onnx import checker, compose, helper, utils, version_converter

from pixelmine.core.errors import ModelError

__all__ = ["join"]

_KEPT = ("embedding", "activation")


def join(backbone: bytes, head: bytes, *, head_embedding: bool = False) -> bytes:
    """Feed a backbone's `embedding`, float32 (N, D), to a head's `features`.

    The result takes the backbone's `pixels` and gives the head's `logits`, the backbone's
    `activation`, where it has one, and `embedding`: the backbone's, or, with `head_embedding`, the
    head's. What the backbone needed for its own logits alone is left out. The older of the two is
    lifted to the operator set of the newer. Equal bytes give equal bytes. Raises ModelError where
    the two do not fit.
    """
    try:
        body, top = onnx.load_model_from_string(backbone), onnx.load_model_from_string(head)
        kept = [value.name for value in body.graph.output if value.name in _KEPT]
        _check(body, top)
        body = utils.Extractor(body).extract_model(["pixels"], kept)
        body, top = _alike(body, top)
        return _serialize(_merged(body, top, kept, head_embedding))
    except ModelError:
        raise
    except Exception as error:  # protobuf and onnx raise whatever they like
        raise ModelError(f"The backbone and the head cannot be joined: {error}.") from error


def _check(body: onnx.ModelProto, top: onnx.ModelProto) -> None:
    ends = {value.name: _width(value) for value in body.graph.output}
    begins = {value.name: _width(value) for value in top.graph.input}
    if [value.name for value in body.graph.input] != ["pixels"] or "embedding" not in ends:
        raise ModelError("A backbone must take pixels and give embedding.")
    if list(begins) != ["features"]:
        raise ModelError(f"A head must take features. Got {', '.join(begins)} instead.")
    if ends["embedding"] != begins["features"]:
        raise ModelError(
            f"The head takes features of {begins['features']} dimensions, and the backbone gives "
            f"{ends['embedding']}."
        )


def _width(value: onnx.ValueInfoProto) -> int:
    dimensions = value.type.tensor_type.shape.dim
    return int(dimensions[-1].dim_value) if dimensions else 0


def _alike(body: onnx.ModelProto, top: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """Both at the newer of the two operator sets, of `ai.onnx`, and of the two IR versions."""
    opset = max(_opset(body), _opset(top))
    lifted = [
        model if _opset(model) == opset else version_converter.convert_version(model, opset)
        for model in (body, top)
    ]
    newest = max(model.ir_version for model in lifted)
    for model in lifted:
        model.ir_version = newest
        for entry in [e for e in model.opset_import if e.domain == "ai.onnx"]:
            entry.domain = ""
    return lifted[0], lifted[1]


def _opset(model: onnx.ModelProto) -> int:
    return next(int(e.version) for e in model.opset_import if e.domain in ("", "ai.onnx"))


def _merged(
    body: onnx.ModelProto, top: onnx.ModelProto, kept: list[str], head_embedding: bool
) -> onnx.ModelProto:
    ours = {"head/logits": "logits"}
    theirs = {f"backbone/{name}": name for name in kept}
    if head_embedding:
        ours["head/embedding"] = "embedding"
        del theirs["backbone/embedding"]
    merged = compose.merge_models(
        body,
        top,
        [("embedding", "features")],
        outputs=[*ours, *theirs],
        prefix1="backbone/",
        prefix2="head/",
        producer_name="pixelmine",
    )
    _rename(merged.graph, {**ours, **theirs, "backbone/pixels": "pixels"})
    return merged


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Tensors, wherever they are made or read, in inner graphs too."""
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, names)


def _serialize(model: onnx.ModelProto) -> bytes:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*item) for item in sorted(versions.items()))
    del model.graph.value_info[:]  # inferred anew by whoever loads it
    checker.check_model(model, full_check=True)
    return cast(bytes, model.SerializeToString(deterministic=True))
