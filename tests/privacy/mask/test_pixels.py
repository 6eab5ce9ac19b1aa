"""What is masked is gone, and what is not is as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.detect.box import Box
from pixelmine.privacy.mask import MaskOptions, mask_pixels

quick = settings(deadline=None, max_examples=60, database=None)
STYLES = ("fill", "mosaic", "blur")


def box(x0, y0, x1, y1):
    return Box(kind="face", x0=x0, y0=y0, x1=x1, y1=y1, score=1.0)


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def covered(shape, boxes, grow):
    """Pixel by pixel: does a grown box touch its square?"""
    mask = np.zeros(shape[:2], bool)
    for one in boxes:
        x, y = (one.x0 + one.x1) / 2, (one.y0 + one.y1) / 2
        wide, high = (one.x1 - one.x0) / 2 * grow, (one.y1 - one.y0) / 2 * grow
        columns, rows = np.arange(shape[1]), np.arange(shape[0])
        across = (columns < x + wide) & (columns + 1 > x - wide)
        down = (rows < y + high) & (rows + 1 > y - high)
        mask |= down[:, None] & across
    return mask


# Quarters, so that no edge lies within a rounding error of a pixel's.
edges = st.integers(-160, 320).map(lambda number: number / 4)
boxes = st.builds(
    lambda x, y, wide, high: box(x, y, x + wide, y + high),
    edges,
    edges,
    st.integers(1, 160).map(lambda number: number / 4),
    st.integers(1, 160).map(lambda number: number / 4),
)


@quick
@given(
    found=st.lists(boxes, max_size=4),
    style=st.sampled_from(STYLES),
    grow=st.sampled_from([1.0, 1.25, 1.5]),
    channels=st.sampled_from([1, 3, 4]),
)
def test_only_what_a_grown_box_touches_changes(found, style, grow, channels):
    pixels = noise(40, 50, channels)
    before = pixels.copy()
    masked = mask_pixels(pixels, found, MaskOptions(style=style, grow=grow))
    inside = covered(pixels.shape, found, grow)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(masked[~inside], pixels[~inside])
    if style == "fill":
        colour = [0] if channels == 1 else [0, 0, 0, 255][:channels]
        assert (masked[inside] == colour).all()


@quick
@given(found=st.lists(boxes, min_size=1, max_size=3), style=st.sampled_from(STYLES))
def test_nothing_leaks_over_the_edge_of_a_mask(found, style):
    options = MaskOptions(style=style)
    inside = covered((40, 50), found, options.grow)
    one, other = noise(40, 50), noise(40, 50, seed=1)
    same_inside = np.where(inside[..., None], one, other)
    np.testing.assert_array_equal(
        mask_pixels(one, found, options)[inside], mask_pixels(same_inside, found, options)[inside]
    )
    if style == "fill":
        same_outside = np.where(inside[..., None], other, one)
        np.testing.assert_array_equal(
            mask_pixels(one, found, options), mask_pixels(same_outside, found, options)
        )


def test_a_mosaic_has_at_most_so_many_cells_and_each_is_a_mean():
    pixels = noise(90, 120)
    options = MaskOptions(style="mosaic", grow=1.0, cells=6)
    part = mask_pixels(pixels, [box(10, 10, 70, 50)], options)[10:50, 10:70]
    assert 2 <= len(np.unique(part.reshape(-1, 3), axis=0)) <= 36
    for top in range(0, 40, 10):
        for left in range(0, 60, 10):
            cell = pixels[10 + top : 20 + top, 10 + left : 20 + left]
            mean = cell.mean(axis=(0, 1))
            assert (part[top : top + 10, left : left + 10] == part[top, left]).all()
            assert np.abs(part[top, left] - mean).max() <= 0.5
    small = mask_pixels(pixels, [box(10, 10, 18, 18)], options)[10:18, 10:18]
    assert len(np.unique(small.reshape(-1, 3), axis=0)) <= 4


def test_a_blur_is_near_a_gaussian_of_its_sigma():
    pixels = np.zeros((200, 200, 1), np.uint8)
    pixels[:, 100:] = 255
    blurred = mask_pixels(
        pixels, [box(0, 0, 200, 200)], MaskOptions(style="blur", grow=1.0, sigma=0.1)
    )
    slope = np.diff(blurred[100, :, 0].astype(float)) / 255
    place = np.arange(len(slope)) + 0.5
    middle = (slope * place).sum()
    assert middle == pytest.approx(99.5, abs=0.5)
    assert np.sqrt((slope * (place - middle) ** 2).sum()) == pytest.approx(20, rel=0.05)


def test_a_blur_of_a_small_or_thin_box_still_hides():
    pixels = noise(60, 60)
    for one in (box(10, 10, 16, 16), box(10, 10, 50, 11), box(10, 10, 11, 50)):
        inside = covered(pixels.shape, [one], 1.0)
        masked = mask_pixels(pixels, [one], MaskOptions(style="blur", grow=1.0))
        assert masked[inside].std() < pixels[inside].std() / 2


def test_the_colour_is_as_asked_and_grey_is_its_luma():
    options = MaskOptions(colour=(200, 100, 50))
    assert (mask_pixels(noise(9, 9), [box(0, 0, 9, 9)], options) == [200, 100, 50]).all()
    assert (mask_pixels(noise(9, 9, 1), [box(0, 0, 9, 9)], options) == 124).all()


def test_far_away_boxes_mask_nothing_and_huge_ones_all():
    pixels = noise(9, 9)
    far = [box(1e300, 0, 1.5e300, 1), box(-9, -9, -5, -5), box(0, 40, 9, 50)]
    np.testing.assert_array_equal(mask_pixels(pixels, far), pixels)
    assert not mask_pixels(pixels, [box(-1.7e308, -1.7e308, 1.7e308, 1.7e308)]).any()


@pytest.mark.parametrize(
    "edges", [(np.nan, 0, 1, 1), (0, 0, np.inf, 1), (1, 0, 1, 1), (5, 0, 1, 1), (0, 3, 1, 2)]
)
def test_a_box_without_an_area_is_refused(edges):
    wrong = box(0, 0, 1, 1)
    for name, value in zip(("x0", "y0", "x1", "y1"), edges, strict=True):
        object.__setattr__(wrong, name, value)  # as what is no Box might be
    with pytest.raises(UsageError, match="x0 < x1"):
        mask_pixels(noise(4, 4), [wrong])


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3))]
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(UsageError, match="uint8"):
        mask_pixels(pixels, [])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"style": "bar"}, "style"),
        ({"grow": 0.9}, "grow"),
        ({"grow": float("nan")}, "grow"),
        ({"colour": (0, 0, 256)}, "colour"),
        ({"colour": (0, 0)}, "colour"),
        ({"cells": 17}, "cells"),
        ({"cells": 1.5}, "cells"),
        ({"sigma": 0}, "sigma"),
    ],
)
def test_options_out_of_range_are_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        MaskOptions(**wrong)


def test_only_the_fill_is_not_weaker():
    assert [MaskOptions(style=style).weaker for style in STYLES] == [False, True, True]
