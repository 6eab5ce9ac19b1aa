"""Logits to answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pixelmine.classify import Asked, Head, learn, softmax
from pixelmine.classify.ood import Oddness
from pixelmine.models.card import KNOWING, Calibration, Conformal, Thresholds
from tests.classify.drawn import drawn

LOGITS = arrays(np.float32, (3, 4), elements=st.floats(-80, 80, width=32))
AB = ("a", "b")


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
    how = Calibration(method="temperature", temperature=2.0)
    sharp = Head(AB).probabilities(logits)[0, 0]
    soft = Head(AB, calibration=how).probabilities(logits)[0, 0]
    assert soft == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-6)
    assert sharp > soft > 0.5


def decisions(head: Head, *probabilities: float) -> list[list[str] | None]:
    logits = np.log([[p, 1 - p] for p in probabilities]).astype(np.float32)
    return [answer["decision"] for answer in head.answers(logits, None, 1)]


def test_the_decision_is_the_best_label_or_none_below_the_threshold() -> None:
    assert decisions(Head(AB), 0.4) == [["b"]]
    head = Head(AB, thresholds=Thresholds(decision=0.7))
    assert decisions(head, 0.8, 0.4, 0.2) == [["a"], None, ["b"]]
    assert head.abstains
    assert not Head(AB).abstains


def test_of_many_labels_those_above_their_thresholds_are_decided() -> None:
    logits = np.array([[1.0, 1.0], [-1.0, 3.0], [-1.0, -1.0]], np.float32)
    found = Head(AB, task="multi").answers(logits, None, 2)
    assert [answer["decision"] for answer in found] == [["a", "b"], ["b"], []]
    assert found[1]["top"][0]["label"] == "b"
    assert found[1]["top"][0]["probability"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert sum(entry["probability"] for entry in found[0]["top"]) > 1
    head = Head(AB, task="multi", thresholds=Thresholds(labels=[0.2, 0.9]))
    found = head.answers(logits, None, 2)
    assert [answer["decision"] for answer in found] == [["a"], ["a", "b"], ["a"]]


def test_top_is_best_first_with_ties_by_index() -> None:
    head = Head(("a", "b", "c"))
    found = head.top(np.array([0.25, 0.5, 0.25], np.float32), 2)
    assert found == [
        {"index": 1, "label": "b", "probability": 0.5},
        {"index": 0, "label": "a", "probability": 0.25},
    ]
    assert len(head.top(np.array([0.25, 0.5, 0.25], np.float32), 10)) == 3


def test_a_set_is_best_first_and_null_without_any_asked_for() -> None:
    logits = np.log([[0.3, 0.6, 0.1]]).astype(np.float32)
    assert Head(("a", "b", "c")).answers(logits, None, 1)[0]["set"] is None
    head = Head(("a", "b", "c"), conformal=Conformal(coverage=0.9, at_least=[0.2]))
    assert head.answers(logits, None, 1)[0]["set"] == ["b", "a"]


def test_what_is_odd_is_said_and_where_asked_not_decided() -> None:
    data = drawn(400, 1)
    learned = learn(data.logits, data.embedding, data.y, asked=Asked(error=None))
    oddness = Oddness.from_bytes(learned.files[KNOWING], 6)
    logits = np.concatenate([data.logits[:1], np.zeros((1, 4), np.float32)])
    embedding = np.concatenate([data.embedding[:1], np.eye(6, dtype=np.float32)[5:] * 50])
    labels = ("a", "b", "c", "d")
    says = Head(labels, oddness=oddness).answers(logits, embedding, 1)
    assert says[0]["ood"] < says[1]["ood"] == 1
    assert says[1]["decision"] is not None
    head = Head(labels, thresholds=Thresholds(ood=0.999), oddness=oddness)
    asked = head.answers(logits, embedding, 1)
    assert head.abstains
    assert [answer["decision"] for answer in asked] == [says[0]["decision"], None]
    with pytest.raises(ValueError, match="embedding"):
        head.answers(logits, None, 1)
