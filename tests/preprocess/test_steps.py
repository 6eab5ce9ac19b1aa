"""One contract that every registered step passes; the references are in the folder `steps`."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.preprocess import Preprocessing
from pixelmine.preprocess.steps import (
    STEPS,
    UINT8_STEPS,
    Bilateral,
    CenterCrop,
    CenterSquare,
    Clahe,
    Convert,
    Crop,
    Equalise,
    FiveCrop,
    Median,
    NonLocalMeans,
    Normalise,
    Pad,
    Resize,
    Rotate,
)

CASES = {
    "resize": [
        *(Resize(height=6, width=11, interpolation=m) for m in ("area", "bilinear", "bicubic")),
        Resize(height=40, width=5, interpolation="nearest"),
        Resize(short_side=7),
        Resize(short_side=90, interpolation="bilinear"),
    ],
    "pad": [
        *(Pad(height=40, width=9, border=border, value=5) for border in ("value", "edge")),
        *(Pad(square=True, border="reflect"), Pad(square=True)),
    ],
    "crop": [
        Crop(top=3, left=0, height=4, width=30),
        Crop(top=0.1, left=0.2, height=0.5, width=0.8, unit="fraction"),
    ],
    "five_crop": [FiveCrop(height=5, width=8), FiveCrop(height=40, width=3)],
    "convert": [Convert(to=to) for to in ("grey", "hsv", "lab")],
    "equalise": [Equalise()],
    "clahe": [Clahe(), Clahe(clip_limit=40.0, tiles=3)],
    "median": [Median(), Median(size=31)],
    "bilateral": [Bilateral(), Bilateral(diameter=15, sigma_colour=200.0, sigma_space=9.0)],
    "non_local_means": [NonLocalMeans(), NonLocalMeans(strength=1.5, patch=3, search=5)],
    "center_square": [CenterSquare(fraction=1.0), CenterSquare(fraction=0.4)],
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


def channels_after(step):
    return {"grey": 1, "hsv": 3, "lab": 3}.get(getattr(step, "to", None))


def test_every_registered_step_has_its_cases():
    assert CASES.keys() == STEPS.keys()
    for name, steps in CASES.items():
        assert {type(step) for step in steps} == {STEPS[name]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", ALL)
def test_a_picture_in_and_a_picture_out(step, size):
    for channels in channels_of(step):
        for dtype in (np.uint8,) if isinstance(step, UINT8_STEPS) else (np.uint8, np.float32):
            found = step(noise(*size, channels, dtype))
            assert isinstance(found, np.ndarray)
            assert found.ndim == (4 if isinstance(step, FiveCrop) else 3)
            assert found.shape[-1] == (channels_after(step) or channels)
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
        setattr(step, [*(f.name for f in fields(step)), "option"][0], 1)
    with pytest.raises(TypeError):
        type(step)(1)
    with pytest.raises(TypeError):
        type(step)(option=1)


@pytest.mark.parametrize("step", ALL)
def test_a_card_gives_the_step_back(step):
    card = json.loads(json.dumps(Preprocessing(steps=(step,)).to_card()))
    assert Preprocessing.from_card(card).steps == (step,)


APART = ("resize", "pad", "crop", "center_crop", "center_square", "five_crop", "rotate", "median")


@pytest.mark.parametrize("step", [step for name in APART for step in CASES[name]])
def test_the_channels_do_not_mix(step):
    pixels = noise(33, 46)
    single = [step(np.ascontiguousarray(pixels[..., c : c + 1])) for c in range(3)]
    np.testing.assert_array_equal(step(pixels), np.concatenate(single, axis=-1))


@pytest.mark.parametrize("kind", UINT8_STEPS)
def test_what_takes_uint8_alone_stands_before_normalise(kind):
    step = next(step for steps in CASES.values() for step in steps if type(step) is kind)
    Preprocessing(steps=(step, Normalise()))
    with pytest.raises(UsageError, match="put it first"):
        Preprocessing(steps=(Normalise(), step))
