import colorsys

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Convert


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def lab(pixel):
    """CIE 1976 of an sRGB pixel under D65 (IEC 61966-2-1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in pixel / 255]
    to_xyz = [
        [0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]  # fmt: skip
    xyz = np.array(to_xyz) @ linear / (0.950456, 1, 1.088754)
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_lab_against_the_reference():
    pixels = noise(12, 15)
    found = Convert(to="lab")(pixels).astype(float)
    for place in np.ndindex(12, 15):
        lightness, a, b = lab(pixels[place])
        expected = (lightness * 255 / 100, a + 128, b + 128)
        assert np.abs(found[place] - expected).max() < 2


def test_hsv_against_the_reference():
    pixels = noise(12, 15)
    found = Convert(to="hsv")(pixels).astype(float)
    for place in np.ndindex(12, 15):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixels[place] / 255)
        apart = abs(found[place][0] - 180 * hue)
        assert min(apart, 180 - apart) <= 1
        assert np.abs(found[place][1:] - (255 * saturation, 255 * value)).max() <= 1


def test_hue_is_in_half_degrees():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 0, 1]]], np.uint8)
    found = Convert(to="hsv")(pixels)
    assert found[0, :3].tolist() == [[0, 255, 255], [60, 255, 255], [120, 255, 255]]
    assert found[0, 3, 0] in (0, 179)


def test_grey_is_luma():
    pixels = noise(12, 15)
    found = Convert(to="grey")(pixels)
    assert found.shape == (12, 15, 1)
    assert np.abs(found[..., 0] - pixels @ [0.299, 0.587, 0.114]).max() <= 0.51


@pytest.mark.parametrize("to", ["grey", "hsv", "lab"])
def test_grey_counts_as_three_equal_channels(to):
    grey = noise(6, 7, 1)
    as_rgb = np.repeat(grey, 3, axis=2)
    np.testing.assert_array_equal(Convert(to=to)(grey), Convert(to=to)(as_rgb))
    if to == "grey":
        np.testing.assert_array_equal(Convert(to=to)(grey), grey)


def test_convert_refuses():
    with pytest.raises(UsageError, match="to must be one of grey, hsv, lab"):
        Convert(to="cmyk")
