import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.augment.shift import RandomShift


def sheet(top: int, left: int, level: int = 3) -> np.ndarray:
    """A block of 4x5 pixels on an empty sheet of 12x14, uint8 (1, 12, 14, 1)."""
    picture = np.full((1, 12, 14, 1), level, np.uint8)
    picture[0, top : top + 4, left : left + 5, 0] = np.arange(100, 120).reshape(4, 5)
    return picture


@given(
    st.integers(0, 8), st.integers(0, 9), st.integers(1, 12), st.integers(0, 9), st.integers(0, 70)
)
def test_the_content_is_moved_as_it_is_and_never_cut(
    top: int, left: int, pixels: int, seed: int, level: int
) -> None:
    step = RandomShift(pixels=pixels)
    found = step(sheet(top, left, level), np.random.default_rng(seed))
    places = np.argwhere(found[0, ..., 0] == 100)
    assert len(places) == 1
    down, right = places[0] - (top, left)
    if top in (0, 8) or left in (0, 9):  # touches an edge
        assert (down, right) == (0, 0)
    assert max(abs(down), abs(right)) <= pixels
    np.testing.assert_array_equal(found, sheet(top + down, left + right, level))


def test_every_place_within_the_margin_is_as_likely() -> None:
    batch = np.repeat(sheet(1, 7), 6_000, axis=0)  # 1 up to 2 down; 2 left to 2 right
    found = RandomShift(pixels=2)(batch, np.random.default_rng(1))
    places = np.argwhere(found[..., 0] == 100)[:, 1:] - (1, 7)
    values, counts = np.unique(places, axis=0, return_counts=True)
    assert values.tolist() == [[y, x] for y in (-1, 0, 1, 2) for x in (-2, -1, 0, 1, 2)]
    assert counts.min() > 230  # of 300 each
    assert counts.max() < 370


def test_what_has_no_margin_or_nothing_else_stays() -> None:
    random = np.random.default_rng(2)
    full = random.integers(0, 256, (20, 9, 9, 3)).astype(np.uint8)
    full[:, [0, -1, 0, -1], [0, 0, -1, -1]] = [0, 255, 100]
    np.testing.assert_array_equal(RandomShift()(full, random), full)
    empty = random.integers(50, 60, (20, 9, 9, 3)).astype(np.uint8)
    np.testing.assert_array_equal(RandomShift()(empty, random), empty)


@pytest.mark.parametrize("options", [{"pixels": 0}, {"pixels": 1.5}, {"tolerance": 256}])
def test_what_cannot_be_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        RandomShift(**options)
