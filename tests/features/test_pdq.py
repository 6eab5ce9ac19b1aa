import pickle

import cv2
import numpy as np
import pdqhash
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError
from pixelmine.features.feature import FEATURES
from pixelmine.features.pdq import Pdq
from pixelmine.preprocess import DecodeOptions, decode

RADIUS = 31
HALF_WAY = 128


def pixels_of(path):
    return decode(path.read_bytes(), DecodeOptions(rule="scaled-256"), Limits()).pixels


def hashed(pixels, feature=None):
    return (feature or Pdq())(pixels, pixels.shape[1], pixels.shape[0])


def bits(found):
    return np.unpackbits(np.frombuffer(found["pdq"], np.uint8))


def apart(first, second):
    return int((bits(hashed(first)) != bits(hashed(second))).sum())


def smooth(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def reference_to_64(grey):
    """Two passes of a box along each axis, cut off at the borders, then 64 samples each way."""

    def box(line):
        width = -(-len(line) // 128)
        after = (width + 2) // 2
        before = width - after
        return np.array([line[max(0, at - before) : at + after].mean() for at in range(len(line))])

    out = grey.astype(np.float64)
    for _ in range(2):
        out = np.apply_along_axis(box, 1, out)
        out = np.apply_along_axis(box, 0, out)
    rows, columns = (((np.arange(64) + 0.5) * side / 64).astype(int) for side in grey.shape)
    return out[rows][:, columns]


@pytest.mark.parametrize("shape", [(5, 5), (64, 64), (63, 130), (128, 129), (300, 257), (513, 90)])
def test_the_filter_is_the_reference_s_to_one_rounding(shape):
    from pixelmine.features.pdq import _to_64

    grey = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert np.abs(_to_64(grey) - reference_to_64(grey)).max() < 0.501


@settings(max_examples=40, deadline=None)
@given(st.integers(64, 700), st.integers(64, 700), st.integers(0, 99))
def test_a_smooth_picture_of_any_shape_has_the_bits_of_the_whole_computation(height, width, seed):
    pixels = smooth(height, width, seed)
    found, (wanted, quality) = hashed(pixels), pdqhash.compute(pixels)
    assert (bits(found) != wanted).sum() <= 10
    assert abs(found["pdq_quality"] - quality) <= 2


def test_given_the_filtered_picture_the_bits_and_quality_are_the_reference_s(test_data):
    from pixelmine.features.luma import luma
    from pixelmine.features.pdq import _hash, _quality, _to_64

    noise = np.random.default_rng(3).integers(0, 256, (64, 64), np.uint8)
    steps = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    photographs = sorted((test_data / "clothing").rglob("*.jpg"))[::100]
    filtered = [_to_64(luma(pixels_of(path))) for path in photographs]
    for small in (*filtered, noise, noise // 16, noise // 128, steps + noise // 32):
        wanted, quality = pdqhash.compute(np.repeat(small[..., None], 3, axis=2))
        assert _hash(small) == np.packbits(wanted.astype(bool)).tobytes()
        assert _quality(small) == quality


def test_photographs_have_the_bits_and_quality_of_the_whole_computation(test_data):
    distances, qualities = [], []
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::140]:
        pixels = pixels_of(path)
        found, (wanted, quality) = hashed(pixels), pdqhash.compute(pixels)
        distances.append((bits(found) != wanted).sum())
        qualities.append(abs(found["pdq_quality"] - quality))
    assert np.mean(distances) < 2
    assert max(distances) <= 8
    assert max(qualities) <= 1


def test_edits_are_near_and_turned_pictures_are_not(test_data):
    edits = test_data / "neardup-pdq" / "bridge-mods"
    original = pixels_of(edits / "aaa-orig.jpg")
    far = {path.stem: apart(original, pixels_of(path)) for path in edits.glob("*.jpg")}
    assert len(far) == 12
    assert far.pop("aaa-orig") == 0
    assert max(far.values()) <= RADIUS
    turned = test_data / "neardup-pdq" / "dih"
    upright = pixels_of(turned / "bridge-1-original.jpg")
    others = [
        apart(upright, pixels_of(p)) for p in turned.glob("*.jpg") if "original" not in p.stem
    ]
    assert len(others) == 7
    assert min(others) > 2 * RADIUS


def test_different_photographs_are_half_of_all_bits_apart(test_data):
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::400]
    found = [pixels_of(path) for path in paths]
    distances = [apart(a, b) for index, a in enumerate(found) for b in found[:index]]
    assert abs(np.mean(distances) - HALF_WAY) < 20
    assert min(distances) > RADIUS


def test_a_resized_copy_is_within_a_few_bits(test_data):
    pixels = pixels_of(test_data / "neardup-pdq" / "bridge-mods" / "aaa-orig.jpg")
    for scale in (0.5, 0.8, 1.7):
        copy = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        assert apart(pixels, copy) <= 20


def test_grey_is_rgb_with_equal_channels():
    grey = smooth(90, 120)[..., :1]
    assert hashed(grey) == hashed(np.repeat(grey, 3, axis=2))


def test_turned_views_are_hashed_as_their_copies_are():
    view = smooth(90, 120)[::-1].transpose(1, 0, 2)
    assert hashed(view) == hashed(view.copy())


def test_large_pictures_are_shrunk_and_keep_their_bits():
    pixels = smooth(700, 900)
    small = Pdq(side=256)
    assert (bits(hashed(pixels)) != bits(hashed(pixels, small))).sum() <= 20
    assert hashed(np.zeros((3000, 20, 3), np.uint8), small)["pdq_quality"] == 0


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (4, 4000, 3), (1, 5000, 1)])
def test_too_small_pictures_have_no_bits_as_in_the_reference(shape):
    pixels = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    assert hashed(pixels) == {"pdq": bytes(32), "pdq_quality": 0}
    _, quality = pdqhash.compute(np.repeat(pixels[..., :1], 3, axis=2))
    assert quality == 0


def test_a_blank_picture_has_quality_0_and_a_busy_one_100():
    assert hashed(np.full((300, 200, 3), 77, np.uint8))["pdq_quality"] == 0
    busy = np.kron(np.indices((16, 16)).sum(0) % 2 * 255, np.ones((20, 20)))
    assert hashed(busy[..., None].astype(np.uint8))["pdq_quality"] == 100


def test_the_values_fit_the_fields_and_the_producer_follows_the_options():
    feature = pickle.loads(pickle.dumps(FEATURES.get("pdq")()))
    values = hashed(smooth(100, 80), feature)
    table = pa.Table.from_pylist([values], pa.schema(feature.fields))
    assert table.to_pylist() == [values]
    assert values == hashed(smooth(100, 80))
    assert feature.producer == Pdq().producer
    assert Pdq(side=512).producer != Pdq().producer


@pytest.mark.parametrize("side", [0, 63, 4097, 100.5])
def test_a_side_out_of_range_is_refused(side):
    with pytest.raises(UsageError, match="side must be"):
        Pdq(side=side)
