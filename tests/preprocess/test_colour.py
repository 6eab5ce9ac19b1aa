import colorsys

import numpy as np
import pytest
from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.preprocess.colour import to_grey, to_rgb

RANDOM = np.random.default_rng(0)
RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def noise(*channels):
    return RANDOM.integers(0, 256, (9, 13, *channels), np.uint8)


def over_white(colour, alpha):
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)


def grey3(grey):
    return np.repeat(grey[..., None], 3, axis=2)


def check(image, expected, within=0):
    found = to_rgb(image)
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    assert np.abs(found - expected.astype(np.float64)).max() <= within


def test_black_and_white():
    check(Image.fromarray(RAMP > 100), grey3((RAMP > 100) * 255))


def test_grey():
    check(Image.fromarray(RAMP), grey3(RAMP))


def test_colour():
    pixels = noise(3)
    check(Image.fromarray(pixels), pixels)


def test_alpha_is_laid_over_white():
    pixels = noise(4)
    expected = over_white(pixels[..., :3].astype(float), pixels[..., 3])
    check(Image.fromarray(pixels), expected, within=1)


def test_grey_with_alpha_is_laid_over_white():
    pixels = noise(2)
    check(Image.fromarray(pixels), over_white(grey3(pixels[..., 0]), pixels[..., 1]), within=1)


@pytest.mark.parametrize("mode", ["RGBa", "La"])
def test_alpha_that_is_multiplied_in(mode):
    plain = Image.new(mode.upper(), (3, 2), (200, 100, 50, 128) if mode == "RGBa" else (200, 128))
    expected = over_white(
        np.array([200, 100, 50] if mode == "RGBa" else [200] * 3), np.array([128])
    )
    check(plain.convert(mode), np.broadcast_to(expected, (2, 3, 3)), within=2)


def palette(**info):
    image = Image.fromarray(RAMP % 3).convert("L")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.info.update(info)
    return image


def test_palette():
    check(palette(), np.eye(3)[RAMP % 3] * 255)


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
def test_a_transparent_palette_colour_is_white(transparency):
    colours = np.array([[255, 0, 0], [255, 255, 255], [0, 0, 255]])
    check(palette(transparency=transparency), colours[RAMP % 3])


def test_half_transparent_palette_colours():
    colours = np.array([[255, 127, 127], [0, 255, 0], [0, 0, 255]])
    check(palette(transparency=b"\x80"), colours[RAMP % 3], within=1)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_transparency_of_a_file(encode, look, form):
    found = look(encode(palette(), form, transparency=1)).pixels
    assert (found[RAMP % 3 == 1] == 255).all()
    assert (found[RAMP % 3 == 0] == [255, 0, 0]).all()


def test_one_transparent_grey_or_colour_of_a_png(encode, look):
    expected = np.where(RAMP == 7, 255, RAMP)
    found = look(encode(RAMP, "PNG", transparency=7)).pixels
    np.testing.assert_array_equal(found, grey3(expected))
    found = look(encode(grey3(RAMP), "PNG", transparency=(7, 7, 7))).pixels
    np.testing.assert_array_equal(found, grey3(expected))


def test_cmyk():
    pixels = noise(4)
    ink, black = pixels[..., :3].astype(float), pixels[..., 3:].astype(float)
    check(Image.fromarray(pixels, "CMYK"), (255 - ink) * (255 - black) / 255, within=1)


def test_a_cmyk_jpeg_is_not_inverted(encode, look):
    image = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    found = look(encode(image, "JPEG", quality=95)).pixels
    assert np.abs(found.astype(int) - [255, 0, 0]).max() < 8


def test_ycbcr():
    pixels = noise(3)
    y, cb, cr = (pixels[..., channel].astype(float) for channel in range(3))
    red = y + 1.402 * (cr - 128)
    green = y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128)
    blue = y + 1.772 * (cb - 128)
    expected = np.clip(np.stack([red, green, blue], axis=2), 0, 255)
    check(Image.fromarray(pixels, "YCbCr"), expected, within=2)


def test_lab():
    for lightness in (0, 255):
        image = Image.new("LAB", (2, 2), (lightness, 128, 128))
        check(image, np.full((2, 2, 3), lightness), within=3)
    reddish = to_rgb(Image.new("LAB", (1, 1), (128, 128 + 60, 128 + 40)))[0, 0]
    assert reddish[0] > reddish[1] + 60
    assert reddish[0] > reddish[2] + 60


def test_hsv():
    pixels = noise(3)
    expected = np.array([[colorsys.hsv_to_rgb(*(pixel / 255)) for pixel in row] for row in pixels])
    check(Image.fromarray(pixels, "HSV"), expected * 255, within=6)


SIXTEEN = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits_keep_their_upper_eight(order):
    image = Image.fromarray(SIXTEEN.astype(order))
    assert image.mode.startswith("I;16")
    check(image, grey3(SIXTEEN >> 8))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_a_sixteen_bit_file(encode, look, form):
    found = look(encode(SIXTEEN, form)).pixels
    np.testing.assert_array_equal(found, grey3(SIXTEEN >> 8))


def test_a_sixteen_bit_file_with_a_transparent_grey(encode, look):
    level = int(SIXTEEN[3, 5])
    found = look(encode(SIXTEEN, "PNG", transparency=level)).pixels
    np.testing.assert_array_equal(found, grey3(np.where(level == SIXTEEN, 255, SIXTEEN >> 8)))


def test_thirty_two_bits_that_hold_sixteen():
    check(Image.fromarray(SIXTEEN.astype(np.int32)), grey3(SIXTEEN >> 8))


@pytest.mark.parametrize(
    "samples",
    [
        np.array([[0, 65536]], np.int32),
        np.array([[-1, 5]], np.int32),
        np.array([[0.5, 0.25]], np.float32),
        np.array([[np.nan, 1e30]], np.float32),
    ],
)
def test_numbers_without_a_rule_for_their_range(encode, samples):
    assert to_rgb(Image.fromarray(samples)) is None
    found = decode(encode(samples, "TIFF"), DecodeOptions(), Limits())
    assert found is Reason.UNSUPPORTED_FORMAT


def bt601(pixels):
    return (pixels.astype(float) * [0.299, 0.587, 0.114]).sum(axis=2)


def test_grey_is_the_luma_of_bt601():
    pixels = RANDOM.integers(0, 256, (200, 200, 3), np.uint8)
    grey = to_grey(pixels)
    assert grey.shape == (200, 200, 1)
    assert np.abs(grey[..., 0] - bt601(pixels)).max() <= 1
    for level in (0, 1, 128, 255):
        assert (to_grey(np.full((2, 2, 3), level, np.uint8)) == level).all()


def test_grey_of_a_view():
    pixels = noise(3)
    np.testing.assert_array_equal(to_grey(pixels[::-1, ::2]), to_grey(pixels)[::-1, ::2])


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_asked_for_in_grey(photo, encode, look, form):
    data = encode(photo, form)
    grey = look(data, colour="grey").pixels[..., 0]
    difference = np.abs(grey - bt601(look(data).pixels))
    # a JPEG holds its luma; where its colours were cut to 0..255, theirs is another
    assert np.quantile(difference, 0.95) <= 1
    assert difference.mean() < 0.5
