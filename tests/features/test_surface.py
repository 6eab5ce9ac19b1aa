import pickle

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits
from pixelmine.features.feature import FEATURES
from pixelmine.features.surface import Surface
from pixelmine.preprocess import DecodeOptions, decode


def measured(pixels):
    return Surface()(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0])


def photographs(test_data, every=200):
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::every]:
        picture = decode(path.read_bytes(), DecodeOptions(rule="scaled-256"), Limits())
        yield np.array(picture.pixels)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([1, 3]), st.integers(0, 3))
def test_every_value_is_finite_and_in_its_range(height, width, channels, kind):
    noise = np.random.default_rng(kind).integers(0, 256, (height, width, channels), np.uint8)
    found = measured([noise, noise * 0, noise * 0 + 255, noise // 128 * 255][kind])
    assert all(np.isfinite(value) and value >= 0 for value in found.values())
    assert found["border"] <= 1
    assert found["text"] <= 1


@pytest.mark.parametrize("sigma", [2, 6, 15])
def test_noise_is_the_deviation_of_what_was_added(sigma):
    ramp = np.linspace(80, 160, 400 * 300).reshape(400, 300, 1)
    noisy = ramp + np.random.default_rng(1).normal(0, sigma, ramp.shape)
    assert measured(noisy.astype(np.uint8))["noise"] == pytest.approx(sigma, rel=0.2)


def test_noise_is_seen_in_photographs_and_texture_is_not_noise(test_data):
    rng = np.random.default_rng(2)
    for pixels in photographs(test_data):
        noisy = np.clip(pixels + rng.normal(0, 15, pixels.shape), 0, 255).astype(np.uint8)
        assert measured(pixels)["noise"] < 4 < 6 < measured(noisy)["noise"]


def test_bars_are_measured_exactly_and_a_thing_on_plain_ground_has_none(test_data):
    right = []
    for pixels in photographs(test_data):
        assert measured(pixels)["border"] == 0
        height, width = pixels.shape[:2]
        barred = cv2.copyMakeBorder(
            pixels, 40, 40, 25, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255)
        )
        wanted = 1 - height * width / (barred.shape[0] * barred.shape[1])
        right.append(abs(measured(barred)["border"] - wanted) < 0.01)
    assert np.mean(right) > 0.85, "some photographs are as white along a side"
    ground = np.full((300, 200, 3), 255, np.uint8)
    cv2.circle(ground, (100, 150), 60, (200, 20, 20), -1)
    assert measured(ground)["border"] == 0
    assert measured(np.full((300, 200, 3), 9, np.uint8))["border"] == 0


def test_writing_is_told_from_stripes_and_edges(test_data):
    plain = np.full((400, 300, 1), 90, np.uint8)
    written = plain.copy()
    cv2.putText(written, "SAMPLE IMAGE", (20, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3)
    across, down = plain.copy(), plain.copy()
    across[::12], across[1::12] = 255, 255
    down[:, ::12], down[:, 1::12] = 255, 255
    assert measured(written)["text"] > 0.35
    for stripes in (plain, across, down):
        assert measured(stripes)["text"] < 0.1
    before, after = [], []
    for pixels in photographs(test_data):
        before.append(measured(pixels)["text"])
        at = (20, pixels.shape[0] // 2)
        copy = cv2.putText(
            pixels.copy(), "SAMPLE IMAGE", at, cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255,) * 3, 3
        )
        after.append(measured(copy)["text"])
    assert np.median(after) > 1.5 * np.median(before)


def test_the_values_fit_the_fields_and_the_producer_is_its_own():
    feature = pickle.loads(pickle.dumps(FEATURES.get("surface")()))
    values = feature(np.full((50, 60, 3), 9, np.uint8), 60, 50)
    table = pa.Table.from_pylist([values], pa.schema(feature.fields))
    assert table.column_names == list(values)
    assert feature.producer == Surface().producer != FEATURES.get("measures")().producer
