"""Flip, affine, crops: exact where they can be, else against a slow, plain reference."""

from math import cos, floor, radians, sin, tan

import cv2
import numpy as np
import pytest

from pixelmine.preprocess.augment import RandomAffine, RandomCrop, RandomFlip, RandomResizedCrop


def noise(count=6, height=12, width=17, channels=3):
    random = np.random.default_rng(count * 1000 + height * 10 + width + channels)
    return random.integers(0, 256, (count, height, width, channels)).astype(np.uint8)


def rng(seed=1):
    return np.random.default_rng(seed)


# --- flip -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "axes"),
    [
        (RandomFlip(horizontal=1), (2,)),
        (RandomFlip(horizontal=0, vertical=1), (1,)),
        (RandomFlip(horizontal=1, vertical=1), (1, 2)),
        (RandomFlip(horizontal=0), ()),
    ],
)
def test_flipped_twice_it_is_what_it_was(step, axes):
    batch = noise()
    once = step(batch, rng())
    np.testing.assert_array_equal(once, np.flip(batch, axes))
    np.testing.assert_array_equal(step(once, rng()), batch)


def test_about_as_many_are_flipped_as_asked():
    batch = np.zeros((2000, 1, 2, 1), np.uint8)
    batch[:, :, 1] = 1
    found = RandomFlip(horizontal=0.3)(batch, rng())
    assert 0.25 < found[:, 0, 0, 0].mean() < 0.35


# --- affine -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("degrees", [90, 180, -90, 270, 0, 360])
def test_quarter_turns_are_exact(degrees, channels):
    for side in (8, 9):
        batch = noise(3, side, side, channels)
        found = RandomAffine(degrees=(degrees, degrees))(batch, rng())
        np.testing.assert_array_equal(found, np.rot90(batch, degrees // 90, axes=(1, 2)))


@pytest.mark.parametrize("border", ["value", "edge", "reflect"])
@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 1), (0, -5), (15, 7)])
def test_whole_pixels_are_shifted_exactly(right, down, border):
    batch = noise(3, 16, 32)
    step = RandomAffine(
        translate_x=(right / 32, right / 32),
        translate_y=(down / 16, down / 16),
        border=border,
        value=9,
    )
    mode = {"value": "constant", "edge": "edge", "reflect": "reflect"}[border]
    fill = {"constant_values": 9} if border == "value" else {}
    wide = np.pad(batch, ((0, 0), (15, 15), (15, 15), (0, 0)), mode, **fill)
    expected = wide[:, 15 - down : 31 - down, 15 - right : 47 - right]
    np.testing.assert_array_equal(step(batch, rng()), expected)


def moved(picture, degrees, scale, shear, right, down):
    """Where each new pixel comes from, by the inverse of scale, shear, turn and shift in order."""
    height, width = picture.shape[:2]
    padded = np.pad(picture.astype(float), ((1, 1), (1, 1), (0, 0)))
    out = np.zeros(picture.shape)
    for y, x in np.ndindex(height, width):
        dx, dy = x - (width - 1) / 2 - right, y - (height - 1) / 2 - down
        a, b = cos(radians(degrees)), sin(radians(degrees))
        dx, dy = a * dx - b * dy, b * dx + a * dy  # turned back, clockwise
        dx -= tan(radians(shear)) * dy
        at_x, at_y = dx / scale + (width - 1) / 2, dy / scale + (height - 1) / 2
        i, j = floor(at_y), floor(at_x)
        if -1 <= i < height and -1 <= j < width:
            u, v = at_y - i, at_x - j
            near = padded[i + 1 : i + 3, j + 1 : j + 3]
            weights = np.array([[(1 - u) * (1 - v), (1 - u) * v], [u * (1 - v), u * v]])
            out[y, x] = (weights[..., None] * near).sum(axis=(0, 1))
    return out


@pytest.mark.parametrize(
    ("degrees", "scale", "shear", "x", "y"),
    [
        *((25, 1, 0, 0, 0), (0, 1.4, 0, 0, 0), (0, 0.7, 0, 0.1, 0), (0, 1, 20, 0, 0)),
        *((0, 1, 0, 0.13, -0.21), (-50, 1.2, -15, 0.1, 0.05)),
    ],
)
def test_affine_against_the_reference(degrees, scale, shear, x, y):
    smooth = cv2.GaussianBlur(noise(1, 20, 26)[0], (0, 0), 2)
    values = {"degrees": degrees, "scale": scale, "shear_degrees": shear}
    values |= {"translate_x": x, "translate_y": y}
    step = RandomAffine(**{name: (value, value) for name, value in values.items()})
    expected = moved(smooth, degrees, scale, shear, 26 * x, 20 * y)
    found = step(smooth[None], rng())[0].astype(float)
    # OpenCV may look at places in steps of 1/32 of a pixel
    assert np.abs(found - expected).max() < 8
    assert np.abs(found - expected).mean() < 0.6


def test_each_value_is_drawn_from_its_range_and_for_each_picture():
    batch = np.zeros((200, 1, 101, 1), np.uint8)
    batch[:, :, 50] = 255
    found = RandomAffine(translate_x=(0.1, 0.3))(batch, rng())
    places = (found[:, 0, :, 0] * np.arange(101.0)).sum(axis=1) / found[:, 0, :, 0].sum(axis=1)
    assert places.min() > 59
    assert places.max() < 82
    assert abs(places.mean() - 70) < 1.5
    assert places.std() > 4


# --- crops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("border", ["value", "edge", "reflect"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_random_crop_is_a_shift_by_whole_pixels(channels, border):
    batch = noise(300, 6, 7, channels)
    found = RandomCrop(padding=2, border=border, value=9)(batch, rng())
    mode = {"value": "constant", "edge": "edge", "reflect": "reflect"}[border]
    fill = {"constant_values": 9} if border == "value" else {}
    wide = np.pad(batch, ((0, 0), (2, 2), (2, 2), (0, 0)), mode, **fill)
    seen = set()
    for index in range(len(batch)):
        places = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if np.array_equal(found[index], wide[index, y : y + 6, x : x + 7])
        ]
        assert places
        seen |= set(places)
    assert len(seen) == 25  # every place comes up


def test_a_resized_crop_of_everything_is_the_picture():
    batch = noise(4, 9, 9)
    step = RandomResizedCrop(area=(1, 1), ratio=(1, 1))
    np.testing.assert_array_equal(step(batch, rng()), batch)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "area"])
def test_a_resized_crop_is_a_box_of_the_area_and_the_ratio_asked_for(interpolation):
    """A picture that says at each pixel where it is: the box is read off the corners."""
    side = 64
    ys, xs = np.mgrid[:side, :side]
    where = np.stack([ys, xs, np.zeros_like(ys)], axis=2).astype(np.uint8) * 3
    batch = np.repeat(where[None], 300, axis=0)
    step = RandomResizedCrop(area=(0.2, 0.5), ratio=(0.5, 2), interpolation=interpolation)
    found = step(batch, rng()).astype(float) / 3
    rows = found[:, -1, 0, 0] - found[:, 0, 0, 0] + 1
    columns = found[:, 0, -1, 1] - found[:, 0, 0, 1] + 1
    area, ratio = rows * columns / side**2, columns / rows
    assert 0.17 < area.min() < 0.23
    assert 0.45 < area.max() < 0.53
    assert 0.45 < ratio.min() < 0.6
    assert 1.7 < ratio.max() < 2.2
    assert found[..., 0].min() < 2
    assert found[..., 0].max() > side - 3
    assert abs(np.log(ratio).mean()) < 0.1
