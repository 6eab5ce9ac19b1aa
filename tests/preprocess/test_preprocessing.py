import json
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import ModelError, UsageError
from pixelmine.preprocess import DecodeOptions, Preprocessing, decode
from pixelmine.preprocess.steps import (
    CenterCrop,
    Convert,
    FiveCrop,
    Normalise,
    Pad,
    Resize,
    Rotate,
)

LIKE_A_CARD = Preprocessing(
    decode=DecodeOptions(rule="scaled-256"),
    steps=(Resize(short_side=256), CenterCrop(height=224, width=224)),
)
ALL = Preprocessing(
    decode=DecodeOptions(colour="grey"),
    steps=(
        *(Resize(height=30, width=20, interpolation="bicubic"), Rotate(degrees=5.5)),
        *(CenterCrop(height=10, width=10), Normalise(mean=(3.0,), std=(2.0,))),
    ),
)


@pytest.mark.parametrize("preprocessing", [Preprocessing(), LIKE_A_CARD, ALL])
def test_a_card_gives_it_back(preprocessing):
    card = preprocessing.to_card()
    again = Preprocessing.from_card(json.loads(json.dumps(card)))
    assert again == preprocessing
    assert again.to_card() == card
    assert pickle.loads(pickle.dumps(again)) == preprocessing


def test_a_card_reads_like_this():
    assert LIKE_A_CARD.to_card() == {
        "decode": {"rule": "scaled-256", "colour": "rgb"},
        "steps": [
            {"step": "resize", "short_side": 256, "interpolation": "area"},
            {"step": "center_crop", "height": 224, "width": 224},
        ],
    }


PLAIN = {"decode": {}, "steps": []}


@pytest.mark.parametrize(
    "card",
    [
        None,
        {},
        {"decode": {}},
        {"steps": []},
        {**PLAIN, "decode": {"rule": "half"}},
        {**PLAIN, "decode": {"brightness": 3}},
        {**PLAIN, "decode": None},
        {**PLAIN, "steps": None},
        {**PLAIN, "steps": ["resize"]},
        {**PLAIN, "steps": [{"height": 5}]},
        {**PLAIN, "steps": [{"step": "sharpen"}]},
        {**PLAIN, "steps": [{"step": ["resize"]}]},
        {**PLAIN, "steps": [{"step": "resize", "size": 5}]},
        {**PLAIN, "steps": [{"step": "resize", "short_side": "5"}]},
        {**PLAIN, "steps": [{"step": "resize", "short_side": 0}]},
        {**PLAIN, "steps": [{"step": "center_crop", "height": 5}]},
        {**PLAIN, "steps": [{"step": "rotate", "degrees": "x"}]},
        {**PLAIN, "steps": [{"step": "normalise", "std": "x"}]},
    ],
)
def test_a_card_that_is_not_understood(card):
    with pytest.raises(ModelError, match=r"not known to this version.*Known steps: resize"):
        Preprocessing.from_card(card)


def test_a_card_is_not_changed_by_reading_it():
    card = ALL.to_card()
    before = json.dumps(card)
    Preprocessing.from_card(card)
    assert json.dumps(card) == before


def test_the_steps_run_in_order():
    pixels = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    steps = (Rotate(degrees=90), CenterCrop(height=2, width=2), Normalise())
    expected = pixels
    for step in steps:
        expected = step(expected)
    np.testing.assert_array_equal(Preprocessing(steps=steps)(pixels), expected)
    other = Preprocessing(steps=steps[::-1])(pixels)
    assert other.shape == expected.shape
    assert not np.array_equal(other, expected)


def test_bytes_are_decoded_and_run_through_the_steps(photo, encode):
    data = encode(photo, "JPEG")
    found = LIKE_A_CARD.prepare(data, Limits())
    expected = LIKE_A_CARD(decode(data, LIKE_A_CARD.decode, Limits()).pixels)
    np.testing.assert_array_equal(found, expected)
    assert (found.shape, found.dtype) == ((224, 224, 3), np.uint8)
    assert ALL.prepare(data, Limits()).shape == (10, 10, 1)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", Reason.EMPTY), (b"Dear Sir", Reason.NOT_AN_IMAGE)]
)
def test_what_is_no_picture_is_a_reason(data, reason):
    assert LIKE_A_CARD.prepare(data, Limits()) is reason


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2), (640, 427)])
def test_any_shape_comes_out_as_the_network_wants_it(encode, size):
    data = encode(np.full((*size, 3), 7, np.uint8), "PNG")
    assert (LIKE_A_CARD.prepare(data, Limits()) == 7).all()
    assert LIKE_A_CARD.prepare(data, Limits()).shape == (224, 224, 3)


NARROW = """
import io
from pathlib import Path
from PIL import Image
from pixelmine.core import Limits
from pixelmine.preprocess import *

card = {"decode": {"rule": "scaled-256"}, "steps": [{"step": "resize", "short_side": 256}]}
steps = Preprocessing.from_card(card)
for size in ((60_000, 1), (1, 60_000), (1_000_000, 1)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, "PNG")
    print(steps.prepare(file.getvalue(), Limits()))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)  # the most it ever held, in MiB
"""


def test_a_line_of_pixels_is_not_blown_up_past_the_limit():
    child = subprocess.run(
        [sys.executable, "-c", NARROW], check=True, capture_output=True, text=True, timeout=60
    )
    *found, megabytes = child.stdout.split()
    assert found == ["too_many_pixels"] * 3
    assert int(megabytes) < 400


def test_the_limit_is_for_what_is_enlarged_too(encode):
    data = encode(np.zeros((2, 10, 3), np.uint8), "PNG")
    assert Preprocessing(steps=(Resize(short_side=4),)).prepare(data, Limits(max_pixels=80)).size
    found = Preprocessing(steps=(Resize(short_side=4),)).prepare(data, Limits(max_pixels=79))
    assert found is Reason.TOO_MANY_PIXELS
    turned = Preprocessing(
        steps=(Rotate(degrees=90), CenterCrop(height=2, width=2), Resize(short_side=4))
    )
    assert turned.prepare(data, Limits(max_pixels=20)).shape == (4, 4, 3)


def test_arrays_become_what_the_card_says(photo):
    grey, colour = photo[:20, :20, 0], photo[:20, :20]
    rgb, one = Preprocessing(), Preprocessing(decode=DecodeOptions(colour="grey"))
    np.testing.assert_array_equal(rgb.from_array(colour), colour)
    np.testing.assert_array_equal(rgb.from_array(grey), np.stack([grey] * 3, axis=2))
    np.testing.assert_array_equal(one.from_array(grey), grey[..., None])
    luma = (colour * [0.299, 0.587, 0.114]).sum(axis=2)
    assert np.abs(one.from_array(colour)[..., 0] - luma).max() <= 1


def test_grey_without_channels_gets_one():
    assert Preprocessing()(np.zeros((4, 5), np.uint8)).shape == (4, 5, 1)


# --- the two halves ---------------------------------------------------------------------------

FIVE = Preprocessing(steps=(Resize(short_side=40), FiveCrop(height=32, width=24), Normalise()))
LAW = [
    Preprocessing(steps=(Resize(height=9, width=7), Normalise(mean=(0.1, 120.5, 7.0), std=3.3))),
    Preprocessing(steps=(Resize(height=9, width=7), Normalise(), Normalise(mean=0.5, std=0.5))),
    Preprocessing(steps=(Pad(height=20, width=20), CenterCrop(height=20, width=20))),
    Preprocessing(steps=(CenterCrop(height=6, width=5), Convert(to="grey"), Normalise(mean=9.0))),
    Preprocessing(steps=(Normalise(), CenterCrop(height=6, width=5), Normalise(mean=0.2, std=7.0))),
    FIVE,
]


@settings(deadline=None, max_examples=60, database=None)
@given(
    st.sampled_from(LAW),
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=4),
    st.integers(0, 2**32),
)
def test_the_halves_make_the_whole_to_the_bit(preprocessing, sizes, seed):
    random = np.random.default_rng(seed)
    pictures = [random.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    files = [png(pixels) for pixels in pictures]
    whole = np.stack([preprocessing.prepare(data, Limits()) for data in files])
    batch = np.stack([preprocessing.prepare_uint8(data, Limits()) for data in files])
    halves = preprocessing.normalise(batch)
    assert (halves.dtype, halves.shape) == (whole.dtype, whole.shape)
    np.testing.assert_array_equal(halves, whole)
    np.testing.assert_array_equal(np.stack([preprocessing(p) for p in pictures]), whole)
    decoded = np.stack([preprocessing.apply_uint8(pixels, Limits()) for pixels in pictures])
    np.testing.assert_array_equal(decoded, batch)


def png(pixels):
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def test_the_first_half_gives_uint8():
    for preprocessing in (FIVE, LAW[1], LIKE_A_CARD, ALL):
        found = preprocessing.prepare_uint8(png(np.zeros((5, 6, 3), np.uint8)), Limits())
        assert found.dtype == np.uint8
    found = LIKE_A_CARD.prepare_uint8(png(np.zeros((5, 6, 3), np.uint8)), Limits())
    assert LIKE_A_CARD.normalise(found) is found  # no normalise: nothing to do


def test_the_first_half_says_why_not():
    assert LIKE_A_CARD.prepare_uint8(b"", Limits()) is Reason.EMPTY
    wide = Preprocessing(steps=(Pad(square=True), Resize(height=4, width=4)))
    assert wide.apply_uint8(np.zeros((1, 50, 3), np.uint8), Limits(max_pixels=2500)).size
    found = wide.apply_uint8(np.zeros((1, 51, 3), np.uint8), Limits(max_pixels=2500))
    assert found is Reason.TOO_MANY_PIXELS


def test_five_crop_makes_views():
    assert [p.views for p in (FIVE, LIKE_A_CARD, Preprocessing())] == [5, 1, 1]
    assert FIVE.prepare(png(np.zeros((50, 60, 3), np.uint8)), Limits()).shape == (5, 32, 24, 3)


@pytest.mark.parametrize(
    "steps",
    [
        (FiveCrop(height=3, width=3), Resize(short_side=3)),
        (FiveCrop(height=3, width=3), FiveCrop(height=2, width=2)),
        (FiveCrop(height=3, width=3), Normalise(), CenterCrop(height=2, width=2)),
    ],
)
def test_behind_five_crop_only_normalise_may_stand(steps):
    with pytest.raises(UsageError, match="only normalise"):
        Preprocessing(steps=steps)
    card = {"step": "five_crop", "height": 3, "width": 3}
    with pytest.raises(ModelError, match="only normalise"):
        Preprocessing.from_card({**PLAIN, "steps": [card, {"step": "equalise"}]})
