"""Logits to answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixelmine.classify import Head, softmax

LOGITS = arrays(np.float32, (3, 4), elements=st.floats(-80, 80, width=32))


@given(LOGITS)
def test_probabilities_add_up_and_keep_the_order_of_the_logits(logits: np.ndarray) -> None:
    found = softmax(logits)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    best = logits.max(axis=1)
    chosen = np.take_along_axis(logits, found.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(chosen, best, atol=1e-4)


def test_softmax_is_the_textbook_s() -> None:
    logits = np.array([[1.0, 2.0, 3.0]], np.float32)
    powers = [2.718281828459045**value for value in (1, 2, 3)]
    expected = [power / sum(powers) for power in powers]
    np.testing.assert_allclose(softmax(logits)[0], expected, rtol=1e-6)


def test_large_logits_do_not_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1000.0, 0.0]], np.float32)), [[1, 0]])


def test_temperature_softens() -> None:
    logits = np.array([[2.0, 0.0]], np.float32)
    sharp = Head(("a", "b")).probabilities(logits)[0, 0]
    soft = Head(("a", "b"), temperature=2.0).probabilities(logits)[0, 0]
    assert soft == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-6)
    assert sharp > soft > 0.5


def test_the_decision_is_the_best_label_or_none_below_the_threshold() -> None:
    sure, unsure = np.array([0.8, 0.2], np.float32), np.array([0.4, 0.6], np.float32)
    assert Head(("a", "b")).decide(unsure) == ["b"]
    assert Head(("a", "b"), threshold=0.7).decide(sure) == ["a"]
    assert Head(("a", "b"), threshold=0.7).decide(unsure) is None


def test_top_is_best_first_with_ties_by_index() -> None:
    head = Head(("a", "b", "c"))
    found = head.top(np.array([0.25, 0.5, 0.25], np.float32), 2)
    assert found == [
        {"index": 1, "label": "b", "probability": 0.5},
        {"index": 0, "label": "a", "probability": 0.25},
    ]
    assert len(head.top(np.array([0.25, 0.5, 0.25], np.float32), 10)) == 3
