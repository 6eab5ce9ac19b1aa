"""One way to write an ONNX graph, so that the same network is the same bytes.

tf2onnx numbers nodes and tensors by what else it did in the process, and TensorFlow's optimiser,
which it calls, now and then leaves a shape to be computed that it folds the next time. A bundle's
digest would change with either.
"""

import numpy as np
import onnx

__all__ = ["canonical"]


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """Sort and rename nodes, initializers and inner tensors by their place before the outputs.

    A `Reshape` to a shape that is known but for one side gets it as a constant, with -1 there.
    Inputs and outputs keep their names; what no output needs goes. A graph with other graphs inside
    (`If`, `Loop`) is returned as it is, since those name tensors from outside.
    """
    graph = model.graph
    if any(
        attribute.HasField("g") or attribute.graphs for n in graph.node for attribute in n.attribute
    ):
        return model
    _fold_reshapes(model)
    kept = {value.name for value in (*graph.input, *graph.output)}
    names = {name: name for name in ("", *kept)}
    initial = {tensor.name: tensor for tensor in graph.initializer}
    nodes, tensors = [], []
    for place, index in enumerate(_order(graph)):
        node = graph.node[index]
        node.name = f"{node.op_type}_{place}"
        for at, name in enumerate(node.input):
            if name in initial and name not in names:
                names[name] = f"{node.name}/input_{at}"
                tensors.append(initial[name])
        for at, name in enumerate(node.output):
            names.setdefault(name, f"{node.name}/output_{at}")
        nodes.append(node)
    renamed = onnx.helper.make_graph(
        [_renamed(node, names) for node in nodes],
        "network",
        sorted(graph.input, key=lambda value: value.name),
        sorted(graph.output, key=lambda value: value.name),
        [_renamed_tensor(tensor, names) for tensor in tensors],
    )
    model.graph.CopyFrom(renamed)
    return model


def _fold_reshapes(model: onnx.ModelProto) -> None:
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.value_info, *inferred.output)
    }
    constant = {tensor.name for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "Reshape"]:
        sides = shapes.get(node.output[0], [])
        if node.input[1] in constant or not sides or sides.count(0) > 1:
            continue
        shape = np.array([side or -1 for side in sides], np.int64)
        name = f"{node.output[0]}/shape"
        model.graph.initializer.append(onnx.numpy_helper.from_array(shape, name))
        node.input[1] = name


def _order(graph: onnx.GraphProto) -> list[int]:
    """Indices of the nodes the outputs need, each behind those it needs itself."""
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    waiting = [maker[name] for name in sorted((v.name for v in graph.output), reverse=True)]
    found: dict[int, None] = {}
    while waiting:
        needed = (maker.get(name, -1) for name in graph.node[waiting[-1]].input)
        missing = next((index for index in needed if index >= 0 and index not in found), None)
        if missing is not None:
            waiting.append(missing)
        else:
            found.setdefault(waiting.pop())
    return list(found)


def _renamed(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names[name] for name in node.input]
    copy.output[:] = [names[name] for name in node.output]
    copy.doc_string = ""
    return copy


def _renamed_tensor(tensor: onnx.TensorProto, names: dict[str, str]) -> onnx.TensorProto:
    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    copy.name = names[tensor.name]
    return copy
