"""Sets that hold the truth as often as was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.classify.calibration import Task, sigmoid, softmax
from pixelmine.classify.conformal import fit_sets, prediction_sets
from pixelmine.models.card import Conformal
from tests.classify.drawn import drawn

SEEDS = 200


def covered(sets: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) bool; of many labels whether all of them are in the set."""
    if y.ndim == 2:
        return (sets | ~y).all(axis=1)
    return sets[np.arange(len(y)), y]


def coverages(
    coverage: float, count: int, task: Task = "single", by_class: bool = False
) -> np.ndarray:
    """On 500 new pictures each, of sets from `count` pictures, over many seeds."""
    found = []
    for seed in range(SEEDS):
        data = drawn(count + 500, seed, many=task == "multi")
        p = (sigmoid if task == "multi" else softmax)(data.logits)
        how = fit_sets(
            p[:count], data.y[:count], coverage, task=task, by_class=by_class, empty=True
        )
        hit, y = covered(prediction_sets(p[count:], how, task), data.y[count:]), data.y[count:]
        found.append([hit[y == k].mean() for k in range(4)] if by_class else hit.mean())
    return np.array(found)


@pytest.mark.parametrize("task", ["single", "multi"])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_the_coverage_is_what_was_asked(coverage: float, task: Task) -> None:
    count = 199
    found = coverages(coverage, count, task)
    deviation = np.sqrt(coverage * (1 - coverage) * (1 / count + 1 / 500) / SEEDS)
    assert coverage - 4 * deviation < found.mean() < coverage + 1 / (count + 1) + 4 * deviation


def test_by_class_each_class_is_covered() -> None:
    found = coverages(0.9, 400, by_class=True).mean(axis=0)
    deviation = np.sqrt(0.9 * 0.1 * (1 / 100 + 1 / 125) / SEEDS)
    assert (found > 0.9 - 4 * deviation).all()
    assert (found < 0.9 + 1 / 100 + 4 * deviation).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 0.9), st.booleans())
def test_more_coverage_makes_no_set_smaller(seed: int, coverage: float, by_class: bool) -> None:
    data = drawn(200, seed)
    p = softmax(data.logits)
    less, more = (
        prediction_sets(p, fit_sets(p, data.y, share, by_class=by_class))
        for share in (coverage, coverage + 0.09)
    )
    assert (more | ~less).all()
    assert less[np.arange(200), p.argmax(axis=1)].all()


def test_the_quantile_counts_the_new_picture_too() -> None:
    p = np.linspace(0.1, 0.9, 9, dtype=np.float32)
    probabilities = np.stack([p, 1 - p], axis=1)
    y = np.zeros(9, int)
    assert fit_sets(probabilities, y, 0.9).at_least == [float(p[0])]
    assert fit_sets(probabilities, y, 0.8).at_least == [float(p[1])]
    assert fit_sets(probabilities, y, 0.91).at_least == [0.0]
    assert fit_sets(probabilities, y, 0.9, by_class=True).at_least == [float(p[0]), 0.0]


def test_a_set_is_empty_only_where_that_is_allowed() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]], np.float32)
    for empty, first in ((True, [False] * 3), (False, [True, False, False])):
        how = Conformal(coverage=0.9, at_least=[0.8], empty=empty)
        assert prediction_sets(p, how).tolist() == [first, [True, False, False]]
    how = Conformal(coverage=0.9, at_least=[0.6, 0.1, 0.1])
    assert prediction_sets(p, how).tolist() == [[True, True, True], [True, False, False]]
    assert not prediction_sets(p, Conformal(coverage=0.9, at_least=[1.0]), "multi").any()
