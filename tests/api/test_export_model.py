"""A model leaves as files for other tools, or in 8 bits with a check that it still agrees."""

import json
import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from pixelmine.api.models import export_model, show_card
from pixelmine.api.quantise import QuantiseOptions
from pixelmine.cli.main import app
from pixelmine.core import Limits
from pixelmine.core.errors import ModelError, PixelmineError, SourceError, UsageError
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Input, Metric, Training
from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
from pixelmine.pipeline import load_model
from pixelmine.preprocess import Preprocessing, Resize
from pixelmine.runtime import open_network

STEPS = Preprocessing(steps=(Resize(height=16, width=16),))
SOME = QuantiseOptions(calibrate=20, check=100, agreement=0.8)


def network() -> bytes:
    """uint8 (N, 16, 16, 3) to 3 logits by a convolution: which channel is brightest."""
    rng = np.random.default_rng(0)
    weight = np.zeros((6, 3, 3, 3), np.float32)
    for channel in range(3):
        weight[channel, channel] = 1 / 9
        weight[channel + 3, channel] = rng.normal(size=(3, 3)) / 9
    dense = np.concatenate([np.eye(3), 0.05 * rng.normal(size=(3, 3))]).astype(np.float32) * 8
    constants = {"scale": np.float32(1 / 64), "weight": weight, "dense": dense}
    nodes = [
        helper.make_node("Cast", ["pixels"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "weight"], ["c"], pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "dense"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", 16, 16, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 6]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make(**changes: object) -> Bundle:
    data, answers = network(), []
    for name in SHIPPED:
        pixels = np.asarray(STEPS.prepare(golden_bytes(name), Limits()))
        found = open_network(data, "onnxruntime", "f32", 1).run(pixels[None])
        answers.append(GoldenPicture(name, golden_bytes(name), found.logits[0], found.embedding[0]))
    values: dict[str, object] = {
        "name": "brightest",
        "description": "Which channel is brightest.",
        "licence": "Apache-2.0",
        "source": "a test",
        "created": "2026-11-23T00:00:00+00:00",
        "input": Input(dtype="uint8", height=16, width=16, channels=3),
        "embedding_dimensions": 6,
        "labels": ["0", "1", "2"],
        "preprocessing": STEPS.to_card(),
        "metrics": {"accuracy": Metric(value=0.9, low=0.8, high=0.95, pictures=90, data="a pile")},
        "files": {},
    }
    files = {"model.onnx": data, "seen.bin": Bundle.seen(["7" * 64])}
    return Bundle.make(Card(**{**values, **changes}), files, answers)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "brightest.bundle"
    make().save(path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures in one of three tints, 2 of them again, and one that is none."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    for index in range(60):
        tint = np.roll([60, 0, 0], index % 3)
        pixels = np.clip(rng.integers(0, 190, (20, 20, 3)) + tint, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{index:02}.png"), pixels)
    for index in range(2):
        (folder / f"copy{index}.png").write_bytes((folder / f"0{index}.png").read_bytes())
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    return folder


def test_int8_gives_a_bundle_that_loads_and_agrees(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "small.zip"
    found = export_model(model, out, precision="int8", pictures=photos, options=SOME)
    assert found["format"] == "bundle"
    assert found["calibrated"] == 20
    assert found["agreement"]["pictures"] == 40
    assert found["agreement"]["value"] >= 0.8
    assert found["accuracy"] is None
    made, before = Bundle.load(out), Bundle.load(model)
    assert found["digest"] == made.card.digest != before.card.digest
    assert made.card.name == "brightest-int8"
    kinds = {n.op_type for n in onnx.load_model_from_string(made.files["model.onnx"]).graph.node}
    assert "QuantizeLinear" in kinds
    metric = made.card.metrics["agreement with the float32 network"]
    assert metric.value == found["agreement"]["value"]
    assert made.card.metrics["accuracy, before quantising"] == before.card.metrics["accuracy"]
    for runtime in ("onnxruntime", "openvino"):
        assert load_model(made, runtime, "f32").card == made.card
    assert {picture.precision for picture in made.golden} == {"int8"}
    assert "0.8" in show_card(out)


def test_pictures_that_showed_the_ranges_count_as_seen(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    export_model(model, tmp_path / "m", precision="int8", pictures=photos, options=SOME)
    seen = Bundle.load(tmp_path / "m")
    assert seen.has_seen(["7" * 64])
    assert len(seen.files["seen.bin"]) == 8 * (1 + 20)


def test_int8_for_other_tools_is_a_plain_network(model: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain"
    export_model(model, out, format="onnx", precision="int8", pictures=photos, options=SOME)
    kinds = {node.op_type for node in onnx.load(out / "model.onnx").graph.node}
    assert "QuantizeLinear" in kinds
    assert "Quantised to 8 bits" in (out / "README.md").read_text("utf-8")


def test_a_network_that_agrees_too_seldom_is_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path
) -> None:
    from pixelmine.api import quantise as module

    def wrong(data: bytes, batches: object) -> bytes:
        """Which channel is darkest."""
        changed = onnx.load_model_from_string(data)
        dense = next(t for t in changed.graph.initializer if t.name == "dense")
        dense.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(dense), "dense"))
        return bytes(changed.SerializeToString())

    monkeypatch.setattr(module, "quantise", wrong)
    with pytest.raises(ModelError, match=r"same answer to 0\.\d+ of 40 pictures .* 0\.8 is the"):
        export_model(model, tmp_path / "m", precision="int8", pictures=photos, options=SOME)
    assert not (tmp_path / "m").exists()


def _write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


def test_labels_of_an_idx_folder_give_the_accuracy_of_both(model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 256, (60, 8, 8), np.uint8)
    grey = np.repeat(pixels[..., None], 3, axis=3)
    ready = np.stack([STEPS(picture) for picture in grey])
    answers = open_network(network(), "onnxruntime", "f32", 1).run(ready).logits.argmax(axis=1)
    _write_idx(tmp_path / "train-images-idx3-ubyte", pixels)
    _write_idx(tmp_path / "train-labels-idx1-ubyte", answers.astype(np.uint8))
    _write_idx(tmp_path / "t10k-images-idx3-ubyte", 255 - pixels)
    _write_idx(tmp_path / "t10k-labels-idx1-ubyte", answers.astype(np.uint8))
    options = QuantiseOptions(calibrate=20, check=100, agreement=0)
    found = export_model(
        model, tmp_path / "m", precision="int8", pictures=tmp_path, options=options
    )
    assert found["agreement"]["pictures"] == 40  # of the 60 of `train` alone
    assert found["accuracy_before"]["value"] == 1
    assert found["accuracy"]["value"] == found["agreement"]["value"]


def test_test_pictures_of_a_collection_are_left_alone(photos: Path, tmp_path: Path) -> None:
    from pixelmine.api.drawn_pictures import draw
    from pixelmine.api.ingest import ingest
    from pixelmine.core.progress import SilentProgress
    from pixelmine.store import Collection

    ingest([photos], into=tmp_path / "c")
    with Collection.open(tmp_path / "c") as collection:
        rows = collection.images.read(["row_id", "picture_id", "status"], "status = 'ok'")
        split_id = "ab" * 32
        parts = [
            {"split_id": split_id, "row_id": row, "part": "test" if index % 2 else "train"}
            for index, row in enumerate(rows["row_id"].to_pylist())
        ]
        import pyarrow as pa

        collection.splits.append(pa.Table.from_pylist(parts, collection.splits.schema))
    training = Training(
        recipe="x",
        seed=1,
        epochs=1,
        best_epoch=1,
        pictures=1,
        held_back=0,
        data_digest="0" * 64,
        split_id=split_id,
    )
    pictures = dict(zip(rows["row_id"].to_pylist(), rows["picture_id"].to_pylist(), strict=True))
    train = {pictures[p["row_id"]] for p in parts if p["part"] == "train"}
    drawn = draw(make(training=training), tmp_path / "c", 1000, SilentProgress())
    assert set(drawn.picture_ids) == train
    assert drawn.pixels.shape == (len(train), 16, 16, 3)
    everything = draw(make(), tmp_path / "c", 1000, SilentProgress())
    assert set(everything.picture_ids) == set(pictures.values())
    assert (
        draw(make(), tmp_path / "c", 5, SilentProgress()).picture_ids
        == (everything.picture_ids[:5])
    )


def test_a_bundle_is_written_again_as_a_zip(model: Path, tmp_path: Path) -> None:
    export_model(model, tmp_path / "b.zip", format="bundle")
    assert zipfile.is_zipfile(tmp_path / "b.zip")
    assert Bundle.load(tmp_path / "b.zip") == Bundle.load(model)


@pytest.mark.parametrize(
    ("options", "said", "kind"),
    [
        ({"precision": "int8"}, "go together", UsageError),
        ({"pictures": "photos"}, "go together", UsageError),
        ({"precision": "int4"}, "precision must be one of", UsageError),
        ({"format": "tflite"}, "format must be one of", UsageError),
        ({"precision": "int8", "pictures": "nowhere"}, "nowhere", SourceError),
    ],
)
def test_what_does_not_go_together_is_refused(
    model: Path, tmp_path: Path, options: dict[str, str], said: str, kind: type[PixelmineError]
) -> None:
    with pytest.raises(kind, match=said):
        export_model(model, tmp_path / "out", **options)  # type: ignore[arg-type]  # wrong on purpose


def test_too_few_pictures_and_a_second_time_are_refused(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for index in range(10):
        (few / f"{index}.png").write_bytes((photos / f"{index + 10}.png").read_bytes())
    with pytest.raises(UsageError, match=r"24 different pictures at least.* has 10"):
        export_model(model, tmp_path / "m", precision="int8", pictures=few)
    export_model(model, tmp_path / "m", precision="int8", pictures=photos, options=SOME)
    with pytest.raises(UsageError, match="is there already"):
        export_model(model, tmp_path / "m")
    with pytest.raises(UsageError, match="8-bit model already"):
        export_model(
            tmp_path / "m", tmp_path / "n", precision="int8", pictures=photos, options=SOME
        )


@pytest.mark.parametrize("wrong", [{"calibrate": 0}, {"check": 0}, {"agreement": 1.5}])
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="must be"):
        QuantiseOptions(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_the_command_writes_and_says_how_well_it_agrees(
    model: Path, photos: Path, tmp_path: Path
) -> None:
    words = ["models", "export", str(model), "--out", str(tmp_path / "m")]
    words += ["--precision", "int8", "--pictures", str(photos)]
    words += ["--calibrate", "20", "--check", "100", "--agreement", "0.8"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0, shown.output
    assert "same answers" in shown.stdout
    assert "40 pictures" in shown.stdout
    said = CliRunner().invoke(app, [*words, "--overwrite", "--json"])
    assert json.loads(said.stdout)["precision"] == "int8"


def test_the_command_shows_the_card_as_markdown(model: Path) -> None:
    shown = CliRunner().invoke(app, ["models", "show", str(model), "--markdown"])
    assert shown.stdout == show_card(model)
    said = CliRunner().invoke(app, ["models", "show", str(model), "--markdown", "--json"])
    assert json.loads(said.stdout)["markdown"] == show_card(model)
