import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.detect.merge import merge, overlaps

ROW = st.tuples(
    st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(1, 50),
    st.sampled_from([0.1, 0.5, 0.9]),
).map(lambda r: [r[0], r[1], r[0] + r[2], r[1] + r[3], r[4]])  # fmt: skip


def test_overlaps_as_they_are_counted_by_hand() -> None:
    one = np.array([0, 0, 10, 10.0])
    many = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [10, 0, 20, 10.0]])
    union, smaller = overlaps(one, many)
    np.testing.assert_allclose(union, [1, 1 / 3, 0.04, 0])
    np.testing.assert_allclose(smaller, [1, 0.5, 1, 0])


def test_one_thing_seen_twice_is_the_weighted_mean_with_the_highest_score() -> None:
    rows = np.array([[0, 0, 10, 10, 0.9, 5], [1, 0, 11, 10, 0.3, 9.0]])
    np.testing.assert_allclose(merge(rows), [[0.25, 0, 10.25, 10, 0.9, 6]])


def test_a_piece_of_a_thing_goes_and_a_neighbour_stays() -> None:
    whole, piece, neighbour = [0, 0, 100, 100, 0.8], [0, 0, 25, 100, 0.7], [90, 0, 190, 100, 0.6]
    found = merge(np.array([neighbour, piece, whole]))
    np.testing.assert_allclose(found, [whole, neighbour])


def test_nothing_gives_nothing() -> None:
    assert merge(np.empty((0, 15))).shape == (0, 15)


@given(st.lists(ROW, max_size=12), st.randoms())
def test_the_order_does_not_matter(rows: list[list[float]], random: "st.random.Random") -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    a, b = (merge(np.array(some, float).reshape(-1, 5)) for some in (rows, shuffled))
    np.testing.assert_array_equal(a, b)


@given(st.lists(ROW, min_size=1, max_size=12))
def test_every_candidate_is_near_something_that_is_kept(rows: list[list[float]]) -> None:
    found = merge(np.array(rows, float))
    assert (np.diff(found[:, 4]) <= 0).all()
    assert found[0, 4] == max(row[4] for row in rows)
    for row in rows:
        assert overlaps(np.array(row), found)[1].max() > 0
