from math import cos, floor, radians, sin

import cv2
import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Rotate


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def turned(pixels, degrees):
    """Look back along the turn from each new pixel, and sample bilinearly; outside is black."""
    height, width = pixels.shape[:2]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    a, b = cos(radians(degrees)), sin(radians(degrees))
    padded = np.zeros((height + 2, width + 2, pixels.shape[2]))
    padded[1:-1, 1:-1] = pixels
    out = np.zeros(pixels.shape)
    for y in range(height):
        for x in range(width):
            dx, dy = x - middle_x, y - middle_y
            at_x, at_y = a * dx - b * dy + middle_x, b * dx + a * dy + middle_y
            if not (-1 <= at_x < width and -1 <= at_y < height):
                continue
            i, j = floor(at_y), floor(at_x)
            down, right = at_y - i, at_x - j
            for rows, row_share in ((i, 1 - down), (i + 1, down)):
                for columns, share in ((j, 1 - right), (j + 1, right)):
                    if -1 <= rows <= height and -1 <= columns <= width:
                        out[y, x] += row_share * share * padded[rows + 1, columns + 1]
    return out


@pytest.mark.parametrize("degrees", [10, 30, -45, 89, 123.4, -271])
@pytest.mark.parametrize("size", [(21, 30), (24, 24), (30, 17)])
def test_rotate_against_the_reference(degrees, size):
    smooth = cv2.GaussianBlur(noise(*size), (0, 0), 2)
    found, expected = Rotate(degrees=degrees)(smooth), turned(smooth, degrees)
    assert found.shape == smooth.shape
    # OpenCV may look at places in steps of 1/32 of a pixel
    assert np.abs(found - expected).max() < 8
    assert np.abs(found - expected).mean() < 0.6


def test_it_turns_counter_clockwise():
    pixels = np.zeros((9, 9, 1), np.uint8)
    pixels[4, 8] = 255  # to the right of the middle
    for degrees in (90, 89.9, -270):
        found = Rotate(degrees=degrees)(pixels)
        assert np.unravel_index(found.argmax(), found.shape)[:2] == (0, 4)  # above it


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 360, -90, -180, -270, -360])
def test_quarter_turns_are_exact(degrees):
    pixels = noise(3, 5)
    found = Rotate(degrees=degrees)(pixels)
    turns = degrees // 90 % 4
    assert found.shape == ((5, 3, 3) if turns % 2 else (3, 5, 3))
    for i in range(3):
        for j in range(5):
            place = [(i, j), (4 - j, i), (2 - i, 4 - j), (j, 2 - i)][turns]
            np.testing.assert_array_equal(found[place], pixels[i, j])


def test_other_turns_fill_the_corners_with_black():
    found = Rotate(degrees=45)(np.full((20, 20, 3), 200, np.uint8))
    assert (found[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert (found[10, 10] == 200).all()


@pytest.mark.parametrize("degrees", [361, -360.5, float("nan"), float("inf")])
def test_rotate_refuses(degrees):
    with pytest.raises(UsageError, match="degrees must be between -360 and 360"):
        Rotate(degrees=degrees)
