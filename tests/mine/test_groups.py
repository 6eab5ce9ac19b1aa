"""Stars: no member is tied to its middle by way of another."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.mine.groups import stars

quick = settings(deadline=None, max_examples=60, database=None)


def random_pairs(seed, n, count):
    random = np.random.default_rng(seed)
    pairs = np.sort(random.integers(0, n, (count, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    return pairs, random.random(len(pairs)), random.random(n)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 120))
def test_each_member_is_tied_to_its_middle_and_to_none_that_is_surer(seed, n, count):
    pairs, strength, rank = random_pairs(seed, n, count)
    middle = stars(n, pairs, strength, rank)
    ties = {tuple(pair): sure for pair, sure in zip(pairs.tolist(), strength, strict=True)}
    assert (middle[middle] == middle).all()
    middles = set(middle[middle != np.arange(n)])
    for place, at in enumerate(middle):
        if at != place:
            sure = ties[tuple(sorted((place, int(at))))]
            others = [ties.get(tuple(sorted((place, int(m))))) for m in middles]
            assert sure == max(one for one in others if one is not None)
        else:
            near = [b if a == place else a for a, b in ties if place in (a, b)]
            assert not any(other in middles for other in near), "two middles are never tied"


def test_a_chain_is_cut():
    chain = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    middle = stars(5, chain, np.ones(4), np.zeros(5))
    assert middle.tolist() == [1, 1, 1, 3, 3] or middle.tolist() == [1, 1, 1, 4, 4]
    assert middle[0] != middle[4]


def test_the_higher_rank_is_the_middle():
    pairs = np.array([[0, 1]])
    assert stars(2, pairs, np.ones(1), np.array([0.0, 1.0])).tolist() == [1, 1]
    assert stars(2, pairs, np.ones(1), np.array([1.0, 0.0])).tolist() == [0, 0]
    assert stars(3, np.empty((0, 2), np.int64), np.empty(0), np.zeros(3)).tolist() == [0, 1, 2]
