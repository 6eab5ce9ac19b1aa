"""Sets, abstention and strangeness: what is measured of a model that knows when it does not."""

import numpy as np
import pytest
from sklearn import metrics

from pixelmine.evaluate.abstention import accuracy_by_coverage
from pixelmine.evaluate.sets import evaluate_sets
from pixelmine.evaluate.strangeness import separate


def test_sets_are_counted():
    sets = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1]], bool)
    found = evaluate_sets(("a", "b", "c"), np.array([0, 1, 1, 1]), sets)
    assert (found.coverage.hits, found.coverage.pictures) == (2, 4)
    assert found.mean_size == pytest.approx(5 / 4)
    assert found.sizes == {0: 1, 1: 1, 2: 2}
    assert {k: (r.hits, r.pictures) for k, r in found.class_coverage.items()} == {
        "a": (1, 1),
        "b": (1, 3),
    }


def test_answering_only_when_sure():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    found = accuracy_by_coverage(confidence, np.array([True, True, False, True]))
    assert [(one.coverage.hits, one.right.hits) for one in found] == [
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 3),
    ]
    assert [one.threshold for one in found] == confidence.tolist()


def test_answers_of_one_confidence_are_decided_together():
    found = accuracy_by_coverage(np.array([0.5, 0.5, 0.5]), np.array([True, False, True]))
    (only,) = found
    assert (only.coverage.hits, only.right.hits) == (3, 2)


def test_many_pictures_give_fifty_points_up_to_all_of_them():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(size=10_000)
    right = rng.uniform(size=10_000) < confidence
    found = accuracy_by_coverage(confidence, right)
    assert len(found) == 50
    assert (found[-1].coverage.value, found[-1].right.hits) == (1.0, right.sum())
    for one in found:
        assert one.right.hits == right[confidence >= one.threshold].sum()


def test_strangeness_is_an_auroc():
    rng = np.random.default_rng(1)
    usual, strange = (np.round(rng.normal(m, size=n), 1) for m, n in ((0, 400), (2, 100)))
    found = separate(usual, strange)
    truth = np.repeat([0, 1], [400, 100])
    assert found.auroc.value == pytest.approx(
        metrics.roc_auc_score(truth, np.concatenate([usual, strange]))
    )
    assert found.auroc.low < found.auroc.value < found.auroc.high
    false, true, _ = metrics.roc_curve(
        truth, np.concatenate([usual, strange]), drop_intermediate=False
    )
    assert found.false_alarms.value == pytest.approx(false[np.flatnonzero(true >= 0.95)[0]])


def test_without_strange_pictures_nothing_can_be_told_apart():
    assert separate(np.ones(3), np.zeros(0)) is None
