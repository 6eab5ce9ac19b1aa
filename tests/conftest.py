"""Shared by all tests."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many workers as cores: more threads of each, which wait by spinning, slow the others down.
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, "1")

if TYPE_CHECKING:
    from pixelmine.models.card import Training


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real pictures that `$PIXELMINE_TEST_DATA` names."""
    folder = os.environ.get("PIXELMINE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("$PIXELMINE_TEST_DATA names no folder of test pictures")
    return Path(folder)


@pytest.fixture(scope="session")
def linear_bundle() -> Callable[..., None]:
    """Write a bundle that needs no training: (64, K) weights times 8x8 grey pixels, 0 to 1."""
    from pixelmine.core import Limits
    from pixelmine.models import Bundle, Card
    from pixelmine.models.card import Input
    from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
    from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize

    steps = (Resize(height=8, width=8), Normalise())
    preprocessing = Preprocessing(decode=DecodeOptions(colour="grey"), steps=steps)

    def write(
        path: Path,
        weights: np.ndarray,
        training: "Training | None" = None,
        picture_ids: Iterable[str] = (),
    ) -> None:
        golden = []
        for name in SHIPPED:
            pixels = preprocessing.prepare(golden_bytes(name), Limits())
            assert isinstance(pixels, np.ndarray)
            vector = pixels.reshape(-1)
            golden.append(GoldenPicture(name, golden_bytes(name), vector @ weights, vector))
        card = Card(
            name=path.stem,
            description="A linear model.",
            licence="none",
            source="a test",
            created="2026-11-23",
            input=Input(dtype="float32", height=8, width=8, channels=1),
            embedding_dimensions=64,
            labels=[str(k) for k in range(weights.shape[1])],
            preprocessing=preprocessing.to_card(),
            training=training,
            files={},
        )
        files = {"model.onnx": linear_network(weights), "seen.bin": Bundle.seen(picture_ids)}
        Bundle.make(card, files, golden).save(path)

    return write


def linear_network(weights: np.ndarray) -> bytes:
    """ONNX: `pixels` (N, 8, 8, 1) to `embedding`, flat, and `logits`, times the weights."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def value(name: str, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    nodes = [
        helper.make_node("Flatten", ["pixels"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "weights"], ["logits"]),
    ]
    out = [value("logits", "N", weights.shape[1]), value("embedding", "N", 64)]
    held = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "linear", [value("pixels", "N", 8, 8, 1)], out, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.ModelProto.SerializeToString(model))
