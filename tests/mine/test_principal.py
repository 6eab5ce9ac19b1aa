"""Fewer numbers, of length 1, that keep what tells vectors apart."""

import numpy as np
import pytest

from pixelmine.mine.principal import Basis, reduce, unit

RNG = np.random.default_rng(3)


def test_a_basis_is_that_of_the_covariance() -> None:
    x = (RNG.normal(size=(300, 6)) * [5, 4, 3, 1, 0.1, 0.01]).astype(np.float32)
    middle = x.mean(axis=0)
    basis = Basis.of(x, middle, 3)
    _, _, expected = np.linalg.svd(x - middle, full_matrices=False)
    assert np.abs(basis.directions.T @ expected[:3].T) == pytest.approx(np.eye(3), abs=1e-3)
    np.testing.assert_allclose(
        basis.reduce(x), unit((x - middle) @ basis.directions), rtol=1e-5, atol=1e-6
    )
    assert basis.wide == 6


def test_about_the_origin_all_directions_keep_cosines() -> None:
    x = RNG.normal(size=(40, 5)).astype(np.float32) + 1
    kept = Basis.of(x, np.zeros(5, np.float32), 5).reduce(x)
    np.testing.assert_allclose(kept @ kept.T, unit(x) @ unit(x).T, atol=1e-5)


def test_reduced_vectors_are_about_their_mean_and_no_longer_than_asked() -> None:
    x = RNG.normal(size=(50, 8)).astype(np.float32) + 3
    for most, wide in ((4, 4), (8, 8), (20, 8)):
        found = reduce(x, most)
        assert (found.shape, found.dtype) == ((50, wide), np.float32)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(reduce(x, 20), unit(x - x.mean(axis=0)))
    assert (unit(np.zeros((2, 3), np.float32)) == 0).all()
