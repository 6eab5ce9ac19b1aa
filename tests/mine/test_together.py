"""What is tied stays together, and folds have their share of each label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.mine.together import fold_of, units_of


def test_ties_of_two_kinds_make_one_unit() -> None:
    units = units_of(5, [7, 7, None, None, None], [None, "a", "a", None, "b"])
    assert units.tolist() == [0, 0, 0, 1, 2]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=60),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_a_unit_lies_in_one_fold_and_folds_differ_by_one_unit(
    pictures: list[tuple[int, int]], folds: int, seed: int
) -> None:
    units, y = (np.array(column) for column in zip(*pictures, strict=True))
    fold = fold_of(units, y, folds, seed)
    assert all(len(set(fold[units == unit].tolist())) == 1 for unit in units)
    sizes = np.bincount([fold[units == unit][0] for unit in set(units.tolist())], minlength=folds)
    assert sizes.max() - sizes.min() <= 1


def test_each_fold_has_its_share_of_each_label() -> None:
    y = np.repeat([0, 1], [90, 10])
    fold = fold_of(np.arange(100), y, 5, 3)
    assert [int((y[fold == k] == 1).sum()) for k in range(5)] == [2] * 5
    assert not np.array_equal(fold, fold_of(np.arange(100), y, 5, 4)), "the seed draws"


def test_one_fold_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2"):
        fold_of(np.arange(3), np.zeros(3, int), 1)
