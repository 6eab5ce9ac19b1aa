import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.index import components, groups, spanning_forest

quick = settings(deadline=None, max_examples=80, database=None)
N = 25
edges = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.integers(0, 31)), max_size=60
)


def obvious(n, pairs):
    """Each place takes the smallest number it can reach; then they are counted up."""
    label = list(range(n))
    for _ in range(n):
        for i, j in pairs:
            label[i] = label[j] = min(label[i], label[j])
    names = sorted(set(label))
    return [names.index(one) for one in label]


def arrays(found):
    return np.array([edge[:2] for edge in found], np.int64).reshape(-1, 2), np.array(
        [edge[2] for edge in found], np.int64
    )


@quick
@given(edges)
def test_what_is_connected_has_one_number_by_its_smallest_place(found):
    pairs, _ = arrays(found)
    label = components(N, pairs)
    assert label.dtype == np.int64
    assert label.tolist() == obvious(N, pairs.tolist())


@quick
@given(edges, st.randoms())
def test_the_order_of_the_pairs_changes_nothing(found, random):
    shuffled = found.copy()
    random.shuffle(shuffled)
    np.testing.assert_array_equal(
        components(N, arrays(found)[0]), components(N, arrays(shuffled)[0][:, ::-1])
    )


@quick
@given(st.lists(edges, max_size=4), st.booleans())
def test_a_forest_ties_the_same_at_every_radius(blocks, thin_each):
    whole = arrays([edge for block in blocks for edge in block])
    held = groups._HELD
    groups._HELD = 0 if thin_each else held
    try:
        pairs, distances = spanning_forest(N, map(arrays, blocks))
    finally:
        groups._HELD = held
    assert len(pairs) < N
    for radius in (-1, 0, 5, 16, 31):
        known = components(N, whole[0][whole[1] <= radius])
        np.testing.assert_array_equal(components(N, pairs[distances <= radius]), known)


def test_nothing_is_tied_to_nothing():
    assert components(0, np.empty((0, 2), np.int64)).tolist() == []
    assert components(3, np.empty((0, 2), np.int64)).tolist() == [0, 1, 2]
    assert spanning_forest(3, [])[0].shape == (0, 2)


def test_a_place_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="0 to 2"):
        components(3, np.array([[0, 3]]))
