import numpy as np
import pytest
from sklearn import metrics

from pixelmine.evaluate.bootstrap import estimate, resampled_figures, weights


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(0)
    truth = rng.choice(4, 200, p=[0.5, 0.3, 0.15, 0.05])
    answer = np.where(rng.uniform(size=200) < 0.7, truth, rng.integers(0, 4, 200))
    return truth, answer


def obvious(truth, answer, resamples):
    """Pictures drawn anew within each class, one resample after the other."""
    rng = np.random.default_rng(9)
    strata = [np.flatnonzero(truth == k) for k in np.unique(truth)]
    found = []
    for _ in range(resamples):
        places = np.concatenate([rng.choice(s, len(s)) for s in strata])
        t, a = truth[places], answer[places]
        hits = np.array([((t == k) & (a == k)).sum() for k in range(4)])
        pictures, given = (np.bincount(one, minlength=4) for one in (t, a))
        found.append([(hits / pictures).mean(), (2 * hits / (pictures + given)).mean()])
    return np.array(found).T


def test_drawing_counts_is_drawing_pictures(answers):
    truth, answer = answers
    slow = obvious(truth, answer, 800)
    fast = np.stack(resampled_figures(metrics.confusion_matrix(truth, answer), 20_000, 1))
    np.testing.assert_allclose(fast.mean(axis=1), slow.mean(axis=1), atol=0.006)
    np.testing.assert_allclose(fast.std(axis=1), slow.std(axis=1), rtol=0.1)


def test_weights_keep_the_number_of_each_class(answers):
    truth, _ = answers
    drawn = np.concatenate(list(weights(truth, 50, 3)))
    assert drawn.shape == (50, 200)
    for k in range(4):
        assert set(drawn[:, truth == k].sum(axis=1)) == {(truth == k).sum()}


def test_large_sets_come_in_parts_that_add_up(monkeypatch):
    monkeypatch.setattr("pixelmine.evaluate.bootstrap._CHUNK", 70)
    parts = list(weights(np.zeros(10, int), 20, 0))
    assert [len(part) for part in parts] == [7, 7, 6]


def test_the_same_seed_is_the_same_interval(answers):
    table = metrics.confusion_matrix(*answers)
    once, again = (resampled_figures(table, 100, 4)[0] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert (resampled_figures(table, 100, 5)[0] != once).any()


def test_an_interval_is_made_of_percentiles():
    one = estimate(0.5, np.linspace(0, 1, 1001))
    assert (one.value, one.low, one.high) == pytest.approx((0.5, 0.025, 0.975))
