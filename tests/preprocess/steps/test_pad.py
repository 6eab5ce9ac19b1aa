import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Pad


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def mirrored(at, side):
    """0 1 2 3 2 1 0 1 2 ... for a side of 4."""
    if side == 1:
        return 0
    at %= 2 * side - 2
    return at if at < side else 2 * side - 2 - at


def padded(pixels, height, width, border, value):
    rows, columns = pixels.shape[:2]
    out = np.empty((height, width, pixels.shape[2]), pixels.dtype)
    for y in range(height):
        for x in range(width):
            i, j = y - (height - rows) // 2, x - (width - columns) // 2
            if border == "edge":
                out[y, x] = pixels[min(max(i, 0), rows - 1), min(max(j, 0), columns - 1)]
            elif border == "reflect":
                out[y, x] = pixels[mirrored(i, rows), mirrored(j, columns)]
            else:
                inside = 0 <= i < rows and 0 <= j < columns
                out[y, x] = pixels[i, j] if inside else value
    return out


SIDE = st.integers(1, 14)
BORDER = st.sampled_from(["value", "edge", "reflect"])


@settings(deadline=None, max_examples=100, database=None)
@given(SIDE, SIDE, SIDE, SIDE, BORDER, st.sampled_from([1, 3]))
def test_pad_against_the_reference(height, width, rows, columns, border, channels):
    pixels = noise(rows, columns, channels)
    step = Pad(height=height, width=width, border=border, value=7)
    found = step(pixels)
    assert found.shape[:2] == step.size(pixels) == (max(height, rows), max(width, columns))
    np.testing.assert_array_equal(found, padded(pixels, *found.shape[:2], border, 7))


@pytest.mark.parametrize("border", ["value", "edge", "reflect"])
@pytest.mark.parametrize("size", [(5, 9), (9, 4), (6, 6), (1, 7)])
def test_a_square_has_the_long_side(size, border):
    pixels, side = noise(*size), max(size)
    found = Pad(square=True, border=border)(pixels)
    np.testing.assert_array_equal(found, padded(pixels, side, side, border, 0))


def test_what_is_large_enough_is_not_touched():
    pixels = noise(7, 9)
    assert Pad(height=7, width=3)(pixels) is pixels


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"height": 5}, {"width": 5}, {"height": 5, "width": 5, "square": True}),
        *({"square": True, "border": "wrap"}, {"square": True, "value": 256}),
        *({"square": True, "value": 0.5}, {"height": 0, "width": 5}, {"height": 5, "width": 4097}),
    ],
)
def test_pad_refuses(options):
    with pytest.raises(UsageError):
        Pad(**options)
