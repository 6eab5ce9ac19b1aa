"""Wrong labels are told from right ones, and the right one is suggested."""

import numpy as np

from pixelmine.mine.label_errors import suspect
from pixelmine.mine.out_of_fold import out_of_fold

from .test_out_of_fold import blobs


def test_flipped_labels_come_first_with_what_they_were() -> None:
    x, truth = blobs(600, seed=5)
    y = truth.copy()
    flipped = np.random.default_rng(1).permutation(600)[:60]
    y[flipped] = (y[flipped] + 1) % 3
    wrong = y != truth
    found = suspect(out_of_fold(x, y, np.arange(600)).probabilities, y)
    assert wrong[found.order[:60]].mean() > 0.9
    assert (found.suggested[wrong] == truth[wrong]).mean() > 0.95
    assert wrong[found.suspected].mean() > 0.9
    assert found.suspected[wrong].mean() > 0.8


def test_labels_that_nobody_doubts_are_not_suspected() -> None:
    _x, y = blobs(600, seed=5)
    probabilities = np.full((600, 3), 0.05, np.float32)
    probabilities[np.arange(600), y] = 0.9
    found = suspect(probabilities, y)
    assert found.wrong == 0
    assert not found.suspected.any()
    assert sorted(found.order.tolist()) == list(range(600)), "all are ranked"


def test_the_number_of_wrong_labels_is_estimated() -> None:
    probabilities = np.repeat([[0.9, 0.1], [0.1, 0.9], [0.05, 0.95]], [50, 50, 10], axis=0)
    y = np.repeat([0, 1, 0], [50, 50, 10])
    found = suspect(probabilities.astype(np.float32), y)
    assert found.wrong == 10
    assert np.flatnonzero(found.suspected).tolist() == list(range(100, 110))
    np.testing.assert_allclose(found.score[100:], 0.95, atol=1e-4)


def test_no_more_are_suspected_than_another_label_is_more_probable_for() -> None:
    """Of pictures whose given label is the more probable none is, whatever was estimated."""
    probabilities = np.array([[0.6, 0.4]] * 30 + [[0.45, 0.55]] * 3 + [[0.48, 0.52]] * 30)
    y = np.repeat([0, 1], [33, 30])
    found = suspect(probabilities.astype(np.float32), y)
    assert not found.suspected[found.probability <= found.given].any()
