import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import array_bytes
from pixelmine.preprocess import DecodeOptions, Picture, decode

RANDOM = np.random.default_rng(0)


def found(data, colour="rgb", limits=None):
    return decode(data, DecodeOptions(colour=colour), limits or Limits())


def noise(*shape, dtype="|u1"):
    return RANDOM.integers(
        0, np.iinfo(np.dtype(dtype)).max, shape, dtype=np.dtype(dtype).newbyteorder("=")
    ).astype(dtype)


@pytest.mark.parametrize("dtype", ["|u1", "<u2", ">u2"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1), (1, 300)])
def test_pixels_come_back(shape, dtype):
    pixels = noise(*shape, dtype=dtype)
    upper = pixels if dtype == "|u1" else pixels >> 8
    picture = found(array_bytes(pixels))
    expected = upper if pixels.ndim == 3 else upper[..., None]
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (*shape[:2], 3)
    np.testing.assert_array_equal(picture.pixels, np.broadcast_to(expected, (*shape[:2], 3)))
    assert (picture.format, picture.height, picture.width) == ("array", *shape[:2])
    if shape[2:] != (3,):
        np.testing.assert_array_equal(found(array_bytes(pixels), "grey").pixels, expected)


def test_alpha_is_laid_over_white():
    pixels = noise(6, 4, 4)
    share = pixels[..., 3:] / 255
    expected = pixels[..., :3] * share + 255 * (1 - share)
    assert np.abs(found(array_bytes(pixels)).pixels - expected).max() <= 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (array_bytes(np.zeros((4, 4), np.float32)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((4, 4), bool)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((4, 4), np.int16)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((4, 4, 2), np.uint8)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((2, 4, 4, 3), np.uint8)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros(4, np.uint8)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((), np.uint8)), Reason.UNSUPPORTED_FORMAT),
        (array_bytes(np.zeros((0, 4, 3), np.uint8)), Reason.CORRUPT),
        (b"|u1|02x2|abcd", Reason.UNSUPPORTED_FORMAT),
        (b"|u1|2x2x|abcd", Reason.CORRUPT),
        (b"|u1|2x2|abc", Reason.TRUNCATED),
        (b"|u1|2x2|abcde", Reason.CORRUPT),
        (b"|u1|2x2|", Reason.TRUNCATED),
        (b"<u1|2x2|abcd", Reason.UNSUPPORTED_FORMAT),
        (b"|u1|100000x100000|abcd", Reason.TOO_MANY_PIXELS),
        (b"|u1|999999999x999999999x4|abcd", Reason.TOO_MANY_PIXELS),
        (b"|u1|9999999999x1|abcd", Reason.UNSUPPORTED_FORMAT),
        (b"|u1|2 x2|abcd", Reason.NOT_AN_IMAGE),
        (b"|u1|2x2", Reason.NOT_AN_IMAGE),
    ],
)
def test_what_is_none(data, reason):
    assert found(data) is reason


def test_the_limit():
    data = array_bytes(np.zeros((30, 40), np.uint8))
    assert isinstance(found(data, limits=Limits(max_pixels=1200)), Picture)
    assert found(data, limits=Limits(max_pixels=1199)) is Reason.TOO_MANY_PIXELS


@settings(deadline=None, max_examples=300, database=None)
@given(
    st.sampled_from([b"|u1|", b"<u2|", b"|b1|"]),
    st.text("0123456789x|", max_size=12),
    st.binary(max_size=40),
)
def test_any_shape_gives_a_picture_or_a_reason(dtype, shape, data):
    assert isinstance(found(dtype + shape.encode() + data), (Picture, Reason))
