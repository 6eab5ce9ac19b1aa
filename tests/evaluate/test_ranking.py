import numpy as np
import pytest
from sklearn import metrics

from pixelmine.evaluate.bootstrap import weights
from pixelmine.evaluate.ranking import MOST_WORK, rank


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def answers():
    """300 pictures of 5 classes, with scores that are often equal."""
    rng = np.random.default_rng(3)
    truth = rng.choice(5, 300, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    logits = rng.normal(size=(300, 5))
    logits[np.arange(300), truth] += 1.2
    return truth, np.round(softmax(logits), 2)


def ranked(truth, scores, **options):
    k = scores.shape[1]
    labels = tuple(f"class {i}" for i in range(k))
    return rank(labels, truth[:, None] == np.arange(k), scores, truth, **options)


def test_values_are_scikit_learns(answers):
    truth, scores = answers
    found = ranked(truth, scores, resamples=20)
    assert found.auc.value == pytest.approx(
        metrics.roc_auc_score(truth[:, None] == np.arange(5), scores, average="macro")
    )
    for k, one in enumerate(found.classes):
        assert one.auc.value == pytest.approx(metrics.roc_auc_score(truth == k, scores[:, k]))
        assert one.average_precision.value == pytest.approx(
            metrics.average_precision_score(truth == k, scores[:, k])
        )


def test_two_classes_have_one_auc(answers):
    truth, scores = answers
    two = np.stack([1 - scores[:, 0], scores[:, 0]], axis=1)
    found = ranked((truth == 0).astype(int), two, resamples=20)
    expected = metrics.roc_auc_score(truth == 0, scores[:, 0])
    assert [one.auc.value for one in found.classes] == pytest.approx([expected, expected])


def test_a_resample_counts_pictures_as_scikit_learns_sample_weights(answers):
    """The interval's ends are percentiles of what scikit-learn gives for the same weights."""
    truth, scores = answers
    found = ranked(truth, scores, resamples=40, seed=5)
    drawn = np.concatenate(list(weights(truth, 40, 5)))
    aucs = [metrics.roc_auc_score(truth == 4, scores[:, 4], sample_weight=w) for w in drawn]
    aps = [
        metrics.average_precision_score(truth == 4, scores[:, 4], sample_weight=w) for w in drawn
    ]
    ends = np.percentile(aucs, (2.5, 97.5))
    assert (found.classes[4].auc.low, found.classes[4].auc.high) == pytest.approx(ends)
    ends = np.percentile(aps, (2.5, 97.5))
    one = found.classes[4].average_precision
    assert (one.low, one.high) == pytest.approx(ends)


def test_curves_are_scikit_learns(answers):
    truth, scores = answers
    one = ranked(truth, scores, resamples=2).classes[2]
    false, true, _ = metrics.roc_curve(truth == 2, scores[:, 2], drop_intermediate=False)
    np.testing.assert_allclose(one.roc.y, np.interp(one.roc.x, false, true))
    precision, recall, _ = metrics.precision_recall_curve(truth == 2, scores[:, 2])
    for x, y in zip(one.pr.x[1:], one.pr.y[1:], strict=True):
        highest_threshold = np.flatnonzero(recall >= x - 1e-12)[-1]  # recall falls
        if highest_threshold == len(recall) - 1:  # scikit-learn's made-up last point
            highest_threshold -= 1
        assert y == pytest.approx(precision[highest_threshold])


def test_a_class_without_pictures_is_left_out():
    scores = np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1]])
    found = ranked(np.array([0, 1, 1]), scores, resamples=10)
    assert [one.label for one in found.classes] == ["class 0", "class 1"]
    assert ranked(np.array([0, 0, 0]), scores) is None


def test_above_the_limit_of_work_there_are_values_and_no_intervals(answers):
    truth, scores = answers
    found = ranked(truth, scores, resamples=MOST_WORK)
    assert (found.auc.low, found.classes[0].auc.high) == (None, None)
    assert found.auc.value == ranked(truth, scores, resamples=2).auc.value


def test_many_classes_have_no_curves_of_their_own():
    truth = np.arange(42) % 21
    scores = softmax(np.random.default_rng(0).normal(size=(42, 21)))
    found = ranked(truth, scores, resamples=2)
    assert {one.roc for one in found.classes} == {None}
    assert len(found.roc.x) == len(found.roc.y) == 201
