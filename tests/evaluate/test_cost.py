"""What a model costs, of one that a child process loads."""

import numpy as np
import pytest

from pixelmine.core.errors import ModelError
from pixelmine.evaluate.cost import BATCH, measure_cost, seconds_per_picture
from pixelmine.models import Bundle
from pixelmine.models.golden import golden_bytes
from pixelmine.pipeline import load_model


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, linear_bundle):
    path = tmp_path_factory.mktemp("cost") / "linear.bundle"
    linear_bundle(path, np.ones((64, 3), np.float32))
    return path


def test_a_model_is_measured_in_a_process_of_its_own(bundle):
    picture = np.zeros((8, 8), np.uint8)
    found = measure_cost(bundle, [picture, golden_bytes("drawn.png")], runtime="onnxruntime")
    assert 0 < found.seconds < 1
    assert found.size_bytes == (bundle / "model.onnx").stat().st_size
    assert found.peak_bytes > found.base_bytes > 10**7
    assert (found.runtime, found.precision) == ("onnxruntime", "f32")


def test_what_cannot_be_loaded_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.bundle.*no model bundle"):
        measure_cost(tmp_path / "nothing.bundle", [np.zeros((8, 8), np.uint8)])


def test_the_median_of_the_batches_counts(bundle, monkeypatch):
    """Of 15, seven of 16 ms and eight of 32; the one before them, of no time, does not count."""
    model = load_model(Bundle.load(bundle), "onnxruntime", "f32")
    lengths = [0.0, *[BATCH * 0.001] * 7, *[BATCH * 0.002] * 8]
    ticks = iter([tick for n in lengths for tick in (0.0, n)])
    monkeypatch.setattr("pixelmine.evaluate.cost.time.perf_counter", lambda: next(ticks))
    assert seconds_per_picture(model, [np.zeros((8, 8), np.uint8)]) == pytest.approx(0.002)


def test_what_is_no_picture_is_refused(bundle):
    model = load_model(Bundle.load(bundle), "onnxruntime", "f32")
    with pytest.raises(ModelError, match="cannot be used"):
        seconds_per_picture(model, [b"no picture"])
