"""Colour jitter and the tones it is made of, against a slow, plain reference."""

import colorsys

import numpy as np
import pytest

from pixelmine.preprocess.augment import ColourJitter, tone


def noise(height=9, width=11, channels=3):
    random = np.random.default_rng(height + width + channels)
    return random.integers(0, 256, (height, width, channels)).astype(np.uint8)


def luma(picture):
    if picture.shape[2] == 1:
        return picture.astype(float)
    return (picture @ [0.299, 0.587, 0.114])[..., None]


REFERENCES = {
    "brightness": lambda p, f: p * f,
    "contrast": lambda p, f: luma(p).mean() + (p - luma(p).mean()) * f,
    "saturation": lambda p, f: luma(p) + (p - luma(p)) * f,
    "sharpness": lambda p, f: smooth(p) + (p - smooth(p)) * f,
}


def smooth(picture):
    around = np.pad(picture.astype(float), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    height, width = picture.shape[:2]
    nine = [around[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return (sum(nine) + 4 * picture) / 13


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factor", [0, 0.3, 1, 1.7, 2])
@pytest.mark.parametrize("name", REFERENCES)
def test_a_tone_against_the_reference(name, factor, channels):
    picture = noise(channels=channels)
    found = getattr(tone, name)(picture, factor).astype(float)
    expected = np.clip(REFERENCES[name](picture.astype(float), factor), 0, 255)
    assert found.shape == picture.shape
    # the luma is a whole number, and is scaled by up to 1 - factor
    assert np.abs(found - expected).max() <= 1.3
    if factor == 1:
        np.testing.assert_array_equal(found, picture)


@pytest.mark.parametrize("degrees", [0, 1, 90, -40, 180])
def test_hue_against_the_reference(degrees):
    picture = noise()
    found = tone.hue(picture, degrees).astype(float)
    for place in np.ndindex(9, 11):
        h, s, v = colorsys.rgb_to_hsv(*picture[place] / 255)
        expected = 255 * np.array(colorsys.hsv_to_rgb((h + degrees / 360) % 1, s, v))
        # hues are kept in steps of 2 degrees: 4.25 levels of the largest chroma, twice
        assert np.abs(found[place] - expected).max() <= 9


def test_a_quarter_and_more_of_the_hues_by_hand():
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert tone.hue(red, 120).tolist() == [[[0, 255, 0]]]
    assert tone.hue(red, -120).tolist() == [[[0, 0, 255]]]


def test_grey_has_no_colour_to_change():
    grey = noise(channels=1)
    np.testing.assert_array_equal(tone.hue(grey, 90), grey)
    np.testing.assert_array_equal(tone.saturation(grey, 0.2), grey)


def test_nothing_asked_for_nothing_changed():
    batch = noise()[None]
    step = ColourJitter(brightness=0, contrast=0, saturation=0)
    np.testing.assert_array_equal(step(batch, np.random.default_rng(1)), batch)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue_degrees"])
def test_jitter_draws_each_factor_from_its_range(name):
    options = {"brightness": 0, "contrast": 0, "saturation": 0, "hue_degrees": 0}
    options[name] = 60 if name == "hue_degrees" else 0.5
    picture = np.full((1, 2, 3), 100, np.uint8)
    picture[0, 1] = (140, 90, 60)
    found = ColourJitter(**options)(np.repeat(picture[None], 400, axis=0), np.random.default_rng(1))
    tones = {"hue_degrees": "hue"}.get(name, name)
    change = getattr(tone, tones)
    ends = (-60, 60) if name == "hue_degrees" else (0.5, 1.5)
    low, high = (change(picture, end).astype(int) for end in ends)
    middle = change(picture, sum(ends) / 2)
    np.testing.assert_array_equal(middle, picture)
    for end in (low, high):
        assert np.abs(found.astype(int) - end).max(axis=(1, 2, 3)).min() <= 3  # both ends come up
    if name == "brightness":
        factor = found[:, 0, 0, 0] / 100
        assert 0.5 <= factor.min() < 0.52
        assert 1.48 < factor.max() <= 1.5
        assert abs(factor.mean() - 1) < 0.05
