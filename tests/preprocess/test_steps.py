"""One contract that every registered step passes, and each against a slow, plain reference."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from math import ceil, cos, floor, radians, sin

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.preprocess import STEPS, CenterCrop, Normalise, Preprocessing, Resize, Rotate

CASES = {
    "resize": [
        *(Resize(height=6, width=11, interpolation=m) for m in ("area", "bilinear", "bicubic")),
        Resize(height=40, width=5, interpolation="nearest"),
        Resize(short_side=7),
        Resize(short_side=90, interpolation="bilinear"),
    ],
    "center_crop": [CenterCrop(height=4, width=7), CenterCrop(height=50, width=3)],
    "rotate": [Rotate(degrees=degrees) for degrees in (0, 90, -90, 180, 13.5, -200)],
    "normalise": [Normalise(), Normalise(mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))],
}
ALL = [pytest.param(step, id=f"{step}") for steps in CASES.values() for step in steps]
SIZES = [(1, 1), (1, 9), (9, 1), (5, 8), (33, 46), (48, 31)]


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def channels_of(step):
    return (3,) if isinstance(getattr(step, "mean", None), tuple) else (1, 3)


def test_every_registered_step_has_its_cases():
    assert CASES.keys() == STEPS.keys()
    for name, steps in CASES.items():
        assert {type(step) for step in steps} == {STEPS[name]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", ALL)
def test_a_picture_in_and_a_picture_out(step, size):
    for channels in channels_of(step):
        for dtype in (np.uint8, np.float32):
            found = step(noise(*size, channels, dtype))
            assert isinstance(found, np.ndarray)
            assert found.ndim == 3
            assert found.shape[2] == channels
            assert min(found.shape) > 0
            assert found.dtype == (np.float32 if isinstance(step, Normalise) else dtype)


@pytest.mark.parametrize("step", ALL)
def test_the_input_is_not_changed_and_need_not_be_writeable(step):
    pixels = noise(33, 46)
    before = pixels.copy()
    first = step(pixels)
    np.testing.assert_array_equal(pixels, before)
    pixels.flags.writeable = False
    np.testing.assert_array_equal(step(pixels), first)


@pytest.mark.parametrize("step", ALL)
def test_how_the_pixels_lie_in_memory_does_not_matter(step):
    pixels = noise(33, 46)
    for view in (
        *(pixels[::-1], pixels[:, ::-1], pixels[::-1, ::-1], pixels.transpose(1, 0, 2)),
        *(pixels[::2, ::3], np.asfortranarray(pixels), pixels[3:20, 5:31]),
    ):
        np.testing.assert_array_equal(step(view), step(np.ascontiguousarray(view)))


@pytest.mark.parametrize("step", ALL)
def test_the_same_every_time_and_in_threads(step):
    pixels = noise(48, 31)
    first = step(pixels)
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(step, [pixels] * 8):
            np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("step", ALL)
def test_a_step_is_a_value(step):
    again = pickle.loads(pickle.dumps(step))
    assert again == step
    assert hash(again) == hash(step)
    np.testing.assert_array_equal(again(noise(5, 8)), step(noise(5, 8)))
    with pytest.raises(FrozenInstanceError):
        setattr(step, fields(step)[0].name, 1)
    with pytest.raises(TypeError):
        type(step)(1)


@pytest.mark.parametrize("step", ALL)
def test_a_card_gives_the_step_back(step):
    card = json.loads(json.dumps(Preprocessing(steps=(step,)).to_card()))
    assert Preprocessing.from_card(card).steps == (step,)


@pytest.mark.parametrize(
    "step", [step for name in CASES if name != "normalise" for step in CASES[name]]
)
def test_the_channels_do_not_mix(step):
    pixels = noise(33, 46)
    single = [step(np.ascontiguousarray(pixels[..., c : c + 1])) for c in range(3)]
    np.testing.assert_array_equal(step(pixels), np.concatenate(single, axis=2))


# --- resize -----------------------------------------------------------------------------------


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


# --- center_crop ------------------------------------------------------------------------------


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
def test_crop_against_the_reference(height, width, rows, columns):
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
def test_crop_refuses(options):
    with pytest.raises(UsageError):
        CenterCrop(**options)


# --- rotate -----------------------------------------------------------------------------------


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


# --- normalise --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
@pytest.mark.parametrize(
    ("mean", "std"),
    [(0.0, 255.0), (127.0, 128.0), ((1.0, 2.0, 3.0), (0.5, 5.0, 50.0)), (5.0, (1.0, 2.0, 4.0))],
)
def test_normalise_against_the_reference(dtype, mean, std):
    pixels = noise(4, 5, 3, dtype)
    found = Normalise(mean=mean, std=std)(pixels)
    means, stds = np.broadcast_to(mean, 3), np.broadcast_to(std, 3)
    for place in np.ndindex(4, 5, 3):
        expected = (float(pixels[place]) - means[place[2]]) / stds[place[2]]
        assert found[place] == pytest.approx(expected, rel=1e-6)
    assert found.dtype == np.float32


def test_normalise_by_default_gives_nought_to_one():
    assert Normalise()(np.array([[[0], [255]]], np.uint8)).tolist() == [[[0.0], [1.0]]]


def test_lists_of_a_card_become_tuples():
    step = Normalise(mean=[1, 2, 3], std=[4, 5, 6])
    assert (step.mean, step.std) == ((1, 2, 3), (4, 5, 6))
    assert hash(step)


@pytest.mark.parametrize("std", [0, -1.0, (1.0, 0.0, 1.0), [1.0, float("nan")], float("nan")])
def test_normalise_refuses(std):
    with pytest.raises(UsageError, match="std must be above 0"):
        Normalise(std=std)


def test_an_even_crop_of_an_odd_picture_keeps_the_middle():
    # 256 and a crop of 224 is how the built-in model sees a picture
    step = CenterCrop(height=224, width=224)
    pixels = noise(256, ceil(256 * 4 / 3))
    np.testing.assert_array_equal(step(pixels), pixels[16:240, 59:283])
