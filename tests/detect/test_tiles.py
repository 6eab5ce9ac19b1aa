import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.detect.tiles import STEP, tiles

SIDE, OVERLAP = 320, 80


def picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 251, y % 241, (x + y) % 239], axis=-1).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 1100), st.integers(1, 1100))
def test_tiles_show_the_whole_picture_as_it_is(height: int, width: int) -> None:
    pixels = picture(height, width)
    again = np.zeros_like(pixels)
    seen = np.zeros((height, width), bool)
    for tile in tiles(pixels, 1, SIDE, OVERLAP):
        part = again[tile.y : tile.y + SIDE, tile.x : tile.x + SIDE]
        h, w = part.shape[:2]
        part[:] = tile.pixels[:h, :w]
        seen[tile.y : tile.y + h, tile.x : tile.x + w] = True
        assert not tile.pixels[h:].any()
        assert not tile.pixels[:, w:].any()
    assert seen.all()
    np.testing.assert_array_equal(again, pixels)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500), st.integers(1, 1500), st.data())
def test_whatever_fits_the_overlap_is_whole_in_the_one_tile_whose_core_holds_its_middle(
    height: int, width: int, data: st.DataObject
) -> None:
    x = data.draw(st.floats(0, width))
    y = data.draw(st.floats(0, height))
    holding = [
        tile
        for tile in tiles(np.zeros((height, width, 3), np.uint8), 1, SIDE, OVERLAP)
        if tile.core[0] <= x < tile.core[2] and tile.core[1] <= y < tile.core[3]
    ]
    assert len(holding) == 1
    (tile,) = holding
    for middle, start, length in ((x, tile.x, width), (y, tile.y, height)):
        assert start == 0 or middle - OVERLAP / 2 >= start
        assert start + SIDE >= length or middle + OVERLAP / 2 <= start + SIDE


@pytest.mark.parametrize(("height", "width"), [(1, 1), (160, 161), (533, 400), (320, 320)])
def test_padded_sides_are_few(height: int, width: int) -> None:
    for tile in tiles(picture(height, width), 1, SIDE, OVERLAP):
        assert all(side % STEP == 0 and side <= SIDE for side in tile.pixels.shape[:2])


def test_a_picture_is_resized_first() -> None:
    (tile,) = tiles(np.full((900, 600, 3), 77, np.uint8), 1 / 3, SIDE, OVERLAP)
    assert tile.pixels.shape == (320, 320, 3)
    assert (tile.pixels[:300, :200] == 77).all()
    assert not tile.pixels[300:].any()
    (tile,) = tiles(np.full((3000, 1, 3), 77, np.uint8), 0.1, SIDE, OVERLAP)
    assert (tile.pixels[:300, :1] == 77).all()
