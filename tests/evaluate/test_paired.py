import numpy as np
import pytest
from scipy import stats

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import compare_answers


def answers(both, only_a, only_b, neither):
    """Truth 1 throughout; a and b right on as many pictures as said."""
    a = [1] * (both + only_a) + [0] * (only_b + neither)
    b = [1] * both + [0] * only_a + [1] * only_b + [0] * neither
    return np.ones(len(a), int), np.array(a), np.array(b)


def test_mcnemar_is_the_exact_one():
    """A. Agresti, Categorical Data Analysis (1990), table 10.1: 86 and 150 off the diagonal."""
    found = compare_answers(*answers(794, 150, 86, 570))
    assert (found.only_a, found.only_b) == (150, 86)
    assert found.p == pytest.approx(stats.binomtest(86, 236).pvalue)
    assert found.p == pytest.approx(3.7e-5, rel=0.05)
    assert found.difference.value == pytest.approx((86 - 150) / 1600)


def test_the_interval_is_that_of_drawing_pictures():
    truth, a, b = answers(60, 15, 35, 10)
    found = compare_answers(truth, a, b, resamples=20_000)
    rng = np.random.default_rng(0)
    each = (b == truth).astype(int) - (a == truth)
    drawn = each[rng.integers(0, len(each), (20_000, len(each)))].mean(axis=1)
    ends = np.percentile(drawn, (2.5, 97.5))
    assert (found.difference.low, found.difference.high) == pytest.approx(ends, abs=0.011)


def test_the_sentence_says_who_is_better_and_how_sure_that_is():
    found = compare_answers(*answers(60, 5, 35, 0), names=("old", "new"))
    assert found.sentence.startswith("new is better than old by 30.0 points of accuracy (95 %")
    assert found.sentence.endswith("less than once in 1,000.")
    other = compare_answers(*answers(60, 35, 5, 0), names=("old", "new"))
    assert other.sentence.startswith("old is better than new by 30.0 points")
    low, high = -100 * other.difference.high, -100 * other.difference.low
    assert f"{low:.1f} to {high:.1f}" in other.sentence


def test_a_difference_that_chance_may_bring_is_not_called_one():
    found = compare_answers(*answers(60, 4, 6, 0), names=("old", "new"))
    assert "do not show that new and old differ" in found.sentence
    assert "75 times in 100" in found.sentence
    assert found.to_dict()["sentence"] == found.sentence


def test_the_same_model_twice():
    truth, a, _ = answers(5, 1, 1, 1)
    found = compare_answers(truth, a, a)
    assert found.p == 1.0
    assert (found.difference.low, found.difference.high) == (0, 0)
    assert "right on the same pictures" in found.sentence


def test_answers_about_other_pictures_are_refused():
    with pytest.raises(UsageError, match="same pictures"):
        compare_answers(np.ones(3), np.ones(3), np.ones(2))
    with pytest.raises(UsageError, match="at least one picture"):
        compare_answers(np.ones(0), np.ones(0), np.ones(0))
