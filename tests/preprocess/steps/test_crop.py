from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import CenterCrop, CenterSquare, Crop, FiveCrop


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def cropped(pixels, height, width):
    out = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    for y in range(height):
        for x in range(width):
            rows, columns = pixels.shape[0] - height, pixels.shape[1] - width
            # cut: the smaller half is left off before; padded: the smaller half is put on before
            i = y + (rows // 2 if rows >= 0 else -(-rows // 2))
            j = x + (columns // 2 if columns >= 0 else -(-columns // 2))
            if 0 <= i < pixels.shape[0] and 0 <= j < pixels.shape[1]:
                out[y, x] = pixels[i, j]
    return out


@settings(deadline=None, max_examples=60, database=None)
@given(*(st.integers(1, 12) for _ in range(4)))
def test_center_crop_against_the_reference(height, width, rows, columns):
    pixels = noise(rows, columns)
    found = CenterCrop(height=height, width=width)(pixels)
    np.testing.assert_array_equal(found, cropped(pixels, height, width))


def test_an_odd_remainder_leaves_more_on_the_right_and_at_the_bottom():
    pixels = np.arange(25).reshape(5, 5, 1)
    assert CenterCrop(height=2, width=2)(pixels)[..., 0].tolist() == [[6, 7], [11, 12]]
    assert CenterCrop(height=4, width=4)(pixels)[..., 0].tolist()[0] == [0, 1, 2, 3]


def test_a_smaller_picture_is_padded_with_black():
    found = CenterCrop(height=4, width=3)(np.full((1, 5, 3), 9, np.uint8))
    assert found[..., 0].tolist() == [[0] * 3, [9] * 3, [0] * 3, [0] * 3]


@pytest.mark.parametrize(
    "options",
    [{"height": 0, "width": 1}, {"height": 1, "width": 4097}, {"height": 1.5, "width": 1}],
)
def test_center_crop_refuses(options):
    with pytest.raises(UsageError):
        CenterCrop(**options)


def test_an_even_crop_of_an_odd_picture_keeps_the_middle():
    # 256 and a crop of 224 is how the built-in model sees a picture
    step = CenterCrop(height=224, width=224)
    pixels = noise(256, ceil(256 * 4 / 3))
    np.testing.assert_array_equal(step(pixels), pixels[16:240, 59:283])


def boxed(pixels, top, left, height, width):
    out = np.zeros((height, width, pixels.shape[2]), pixels.dtype)
    for y in range(height):
        for x in range(width):
            if top + y < pixels.shape[0] and left + x < pixels.shape[1]:
                out[y, x] = pixels[top + y, left + x]
    return out


@settings(deadline=None, max_examples=60, database=None)
@given(*(st.integers(1, 12) for _ in range(4)), st.integers(0, 14), st.integers(0, 14))
def test_crop_against_the_reference(height, width, rows, columns, top, left):
    pixels = noise(rows, columns)
    found = Crop(top=top, left=left, height=height, width=width)(pixels)
    np.testing.assert_array_equal(found, boxed(pixels, top, left, height, width))


@settings(deadline=None, max_examples=60, database=None)
@given(st.integers(1, 20), st.floats(0, 0.99), st.floats(0.001, 1))
def test_a_fraction_of_a_side_is_rounded_and_never_nothing(side, start, length):
    length = min(length, 1 - start)
    step = Crop(top=0, left=start, height=1, width=length, unit="fraction")
    found = step(np.arange(side, dtype=np.uint8).reshape(1, side, 1))[0, :, 0]
    inside = [x for x in range(side) if round(start * side) <= x < round((start + length) * side)]
    assert found.tolist() == (inside or [min(round(start * side), side - 1)])


def test_a_quarter_is_a_quarter():
    pixels = noise(8, 12)
    step = Crop(top=0.5, left=0.25, height=0.5, width=0.75, unit="fraction")
    np.testing.assert_array_equal(step(pixels), pixels[4:, 3:])


@pytest.mark.parametrize(
    "options",
    [
        *({"height": 0}, {"width": 4097}, {"top": -1}, {"left": 0.5}, {"top": True}),
        *({"unit": "fraction", "top": 0.5, "height": 0.6}, {"unit": "fraction", "height": 0}),
        *({"unit": "fraction", "height": 0.5, "width": 0.5, "left": -0.1}, {"unit": "mm"}),
        {"unit": "fraction", "height": float("nan"), "width": 0.5},
    ],
)
def test_crop_refuses(options):
    with pytest.raises(UsageError):
        Crop(**{"top": 0, "left": 0, "height": 1, "width": 1, **options})


@settings(deadline=None, max_examples=60, database=None)
@given(*(st.integers(1, 12) for _ in range(4)))
def test_five_crop_against_the_reference(height, width, rows, columns):
    pixels = noise(rows, columns)
    found = FiveCrop(height=height, width=width)(pixels)
    large = cropped(pixels, max(height, rows), max(width, columns))
    down, right = large.shape[0] - height, large.shape[1] - width
    for view, (top, left) in enumerate([(0, 0), (0, right), (down, 0), (down, right)]):
        np.testing.assert_array_equal(found[view], boxed(large, top, left, height, width))
    np.testing.assert_array_equal(found[4], cropped(pixels, height, width))


def test_a_square_of_the_middle_is_a_fraction_of_the_short_side():
    pixels = np.arange(8 * 11).reshape(8, 11, 1)
    found = CenterSquare(fraction=0.5)(pixels)[..., 0]
    np.testing.assert_array_equal(found, pixels[2:6, 3:7, 0])
    assert CenterSquare(fraction=1)(pixels).shape == (8, 8, 1)
    assert CenterSquare(fraction=0.01)(pixels).shape == (1, 1, 1)


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, float("nan")])
def test_a_square_larger_than_the_picture_is_refused(fraction):
    with pytest.raises(UsageError, match="above 0"):
        CenterSquare(fraction=fraction)
