"""What is far is found, also twice, and what is usual comes from the pictures themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.mine.outliers import OutlierOptions, far_from_label, find_outliers
from pixelmine.mine.principal import unit

OPTIONS = OutlierOptions(deviations=4)


def cloud(count: int, at: int = 0, seed: int = 0) -> np.ndarray:
    """Vectors about one axis of sixteen."""
    random = np.random.default_rng(seed)
    return unit(np.eye(16, dtype=np.float32)[at] + 0.1 * random.normal(size=(count, 16)))


def test_a_stranger_is_found_and_its_neighbours_are_the_nearest() -> None:
    x = np.concatenate([cloud(100), cloud(1, at=5)])
    found, near, cosines = find_outliers(x, np.arange(101), OPTIONS)
    assert np.flatnonzero(found.outlier).tolist() == [100]
    assert near[100, 0] == np.argmax(x[:100] @ x[100])
    np.testing.assert_allclose(cosines[100, 0], (x[:100] @ x[100]).max(), atol=1e-5)
    expected = np.sqrt(2 - 2 * np.sort(x[:100] @ x[100])[::-1][:10]).mean()
    np.testing.assert_allclose(found.distance[100], expected, atol=1e-4)


def test_copies_do_not_hide_a_stranger() -> None:
    x = np.concatenate([cloud(100), np.repeat(cloud(1, at=5), 12, axis=0)])
    units = np.minimum(np.arange(112), 100)
    assert np.flatnonzero(find_outliers(x, units, OPTIONS)[0].outlier).tolist() == list(
        range(100, 112)
    )
    assert not find_outliers(x, np.arange(112), OPTIONS)[0].outlier.any(), "else they hide it"


@given(st.integers(30, 80), st.integers(0, 20))
def test_about_its_share_of_a_usual_pile_is_strange(count: int, seed: int) -> None:
    found, _, _ = find_outliers(cloud(count, seed=seed), np.arange(count), OutlierOptions())
    assert found.outlier.mean() < 0.25
    above = found.distance > found.threshold
    np.testing.assert_array_equal(found.outlier, above)


def test_far_from_its_label_though_not_from_all() -> None:
    x = np.concatenate([cloud(60, at=0), cloud(60, at=5, seed=1)])
    y = np.repeat([0, 1], 60)
    y[3] = 1
    assert not find_outliers(x, np.arange(120), OPTIONS)[0].outlier[3]
    found = far_from_label(x, np.arange(120), y, OPTIONS)
    assert np.flatnonzero(found.outlier).tolist() == [3]


def test_labels_of_few_pictures_and_none_are_left_out() -> None:
    y = np.repeat([0, 1, -1], [30, 10, 5])
    found = far_from_label(cloud(45), np.arange(45), y, OPTIONS)
    assert np.isfinite(found.deviations).tolist() == [True] * 30 + [False] * 15
    assert not found.outlier[30:].any()


def test_few_pictures_and_wrong_options_are_refused() -> None:
    with pytest.raises(UsageError, match="too little"):
        find_outliers(cloud(19), np.arange(19), OPTIONS)
    with pytest.raises(UsageError, match="k must be"):
        OutlierOptions(k=0)
    with pytest.raises(UsageError, match="deviations"):
        OutlierOptions(deviations=0)
