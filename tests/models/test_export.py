"""Files for other tools give what the bundle gives."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import openvino as ov
import pytest

from pixelmine.core.errors import OutputError
from pixelmine.models import Bundle, load_bundle
from pixelmine.models.export import write_onnx, write_openvino


@pytest.fixture(scope="module")
def default() -> Bundle:
    return load_bundle("efficientnet-lite0")


def test_onnx_is_the_bundles_network_with_all_that_one_must_know(
    default: Bundle, tmp_path: Path
) -> None:
    out = tmp_path / "lite"
    write_onnx(default, out)
    assert sorted(p.name for p in out.iterdir()) == ["README.md", "labels.txt", "model.onnx"]
    assert (out / "model.onnx").read_bytes() == default.files["model.onnx"]
    assert (out / "labels.txt").read_text("utf-8").splitlines() == default.card.labels
    readme = (out / "README.md").read_text("utf-8")
    assert "input `pixels`, uint8 (N, 224, 224, 3)" in readme
    assert "short side has 256 pixels" in readme


def test_openvino_gives_the_same_answers(default: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "lite"
    write_openvino(default, out)
    files = ["README.md", "labels.txt", "model.bin", "model.xml"]
    assert sorted(p.name for p in out.iterdir()) == files
    size = len(default.files["model.onnx"])
    assert (out / "model.bin").stat().st_size > 0.9 * size  # float32, not float16
    x = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    model = ov.Core().compile_model(out / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = model([x])
    session = ort.InferenceSession(default.files["model.onnx"])
    for name, expected in zip(
        ("logits", "embedding"), session.run(["logits", "embedding"], {"pixels": x}), strict=True
    ):
        np.testing.assert_allclose(found[name], expected, rtol=1e-3, atol=1e-3)


def test_a_label_is_one_line(default: Bundle, tmp_path: Path) -> None:
    labels = ["two\nlines", *default.card.labels[1:]]
    write_onnx(Bundle(default.card.model_copy(update={"labels": labels}), default.files), tmp_path)
    assert (tmp_path / "labels.txt").read_text("utf-8").splitlines()[0] == "two lines"


def test_what_cannot_be_written_leaves_nothing(default: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="Cannot write"):
        write_onnx(default, tmp_path / "file" / "lite")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
