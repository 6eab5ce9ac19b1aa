"""Probabilities that are right as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixelmine.classify.calibration import METHODS, calibrated, fit, losses, sigmoid, softmax
from pixelmine.evaluate.calibration import calibration_error, reliability
from pixelmine.models.card import Calibration
from tests.classify.drawn import drawn

LOGITS = arrays(np.float32, (5, 4), elements=st.floats(-80, 80, width=32))
FITTED = [method for method in METHODS if method != "none"]


def error(probabilities: np.ndarray, y: np.ndarray) -> float:
    """Expected calibration error; of many labels over all of them together."""
    if y.ndim == 2:
        return calibration_error(reliability(probabilities.reshape(-1), y.reshape(-1)))
    right = probabilities.argmax(axis=1) == y
    return calibration_error(reliability(probabilities.max(axis=1), right))


@given(LOGITS, st.floats(0.01, 100))
def test_a_temperature_keeps_the_best_label(logits: np.ndarray, temperature: float) -> None:
    how = Calibration(method="temperature", temperature=temperature)
    best = logits[np.arange(5), calibrated(logits, how).argmax(axis=1)]
    # what float32 probabilities cannot tell apart may change places
    np.testing.assert_allclose(best, logits.max(axis=1), atol=1e-5 * temperature)


@pytest.mark.parametrize("off", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("many", [False, True])
def test_the_temperature_is_what_the_logits_were_multiplied_by(off: float, many: bool) -> None:
    data = drawn(4000, 1, off=off, many=many)
    found = fit("temperature", data.logits, data.y, "multi" if many else "single")
    assert found.temperature == pytest.approx(off, rel=0.08)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.2, 5), st.sampled_from([0.9, 1.1]))
def test_no_other_temperature_is_likelier(seed: int, off: float, other: float) -> None:
    data = drawn(2000, seed, off=off)
    best = fit("temperature", data.logits, data.y).temperature
    loss = [
        losses(
            calibrated(data.logits, Calibration(method="temperature", temperature=best * t)), data.y
        ).mean()
        for t in (1.0, other)
    ]
    assert loss[0] < loss[1]


@pytest.mark.parametrize("method", FITTED)
@pytest.mark.parametrize("many", [False, True])
def test_every_method_mends_sureness_on_new_pictures(method: str, many: bool) -> None:
    task = "multi" if many else "single"
    learnt, new = (drawn(4000, seed, off=3.0, many=many) for seed in (1, 2))
    before = error(calibrated(new.logits, Calibration(), task), new.y)
    after = error(calibrated(new.logits, fit(method, learnt.logits, learnt.y, task), task), new.y)
    assert before > 0.08
    assert after < 0.03


@pytest.mark.parametrize("method", ["bias", "vector", "isotonic"])
def test_what_leans_to_one_label_is_set_upright(method: str) -> None:
    learnt, new = (drawn(4000, seed) for seed in (1, 2))
    lean = np.array([2.0, 0, 0, -1], np.float32)
    how = fit(method, learnt.logits + lean, learnt.y)
    found = losses(calibrated(new.logits + lean, how), new.y).mean()
    straight = losses(softmax(new.logits), new.y).mean()
    temperature = fit("temperature", learnt.logits + lean, learnt.y)
    crooked = losses(calibrated(new.logits + lean, temperature), new.y).mean()
    assert found - straight < (0.1 if method == "isotonic" else 0.02) < crooked - straight


def test_a_label_of_its_own_temperature_needs_vector() -> None:
    learnt, new = (drawn(4000, seed, many=True) for seed in (1, 2))
    off = np.array([4.0, 1.0, 1.0, 0.25], np.float32)
    how = fit("vector", learnt.logits * off, learnt.y, "multi")
    np.testing.assert_allclose(how.scale, 1 / off, rtol=0.15)
    assert error(calibrated(new.logits * off, how, "multi"), new.y) < 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 300), st.booleans())
def test_isotonic_lines_rise(seed: int, count: int, many: bool) -> None:
    data = drawn(count, seed, many=many)
    for line in fit("isotonic", data.logits, data.y, "multi" if many else "single").knots:
        assert (np.diff(line.y) > 0).all()
        assert 0 < line.y[0] < line.y[-1] < 1
        assert (line.x[0], line.x[-1]) == (0, 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", ["single", "multi"])
def test_a_calibration_written_and_read_says_the_same(method: str, task: str) -> None:
    data = drawn(300, 1, off=2.0, many=task == "multi")
    how = fit(method, data.logits, data.y, task)
    again = Calibration.model_validate_json(how.model_dump_json())
    assert again == how
    found = calibrated(data.logits, how, task)
    np.testing.assert_array_equal(calibrated(data.logits, again, task), found)
    assert found.dtype == np.float32
    if task == "single":
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("method", FITTED)
def test_where_nothing_was_wrong_no_answer_becomes_certain(method: str) -> None:
    y = np.arange(60) % 3
    logits = np.where(np.eye(3, dtype=bool)[y], 1.0, -1.0).astype(np.float32)
    found = calibrated(logits, fit(method, logits, y))
    assert found.max() < 1
    assert found[np.arange(60), y].min() > 0.9


def test_a_sigmoid_is_the_textbook_s() -> None:
    np.testing.assert_allclose(sigmoid(np.array([[0.0, 2.0]])), [[0.5, 0.8807971]], rtol=1e-6)
    assert sigmoid(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]
