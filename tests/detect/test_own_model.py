from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.detect.own_model import OwnDetector

PICTURE = np.zeros((100, 200, 3), np.uint8)
SIDE = 64
"""Of the input: a letterbox shrinks the picture to 64 x 32, by .32."""


def network(
    rows: np.ndarray, dtype: int = TensorProto.FLOAT, nhwc: bool = False
) -> onnx.ModelProto:
    """Gives `rows` (1, N, M), whatever the picture is."""
    shape = (1, SIDE, SIDE, 3) if nhwc else (1, 3, SIDE, SIDE)
    takes = helper.make_tensor_value_info("images", dtype, shape)
    gives = helper.make_tensor_value_info("output0", TensorProto.FLOAT, rows.shape)
    nodes = [
        helper.make_node("Cast", ["images"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["cast"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output0"]),
    ]
    constants = [
        numpy_helper.from_array(np.float32(0).reshape(()), "zero"),
        numpy_helper.from_array(rows.astype(np.float32), "rows"),
    ]
    graph = helper.make_graph(nodes, "detector", [takes], [gives], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def colours(nhwc: bool = False) -> onnx.ModelProto:
    """Gives one box, whose three scores are the means of what it takes, channel by channel."""
    shape = (1, SIDE, SIDE, 3) if nhwc else (1, 3, SIDE, SIDE)
    takes = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    gives = helper.make_tensor_value_info("output0", TensorProto.FLOAT, (1, 1, 7))
    box = numpy_helper.from_array(np.float32([[[32, 16, 10, 10]]]), "box")
    axes = [1, 2] if nhwc else [2, 3]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=axes, keepdims=0),
        helper.make_node("Unsqueeze", ["means", "one"], ["scores"]),
        helper.make_node("Concat", ["box", "scores"], ["output0"], axis=2),
    ]
    one = numpy_helper.from_array(np.int64([1]), "one")
    graph = helper.make_graph(nodes, "detector", [takes], [gives], [box, one])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def detector(
    folder: Path, model: onnx.ModelProto, output: str = "", **takes: object
) -> OwnDetector:
    path = folder / "plates.onnx"
    path.write_bytes(model.SerializeToString())
    takes = {"width": SIDE, "height": SIDE, **takes}
    lines = [f"{name} = {value!r}" for name, value in takes.items()]
    path.with_suffix(".toml").write_text(
        "\n".join(["[input]", *lines, "[output]", output]), "utf-8"
    )
    return OwnDetector(path)


BOX = {"cxcywh": (20, 12, 8, 4), "xyxy": (16, 10, 24, 14), "xywh": (16, 10, 8, 4)}


@pytest.mark.parametrize("form", list(BOX))
@pytest.mark.parametrize("units", ["pixels", "fraction"])
@pytest.mark.parametrize("rows", ["rows", "columns"])
def test_every_form_of_output_gives_the_same_box(
    tmp_path: Path, form: str, units: str, rows: str
) -> None:
    edges = np.array(BOX[form]) / (SIDE if units == "fraction" else 1)
    given = np.array([[[*edges, 0.9], [*edges, 0.01]]])
    given = given.transpose(0, 2, 1) if rows == "columns" else given
    own = detector(tmp_path, network(given), f"rows = '{rows}'\nbox = '{form}'\nunits = '{units}'")
    (box,) = own.detect(PICTURE).boxes
    assert box.edges == pytest.approx((50, 31.25, 75, 43.75), abs=1e-3)
    assert box.kind == "plate"
    assert box.score == pytest.approx(0.9)


def test_a_stretched_picture_has_a_scale_for_each_side(tmp_path: Path) -> None:
    given = np.array([[[32, 32, 64, 64, 0.9]]])
    (box,) = detector(tmp_path, network(given), resize="stretch").detect(PICTURE).boxes
    assert box.edges == pytest.approx((0, 0, 200, 100))


def test_objectness_and_classes_make_the_score(tmp_path: Path) -> None:
    given = np.array([[[32, 16, 10, 10, 0.5, 0.9, 0.2], [10, 16, 5, 5, 1.0, 0.9, 0.8]]])
    found = detector(tmp_path, network(given), "objectness = true\nclasses = [1]").detect(PICTURE)
    assert [box.score for box in found.boxes] == pytest.approx([0.8])
    assert found.unsure == ()


def test_candidates_are_sure_unsure_or_nothing_and_double_ones_go(tmp_path: Path) -> None:
    given = np.array([[[10, 10, 8, 8, 0.9], [10, 10, 8, 7, 0.8], [40, 10, 8, 8, 0.4],
                       [60, 10, 8, 8, 0.1]]])  # fmt: skip
    found = detector(tmp_path, network(given)).detect(PICTURE)
    assert [box.score for box in found.boxes] == pytest.approx([0.9])
    assert [box.score for box in found.unsure] == pytest.approx([0.4])
    assert found.verdict == "unsure"


@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize(("order", "channel"), [("rgb", 0), ("bgr", 2)])
def test_pixels_are_laid_out_and_scaled_as_described(
    tmp_path: Path, nhwc: bool, order: str, channel: int
) -> None:
    own = detector(
        tmp_path,
        colours(nhwc),
        f"classes = [{channel}]",
        layout="NHWC" if nhwc else "NCHW",
        colours=order,
        resize="stretch",
        mean=[55, 0, 0],
        deviation=[200, 255, 255],
    )
    red = np.zeros((50, 50, 3), np.uint8)
    red[..., 0] = 215
    assert own.detect(red).boxes[0].score == pytest.approx(0.8, abs=1e-3)


def test_bytes_are_taken_too(tmp_path: Path) -> None:
    given = np.array([[[10, 10, 8, 8, 0.9]]])
    own = detector(tmp_path, network(given, TensorProto.UINT8, nhwc=True), dtype="uint8",
                   layout="NHWC")  # fmt: skip
    assert own.detect(PICTURE).verdict == "found"


@pytest.mark.parametrize(
    ("given", "output", "message"),
    [
        (np.zeros((1, 2, 4)), "", "must give"),
        (np.zeros((1, 2, 5)), "objectness = true", "must give"),
        (np.zeros((1, 2, 5)), "rows = 'columns'", "must give"),
        (np.full((1, 2, 5), 3.0), "", "scores that are not from 0 to 1"),
        (np.full((1, 2, 5), np.nan), "", "scores that are not from 0 to 1"),
        (np.zeros((1, 2, 5)), "classes = [1]", "scores of 1 classes"),
    ],
)
def test_what_it_gives_has_to_fit(
    tmp_path: Path, given: np.ndarray, output: str, message: str
) -> None:
    own = detector(tmp_path, network(given), output)
    with pytest.raises(ModelError, match=message):
        own.detect(PICTURE)


@pytest.mark.parametrize(
    ("output", "takes", "message"),
    [
        ("box = 'polar'", {}, "output.box"),
        ("low = 0.9", {}, "low must be at most working"),
        ("name = 'boxes'", {}, "outputs output0"),
        ("= 3", {}, "not a TOML file"),
        ("", {"height": 100000}, "input.height"),
        ("", {"height": 32}, "must take one input"),
        ("", {"dtype": "uint8"}, "must take one input"),
        ("", {"deviation": [0, 1, 1]}, "deviation must be above 0"),
        ("", {"path": "/etc"}, "input.path"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, output: str, takes: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        detector(tmp_path, network(np.zeros((1, 1, 5))), output, **takes)


def test_custom_operators_and_tensors_in_other_files_are_refused(tmp_path: Path) -> None:
    model = network(np.zeros((1, 1, 5)))
    model.graph.node[1].domain = "com.example"
    with pytest.raises(ModelError, match=r"plates\.onnx uses a custom operator"):
        detector(tmp_path, model)
    model = network(np.zeros((1, 1, 5)))
    tensor = model.graph.initializer[1]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(ModelError, match="in another file"):
        detector(tmp_path, model)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plates.toml").write_text(f"[input]\nwidth = {SIDE}\nheight = {SIDE}\n")
    with pytest.raises(ModelError, match="There is no"):
        OwnDetector(tmp_path / "plates.onnx")
    (tmp_path / "plates.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="not a valid ONNX model"):
        OwnDetector(tmp_path / "plates.onnx")


def test_a_digest_names_one_file(tmp_path: Path) -> None:
    own = detector(tmp_path, network(np.zeros((1, 1, 5))))
    assert own.description.sha256 is None
    beside = tmp_path / "plates.toml"
    beside.write_text(f"sha256 = '{'0' * 64}'\n" + beside.read_text())
    with pytest.raises(ModelError, match="not the file that its description names"):
        OwnDetector(tmp_path / "plates.onnx")


def test_other_pixels_are_refused(tmp_path: Path) -> None:
    own = detector(tmp_path, network(np.zeros((1, 1, 5))))
    with pytest.raises(UsageError, match="uint8 pixels of shape"):
        own.detect(np.zeros((4, 4), np.uint8))
