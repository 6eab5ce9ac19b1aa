from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Resize


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def separable(pixels, rows, columns):
    """Apply (H', H) and (W', W) weights."""
    return np.einsum("yh,xw,hwc->yxc", rows, columns, pixels.astype(np.float64))


def area_weights(before, after):
    """How much of each old pixel lies under each new one."""
    weights, scale = np.zeros((after, before)), before / after
    for new in range(after):
        for old in range(before):
            under = min((new + 1) * scale, old + 1) - max(new * scale, old)
            weights[new, old] = max(under, 0) / scale
    return weights


def sampled_weights(before, after, kernel, reach):
    """Sample at the middle of each new pixel; the edge goes on as it is."""
    weights, scale = np.zeros((after, before)), before / after
    for new in range(after):
        at = (new + 0.5) * scale - 0.5
        for old in range(floor(at) - reach + 1, floor(at) + reach + 1):
            weights[new, min(max(old, 0), before - 1)] += kernel(abs(at - old))
    return weights


def linear(x):
    return max(0.0, 1 - x)


def cubic(x, a=-0.75):
    """Keys 1981, with the parameter that OpenCV takes."""
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0


def nearest_weights(before, after):
    weights = np.zeros((after, before))
    for new in range(after):
        weights[new, min(floor(new * before / after), before - 1)] = 1
    return weights


WEIGHTS = {
    "area": area_weights,
    "bilinear": lambda before, after: sampled_weights(before, after, linear, 1),
    "bicubic": lambda before, after: sampled_weights(before, after, cubic, 2),
    "nearest": nearest_weights,
}


def resized(pixels, height, width, method):
    grows = height > pixels.shape[0] or width > pixels.shape[1]
    weights = WEIGHTS["bicubic" if method == "area" and grows else method]
    found = separable(pixels, weights(pixels.shape[0], height), weights(pixels.shape[1], width))
    return np.clip(found, 0, 255) if pixels.dtype == np.uint8 else found


@pytest.mark.parametrize("method", WEIGHTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        *(((40, 60), (10, 12)), ((40, 60), (20, 30)), ((37, 53), (11, 17)), ((41, 30), (40, 29))),
        *(((9, 12), (20, 31)), ((30, 8), (11, 40)), ((8, 30), (40, 11)), ((1, 7), (3, 5))),
        *(((16, 16), (1, 1)), ((3, 5), (3, 9)), ((7, 7), (7, 7))),
    ],
)
def test_resize_against_the_reference(method, dtype, size, wanted):
    pixels = noise(*size, 3, dtype)
    found = Resize(height=wanted[0], width=wanted[1], interpolation=method)(pixels)
    expected = resized(pixels, *wanted, method)
    assert found.shape == expected.shape
    # uint8: OpenCV's fixed point has 11 bits, and results are whole numbers
    within = 1.01 if dtype == np.uint8 else 0.02
    assert np.abs(found - expected).max() <= within


def test_shrinking_by_area_does_not_alias():
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[:, ::2] = 254
    assert (Resize(height=16, width=16)(stripes) == 127).all()


@settings(deadline=None, max_examples=100, database=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 60))
def test_the_short_side_is_what_was_asked_for(height, width, short):
    pixels = np.zeros((height, width, 1), np.uint8)
    step = Resize(short_side=short)
    found = step(pixels).shape
    assert found[:2] == step.size(pixels)
    assert min(found[:2]) == short
    long = max(height, width) * short / min(height, width)
    assert abs(max(found[:2]) - long) <= 0.5 + 1e-6
    assert (found[0] >= found[1]) == (height >= width) or found[0] == found[1]


def test_a_picture_of_the_wanted_size_is_not_touched():
    pixels = noise(7, 9)
    assert Resize(height=7, width=9)(pixels) is pixels
    assert Resize(short_side=7, interpolation="bilinear")(pixels) is pixels


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"height": 5},
        {"width": 5},
        {"height": 5, "width": 5, "short_side": 5},
        {"height": 5, "short_side": 5},
        {"short_side": 0},
        {"short_side": 4097},
        {"height": -1, "width": 5},
        {"short_side": 5, "interpolation": "lanczos"},
    ],
)
def test_resize_refuses(options):
    with pytest.raises(UsageError):
        Resize(**options)
