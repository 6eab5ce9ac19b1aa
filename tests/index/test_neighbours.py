"""The nearest vectors against each compared with each."""

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.index import nearest


def unit(count, dimensions=16, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def obvious(vectors, asked, k):
    alike = asked @ vectors.T
    return np.argsort(-alike, axis=1)[:, :k]


def test_each_has_its_nearest_but_not_itself():
    vectors = unit(200)
    found = nearest(vectors, 5)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -2)
    np.testing.assert_array_equal(found.places, np.argsort(-alike, axis=1)[:, :5])
    np.testing.assert_allclose(found.cosines, -np.sort(-alike, axis=1)[:, :5], atol=1e-5)


def test_some_places_and_other_vectors_are_asked_for():
    vectors, others = unit(100), unit(7, seed=1)
    some = np.array([3, 90])
    np.testing.assert_array_equal(
        nearest(vectors, 4, queries=some).places, nearest(vectors, 4).places[some]
    )
    np.testing.assert_array_equal(
        nearest(vectors, 4, queries=others).places, obvious(vectors, others, 4)
    )


def test_an_equal_vector_is_a_neighbour():
    vectors = unit(10)
    vectors[4] = vectors[7]
    found = nearest(vectors, 1)
    assert (found.places[4, 0], found.places[7, 0]) == (7, 4)


def test_fewer_than_asked_for_are_minus_one():
    assert nearest(unit(3), 5).places[:, 2:].max() == -1
    assert nearest(unit(1), 2).places.tolist() == [[-1, -1]]
    assert nearest(np.empty((0, 4), np.float32), 2).places.shape == (0, 2)


def test_cells_find_nearly_all():
    """Crowded as real vectors are: random ones have no neighbours to speak of."""
    random = np.random.default_rng(2)
    vectors = unit(60)[random.integers(0, 60, 4000)] + random.normal(0, 0.1, (4000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    exact, cells = nearest(vectors, 10, exact=True), nearest(vectors, 10, exact=False)
    hits = [len(set(a) & set(b)) for a, b in zip(exact.places, cells.places, strict=True)]
    assert np.mean(hits) > 9.5
    again = nearest(vectors, 10, exact=False)
    np.testing.assert_array_equal(cells.places, again.places)


def test_what_is_no_vector_is_refused():
    with pytest.raises(UsageError, match="float32"):
        nearest(np.zeros((2, 3)), 1)
