import cv2
import numpy as np
import pytest
from skimage.filters import threshold_otsu

from pixelmine.core import Limits
from pixelmine.features.luma import luma
from pixelmine.features.shape import Shape, _mask
from pixelmine.preprocess import DecodeOptions, decode


def hu(plane):
    """Hu's moments as the paper writes them, of float64 (H, W)."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(float)
    mass = plane.sum()
    x, y = x - (plane * x).sum() / mass, y - (plane * y).sum() / mass

    def n(p, q):
        return (plane * x**p * y**q).sum() / mass ** (1 + (p + q) / 2)

    a, b = n(3, 0) + n(1, 2), n(2, 1) + n(0, 3)
    c, d = n(3, 0) - 3 * n(1, 2), 3 * n(2, 1) - n(0, 3)
    e = n(2, 0) - n(0, 2)
    return np.array(
        [
            n(2, 0) + n(0, 2),
            e**2 + 4 * n(1, 1) ** 2,
            c**2 + d**2,
            a**2 + b**2,
            c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
            e * (a**2 - b**2) + 4 * n(1, 1) * a * b,
            d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
        ]
    )


def logs(moments):
    return np.sign(moments) * np.log10(1 + np.abs(moments) / 1e-20)


def thing(height=90, width=120):
    """A bright shape without symmetry on black."""
    pixels = np.zeros((height, width), np.uint8)
    cv2.fillPoly(pixels, [np.array([[20, 20], [80, 30], [60, 50], [70, 75], [30, 60]])], 220)
    return pixels[..., None]


def test_the_moments_are_those_of_the_slow_formulas(test_data):
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::1500]:
        picture = decode(path.read_bytes(), DecodeOptions(rule="scaled-256"), Limits())
        pixels = np.ascontiguousarray(picture.pixels[:200, :240])
        found, grey = Shape()(pixels), luma(pixels)
        above = grey > threshold_otsu(grey)
        frame = np.concatenate([above[0], above[-1], above[1:-1, 0], above[1:-1, -1]])
        mask = ~above if frame.mean() > 0.5 else above
        assert found[:7] == pytest.approx(logs(hu(grey / 255)), abs=0.02)
        assert found[7:14] == pytest.approx(logs(hu(mask.astype(float))), abs=0.02)
        assert found[14] == pytest.approx(mask.mean())


def test_moving_turning_and_scaling_change_nothing():
    wanted = Shape()(thing())
    moved = np.roll(thing(), (12, 25), (0, 1))
    large = np.kron(thing()[..., 0], np.ones((2, 2), np.uint8))[..., None]
    for pixels in (moved, np.rot90(thing()), np.rot90(thing(), 2)):
        assert Shape()(pixels)[:14] == pytest.approx(wanted[:14], abs=0.01)
    # a pixel is a square with a moment of its own, which does not scale
    assert Shape()(large)[7:13] == pytest.approx(wanted[7:13], abs=0.1)


def test_mirroring_changes_the_sign_of_the_seventh_alone():
    one, other = Shape()(thing()), Shape()(thing()[:, ::-1])
    assert other[[6, 13]] == pytest.approx(-one[[6, 13]], abs=0.01)
    assert np.delete(other, [6, 13]) == pytest.approx(np.delete(one, [6, 13]), abs=0.01)


def test_a_dark_thing_on_white_has_the_mask_of_a_bright_one_on_black():
    one, other = Shape()(thing()), Shape()(255 - thing())
    assert other[7:] == pytest.approx(one[7:], abs=1e-5)


def test_a_picture_of_one_level_has_no_mask():
    for level in (0, 90, 255):
        pixels = np.full((20, 30, 1), level, np.uint8)
        assert not _mask(pixels[..., 0]).any()
        assert Shape()(pixels)[7:].tolist() == [0] * 8
