"""Whole units count as one picture, independent ones as what they are, few units as little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pixelmine.mine.design_effect import common_effect, effect_of_numbers, effects_of_counts


def counts(units: np.ndarray, has: np.ndarray) -> tuple[csr_array, np.ndarray]:
    table = np.zeros((units.max() + 1, has.shape[1]))
    np.add.at(table, units, has)
    return csr_array(table), np.bincount(units)


def test_shares_of_units_that_agree_are_those_of_the_units() -> None:
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(200), 8)
    together = (rng.random(200) < 0.3)[units]
    alone = rng.random(1600) < 0.3
    never = np.zeros(1600, bool)
    found = effects_of_counts(*counts(units, np.stack([together, alone, never, ~never], axis=1)))
    assert found[0] == pytest.approx(8 * 200 / 197)
    assert found[1] == pytest.approx(1, abs=0.25)
    assert np.isnan(found[2:]).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 10**6))
def test_numbers_and_counts_say_the_same_of_a_share(many: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(many), rng.integers(1, most + 1, many))
    has = rng.random(len(units)) < 0.4
    by_counts = effects_of_counts(*counts(units, has[:, None]))[0]
    by_numbers = effect_of_numbers(has.astype(float), units)
    if by_numbers is None:
        assert np.isnan(by_counts)
    else:
        assert by_counts == pytest.approx(by_numbers)
        assert 1 <= by_numbers <= len(units)


def test_few_units_are_one_picture_and_equal_numbers_say_nothing() -> None:
    assert effect_of_numbers(np.arange(30.0), np.repeat(np.arange(3), 10)) == 30
    assert effect_of_numbers(np.ones(30), np.arange(30)) is None
    assert effect_of_numbers(np.array([]), np.array([], int)) is None


def test_one_effect_for_both_sides_is_that_of_the_smaller_side() -> None:
    assert common_effect(4.0, 100, 2.0, 100) == 3
    assert common_effect(8.0, 10**6, 2.0, 100) == pytest.approx(2, abs=0.01)
    assert common_effect(None, 100, 2.0, 5) == 2
    assert common_effect(3.0, 100, None, 5) == 3
    assert common_effect(None, 1, None, 1) == 1
