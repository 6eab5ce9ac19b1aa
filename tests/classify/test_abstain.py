"""A threshold keeps the error rate that was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.classify.abstain import error_threshold, label_thresholds
from pixelmine.classify.calibration import sigmoid, softmax
from tests.classify.drawn import drawn


def answers(count: int, seed: int, sure: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    data = drawn(count, seed, sure=sure)
    p = softmax(data.logits)
    return p.max(axis=1), p.argmax(axis=1) == data.y


@pytest.mark.parametrize(("error", "confidence", "sure"), [(0.05, 0.9, 5.0), (0.15, 0.8, 2.0)])
def test_the_error_holds_as_often_as_was_asked(
    error: float, confidence: float, sure: float
) -> None:
    new, hit = answers(50_000, 10_000, sure)
    broken, found = 0, 0
    seeds = 200
    for seed in range(seeds):
        threshold = error_threshold(*answers(500, seed, sure), error, confidence)
        if threshold is not None:
            found += 1
            broken += (~hit[new >= threshold]).mean() > error
    chance = 1 - confidence
    assert broken <= seeds * chance + 3 * np.sqrt(seeds * chance * confidence)
    assert found > 0.8 * seeds, "a bound that is never reached would hold too"


def test_many_pictures_bring_the_threshold_near_the_best_one() -> None:
    new, hit = answers(100_000, 10_000)
    order = np.argsort(-new)
    error = np.cumsum(~hit[order]) / np.arange(1, len(new) + 1)
    most = np.flatnonzero(error <= 0.05).max() / len(new)
    threshold = error_threshold(*answers(20_000, 1), 0.05)
    assert threshold is not None
    share = (new >= threshold).mean()
    assert most - 0.06 < share < most + 0.01


def test_what_cannot_be_reached_is_none_and_what_is_there_already_is_0() -> None:
    guesses = answers(1000, 1, sure=0.0)
    assert error_threshold(*guesses, 0.05) is None
    assert error_threshold(*answers(20, 1), 0.001) is None
    best, right = answers(1000, 1)
    assert error_threshold(best, np.ones_like(right), 0.05) == 0.0


def test_equal_probabilities_fall_on_one_side() -> None:
    best = np.repeat([0.9, 0.6], 500).astype(np.float32)
    right = np.r_[np.ones(500, bool), np.tile([True, False], 250)]
    assert error_threshold(best, right, 0.05) == float(np.float32(0.9))
    assert error_threshold(best[:500], right[500:], 0.05) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_a_stricter_error_or_confidence_never_decides_more(seed: int) -> None:
    best, right = answers(500, seed)
    found = [
        error_threshold(best, right, error, confidence)
        for error, confidence in ((0.2, 0.8), (0.1, 0.8), (0.1, 0.95))
    ]
    limits = [2.0 if value is None else value for value in found]
    assert limits == sorted(limits)


def test_each_label_has_the_threshold_with_its_best_f1() -> None:
    data = drawn(2000, 1, many=True)
    p, y = sigmoid(data.logits), data.y.copy()
    y[:, 3] = False
    y[:9, 3] = True
    found = label_thresholds(p, y)
    assert found[3] == 0.5
    for label in range(3):
        f1 = {
            t: 2
            * (y[:, label] & (p[:, label] >= t)).sum()
            / (y[:, label].sum() + (p[:, label] >= t).sum())
            for t in (*np.linspace(0.05, 0.95, 19), found[label])
        }
        assert f1[found[label]] == max(f1.values())
