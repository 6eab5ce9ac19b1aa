"""Each test keeps its level where nothing differs, and finds what does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from pixelmine.mine.two_samples import (
    compare_histograms,
    compare_shares,
    kernel_test,
    separate,
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_shares_have_an_interval_around_their_difference_and_an_exact_test(first, second, data):
    old, new = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    found = compare_shares(old, first, new, second)
    assert -1 <= found.low <= found.effect <= found.high <= 1
    assert found.effect == pytest.approx(new / second - old / first)
    table = [[new, second - new], [old, first - old]]
    tails = [fisher_exact(table, alternative=side).pvalue for side in ("greater", "less")]
    assert found.p_value == pytest.approx(min(1, 2 * min(tails)), rel=1e-6, abs=1e-12)
    turned = compare_shares(new, second, old, first)
    assert turned.p_value == pytest.approx(found.p_value)
    assert turned.effect == pytest.approx(-found.effect)


def test_histograms_tell_a_shift_and_its_direction():
    rng = np.random.default_rng(1)
    edges = np.linspace(-2, 3, 60)

    def counts(values):
        return np.bincount(np.searchsorted(edges, values), minlength=61)

    old, new = rng.normal(0, 1, 3000), rng.normal(0.3, 1, 2000)
    p_value, effect, low, high = compare_histograms(counts(old), counts(new))
    assert p_value < 1e-6
    exact = np.sign(new[:, None] - old[None]).mean()
    assert effect == pytest.approx(exact, abs=0.01)
    assert low < exact < high
    below = sum(
        compare_histograms(counts(rng.normal(0, 1, 300)), counts(rng.normal(0, 1, 200)))[0] < 0.05
        for _ in range(300)
    )
    assert below <= 25  # 5 % of 300 are 15


def test_a_classifier_tells_apart_what_differs_and_only_that():
    rng = np.random.default_rng(2)
    after = np.arange(600) >= 300
    below = 0
    for seed in range(40):
        vectors = np.random.default_rng(seed).normal(size=(600, 8)).astype(np.float32)
        below += separate(vectors, after, rng.random(600) < 0.5).p_value < 0.05
    assert below <= 6  # 5 % of 40 are 2
    vectors[after] += 0.5
    found = separate(vectors, after, rng.random(600) < 0.5)
    assert found.p_value < 1e-6
    assert 0.6 < found.low < found.auc < found.high < 1
    nothing = separate(vectors, after, np.ones(600, bool))
    assert (nothing.auc, nothing.p_value) == (0.5, 1), "a fold is empty"


def test_the_kernel_finds_a_change_of_spread_and_keeps_its_level():
    after = np.arange(300) >= 150
    below = 0
    for seed in range(60):
        vectors = np.random.default_rng(seed).normal(size=(300, 6)).astype(np.float32)
        below += kernel_test(vectors, after, 99, seed)[1] <= 0.05
    assert below <= 8
    vectors[after] *= 2
    assert kernel_test(vectors, after, 99, 0)[1] == pytest.approx(0.01)
    assert kernel_test(np.zeros((20, 3), np.float32), np.arange(20) > 9, 19, 0)[1] == 1


def test_whole_units_change_sides_in_both_permutation_tests():
    """Bursts of ten: taken one by one nearly every try would be called different."""
    units, after = np.repeat(np.arange(60), 10), np.arange(600) >= 300
    below = {"kernel": 0, "classifier": 0, "single": 0}
    for seed in range(30):
        rng = np.random.default_rng(seed)
        vectors = np.repeat(rng.normal(size=(60, 6)), 10, axis=0)
        vectors = (vectors + rng.normal(0, 0.05, vectors.shape)).astype(np.float32)
        fold = (np.arange(60) % 2 == 0)[units]
        below["kernel"] += kernel_test(vectors, after, 99, seed, units)[1] <= 0.05
        below["single"] += kernel_test(vectors, after, 99, seed)[1] <= 0.05
        found = separate(vectors, after, fold, units, 99, seed)
        below["classifier"] += found.p_value <= 0.05
        assert found.low < found.auc < found.high
    assert below["kernel"] <= 5
    assert below["classifier"] <= 5
    assert below["single"] >= 25
    vectors[after] += 2
    assert kernel_test(vectors, after, 99, 0, units)[1] == pytest.approx(0.01)
    assert separate(vectors, after, fold, units, 99, 0).p_value == pytest.approx(0.02)


def test_counts_are_divided_by_their_design_effect():
    whole, divided = compare_shares(100, 400, 180, 400), compare_shares(100, 400, 180, 400, 10.0)
    assert divided.effect == whole.effect == pytest.approx(0.2)
    assert divided.p_value == pytest.approx(compare_shares(10, 40, 18, 40).p_value)
    assert divided.low < whole.low < whole.high < divided.high
    old, new = np.array([40, 30, 30]), np.array([20, 30, 50])
    whole, divided = compare_histograms(old, new), compare_histograms(old, new, 5.0)
    assert divided[0] > whole[0]
    assert divided[1] == whole[1]
    assert divided[2] < whole[2]
