"""What every designed feature keeps to, whatever it looks at; and the list of them as a card."""

import json
import pickle
from dataclasses import fields

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError
from pixelmine.features.vector import (
    VECTOR_FEATURES,
    describe,
    describe_many,
    to_card,
    vector_features_from_card,
)
from pixelmine.preprocess import DecodeOptions, decode

NAMES = VECTOR_FEATURES.names()
OTHER = {
    "colour": {"bins": 8, "grid": 2, "dominant": 2, "side": 64},
    "edges": {"grid": 3, "orientations": 4, "low": 5, "high": 30, "side": 100},
    "gabor": {"frequencies": [0.25, 0.125], "orientations": 3, "grid": 1, "side": 64},
    "haralick": {"levels": 8, "distances": [1, 3], "side": 90},
    "hog": {
        "cells": 7,
        "block": 3,
        "orientations": 12,
        "signed": True,
        "floor": 2.5,
        "side": 128,
    },
    "keypoints": {"dense": 5, "grid": 2, "side": 64, "vocabulary": "orb:" + "AB/+" * 32},
    "lbp": {"points": 12, "radius": 2, "mapping": "nri_uniform", "grid": 2, "side": 64},
    "shape": {"side": 64},
}
"""Options, none of which is the default."""


def noise(height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def made(name, other=False):
    return vector_features_from_card([{"feature": name, **(OTHER[name] if other else {})}])[0]


BOTH = [made(name, other) for name in NAMES for other in (False, True)]


def label(feature):
    return f"{feature.name}-{feature.dimensions}"


@pytest.fixture(scope="module")
def photographs(test_data):
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::1500]
    found = [decode(p.read_bytes(), DecodeOptions(rule="scaled-256"), Limits()) for p in paths]
    return [picture.pixels for picture in found]


def check(feature, pixels):
    before = pixels.copy()
    found = feature(pixels)
    assert found.shape == (feature.dimensions,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (feature(pixels.copy()) == found).all()
    assert (pixels == before).all()
    return found


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_every_number_has_a_name_of_its_own(feature):
    names = feature.names()
    assert len(names) == len(set(names)) == feature.dimensions
    assert feature.title
    assert feature.source


@pytest.mark.parametrize("feature", BOTH, ids=label)
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 11, 3), (28, 28, 1), (8, 300, 3), (301, 17, 1)])
def test_pictures_of_any_shape_give_finite_numbers_and_a_picture(feature, shape):
    pixels = noise(*shape)
    check(feature, pixels)
    seen = feature.show(pixels)
    assert seen.dtype == np.uint8
    assert seen.ndim == 3
    assert seen.shape[2] == 3
    assert (feature.show(pixels) == seen).all()


@pytest.mark.parametrize("feature", BOTH, ids=label)
@pytest.mark.parametrize("level", [0, 100, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_blank_picture_gives_finite_numbers_and_a_picture(feature, level, channels):
    pixels = np.full((40, 30, channels), level, np.uint8)
    check(feature, pixels)
    assert feature.show(pixels).size


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([f for f in BOTH if f.name != "keypoints"]),
    *(st.integers(8, 90) for _ in range(2)),
    st.sampled_from([1, 3]),
    st.integers(0, 3),
)
def test_any_picture_gives_finite_numbers(feature, height, width, channels, kind):
    pixels = noise(height, width, channels, kind)
    check(feature, [pixels, pixels // 128 * 255, pixels // 255, pixels // 85 * 85][kind])


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_photographs_differ_and_noise_differs_from_them(feature, photographs):
    found = [check(feature, pixels) for pixels in (*photographs, noise(256, 256, 3))]
    for index, one in enumerate(found):
        for other in found[:index]:
            assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_grey_is_rgb_with_equal_channels(feature):
    grey = cv2.GaussianBlur(noise(60, 45, 1), (0, 0), 1.5)[..., None]
    assert (feature(np.repeat(grey, 3, axis=2)) == feature(grey)).all()


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_views_with_strides_are_as_their_copies(feature):
    whole = noise(70, 90, 3)
    for view in (whole[::-1, ::2], whole.transpose(1, 0, 2), whole[5:60, 7:50], whole[..., ::-1]):
        assert (feature(view) == feature(view.copy())).all()
        assert (feature.show(view) == feature.show(view.copy())).all()


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_large_pictures_are_shrunk(feature):
    small = cv2.GaussianBlur(noise(feature.side // 2, feature.side, 3), (0, 0), 2)
    large = cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    assert np.allclose(feature(large), feature(small), atol=1e-6)


@pytest.mark.parametrize("feature", BOTH, ids=label)
def test_a_pickled_copy_is_the_same_feature(feature):
    copy = pickle.loads(pickle.dumps(feature))
    assert copy == feature
    assert hash(copy) == hash(feature)
    assert copy.producer == feature.producer
    assert (copy(noise(30, 40, 3)) == feature(noise(30, 40, 3))).all()


def test_a_card_gives_back_the_same_features():
    card = to_card(BOTH)
    again = vector_features_from_card(json.loads(json.dumps(card)))
    assert list(again) == BOTH
    assert to_card(again) == card
    assert [entry["feature"] for entry in card[::2]] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_option_changes_the_producer(name):
    assert set(OTHER[name]) == {field.name for field in fields(made(name))}
    plain = made(name).producer
    for option, value in OTHER[name].items():
        changed = vector_features_from_card([{"feature": name, option: value}])[0]
        assert changed.producer != plain, option


def test_a_whole_number_for_a_fraction_is_the_same_option():
    one, other = vector_features_from_card([{"feature": "hog", "floor": f} for f in (2, 2.0)])
    assert one.producer == other.producer
    assert to_card([one]) == to_card([other])


def test_no_two_features_share_a_producer():
    assert len({feature.producer for feature in BOTH}) == len(BOTH)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"feature": "smell"}, "no vector feature named 'smell'"),
        ({"feature": "hog", "colour": 1}, "hog has no option 'colour'"),
        ({"feature": "hog", "name": "x"}, "hog has no option 'name'"),
        ({"cells": 8}, "a feature must be"),
        ({"feature": ["hog"]}, "a feature must be"),
        ("hog", "a feature must be"),
    ],
)
def test_a_card_with_what_is_not_known_is_refused(entry, said):
    with pytest.raises(UsageError, match=said):
        vector_features_from_card([entry])


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("hog", "cells", 0),
        ("hog", "cells", True),
        ("hog", "block", 9),
        ("hog", "orientations", 9.0),
        ("hog", "signed", 1),
        ("hog", "floor", 0),
        ("hog", "floor", float("nan")),
        ("hog", "side", 5000),
        ("edges", "low", 26),
        ("edges", "high", "25"),
        ("edges", "grid", 9),
        ("lbp", "points", 17),
        ("lbp", "radius", 0.1),
        ("lbp", "mapping", "default"),
        ("haralick", "distances", []),
        ("haralick", "distances", [1, 1]),
        ("haralick", "distances", [8]),
        ("haralick", "distances", 1),
        ("haralick", "levels", 300),
        ("gabor", "frequencies", [0.5]),
        ("gabor", "frequencies", [{}]),
        ("colour", "bins", 10),
        ("colour", "dominant", None),
        ("shape", "side", 0),
        ("keypoints", "vocabulary", ""),
        ("keypoints", "vocabulary", 7),
        ("keypoints", "vocabulary", "surf:" + "AB/+" * 64),
        ("keypoints", "vocabulary", "orb:" + "AB/+" * 9),
        ("keypoints", "vocabulary", "orb:not base64"),
        ("keypoints", "vocabulary", "orb:é"),
        ("keypoints", "dense", -1),
    ],
)
def test_options_out_of_range_are_refused_in_one_sentence(name, option, value):
    with pytest.raises(UsageError, match="must"):
        vector_features_from_card([{"feature": name, option: value}])


def test_describe_puts_all_features_side_by_side():
    features = [made("lbp"), made("shape"), made("hog", other=True)]
    pixels = noise(50, 40, 3)
    found = describe(pixels, features)
    assert found.dtype == np.float32
    assert (found == np.concatenate([feature(pixels) for feature in features])).all()
    assert describe(pixels, []).shape == (0,)


@pytest.mark.parametrize("threads", [1, 3])
def test_many_are_described_as_one_by_one_in_order(threads):
    features = [made("edges", other=True), made("shape")]
    x = np.stack([noise(28, 28, 1, seed) for seed in range(150)])
    found = describe_many(x, features, threads)
    assert found.dtype == np.float32
    assert (found == np.stack([describe(pixels, features) for pixels in x])).all()
    assert describe_many(x[:0], features, threads).shape == (0, found.shape[1])


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((7, 30, 3), np.uint8),
        np.zeros((30, 7, 1), np.uint8),
        np.zeros((30, 30), np.uint8),
        np.zeros((30, 30, 4), np.uint8),
        np.zeros((30, 30, 3), np.float32),
        np.zeros((2, 30, 30, 3), np.uint8),
    ],
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(UsageError, match="must be"):
        describe(pixels, [made("shape")])
    with pytest.raises(UsageError, match="must be"):
        describe_many(pixels[None], [made("shape")])
