"""The nearest that are not tied, as a slow reference finds them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.mine.neighbours import untied
from pixelmine.mine.principal import unit


@given(st.integers(2, 80), st.integers(1, 12), st.integers(1, 30), st.integers(0, 5))
def test_as_a_slow_search_finds_them(count: int, k: int, kinds: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = unit(random.normal(size=(count, 6)).astype(np.float32))
    units = random.integers(0, kinds, count)
    places, cosines = untied(x, units, k)
    assert places.shape == cosines.shape == (count, k)
    for row in range(count):
        others = np.flatnonzero(units != units[row])
        expected = np.sort(x[others] @ x[row])[::-1][:k]
        found = places[row][places[row] >= 0]
        assert not (units[found] == units[row]).any()
        np.testing.assert_allclose(cosines[row][: len(expected)], expected, atol=1e-4)
        assert (places[row][len(expected) :] == -1).all()


def test_who_is_surrounded_by_what_is_tied_to_it_looks_further() -> None:
    x = unit(np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32))
    crowd = np.argsort(-(x @ x[0]))[:120]
    units = np.arange(400)
    units[crowd] = units[crowd[0]]
    places, _ = untied(x, units, 10)
    assert (places[0] >= 0).all()
    assert not np.isin(places[0], crowd).any()
