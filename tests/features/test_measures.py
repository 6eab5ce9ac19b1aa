import pickle

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError
from pixelmine.features.feature import FEATURES
from pixelmine.features.measures import Measures
from pixelmine.preprocess import DecodeOptions, decode

STATISTICS = ("brightness", "dark_share", "bright_share", "contrast", "entropy", "colourfulness")


def measured(pixels, feature=None):
    return (feature or Measures())(pixels, pixels.shape[1], pixels.shape[0])


def reference(pixels):
    """Slow and obvious, of a picture that is small enough to be its own thumbnail."""
    red, green, blue = (pixels[..., c].astype(np.float64) for c in range(3))
    grey = np.floor(0.299 * red + 0.587 * green + 0.114 * blue + 0.5)
    around = np.pad(grey, 1, mode="reflect")
    laplacian = (
        around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * grey
    )
    shares = np.array([(grey == level).mean() for level in range(256)])
    rg, yb = red - green, (red + green) / 2 - blue
    return {
        "sharpness": laplacian.var(),
        "brightness": grey.mean() / 255,
        "dark_share": (grey <= 10).mean(),
        "bright_share": (grey >= 245).mean(),
        "contrast": grey.std() / 255,
        "entropy": -sum(s * np.log2(s) for s in shares if s),
        "colourfulness": np.sqrt(rg.var() + yb.var())
        + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2),
        "megapixels": pixels.shape[0] * pixels.shape[1] / 1e6,
        "short_side": min(pixels.shape[:2]),
        "aspect": pixels.shape[1] / pixels.shape[0],
    }


def photographs(test_data, every=300):
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::every]:
        yield decode(path.read_bytes(), DecodeOptions(rule="scaled-256"), Limits()).pixels


@pytest.mark.parametrize("shape", [(7, 11, 3), (128, 90, 3), (33, 127, 3)])
def test_the_measures_are_those_of_the_slow_reference(shape):
    pixels = np.random.default_rng(3).integers(0, 256, shape, np.uint8)
    found, wanted = measured(pixels), reference(pixels)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=2e-3, abs=2e-3), name


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 600), st.integers(1, 600), st.sampled_from([1, 3]), st.integers(0, 3))
def test_every_value_is_finite_and_in_its_range(height, width, channels, kind):
    noise = np.random.default_rng(kind).integers(0, 256, (height, width, channels), np.uint8)
    pixels = [noise, noise * 0, noise * 0 + 255, noise // 128 * 255][kind]
    found = measured(pixels)
    assert all(np.isfinite(value) and value >= 0 for value in found.values())
    for name in ("brightness", "dark_share", "bright_share", "contrast"):
        assert found[name] <= 1 + 1e-9, name
    assert found["entropy"] <= 8


@pytest.mark.parametrize("level", [0, 100, 255])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (1, 900, 3), (900, 1, 1), (300, 300, 3)])
def test_a_constant_picture_holds_nothing(level, shape):
    found = measured(np.full(shape, level, np.uint8))
    assert found["brightness"] == pytest.approx(level / 255)
    nothing = ("sharpness", "contrast", "entropy", "colourfulness")
    assert [found[name] for name in nothing] == [0, 0, 0, 0]
    assert (found["dark_share"], found["bright_share"]) == (level == 0, level == 255)


def test_a_resized_copy_measures_the_same(test_data):
    for pixels in photographs(test_data):
        copy = cv2.resize(pixels, None, fx=2.6, fy=2.6, interpolation=cv2.INTER_CUBIC)
        first, second = measured(pixels), measured(copy)
        for name in STATISTICS:
            assert second[name] == pytest.approx(first[name], rel=0.05, abs=0.02), name
        assert second["megapixels"] > 6 * first["megapixels"]


def test_a_mirrored_or_turned_copy_measures_the_same(test_data):
    for pixels in photographs(test_data, every=600):
        for copy in (pixels[:, ::-1], np.rot90(pixels)):
            first, second = measured(pixels), measured(copy)
            for name in (*STATISTICS, "sharpness"):
                assert second[name] == pytest.approx(first[name], rel=0.05, abs=0.02), name


def test_each_measure_follows_what_it_names(test_data):
    for pixels in photographs(test_data):
        plain = measured(pixels)
        blurred = [measured(cv2.GaussianBlur(pixels, (0, 0), s))["sharpness"] for s in (1, 2, 4)]
        assert plain["sharpness"] > blurred[0] > blurred[1] > blurred[2]
        assert measured(pixels // 2)["brightness"] < plain["brightness"]
        assert measured(pixels // 2)["contrast"] < plain["contrast"]
        assert measured(pixels // 32)["dark_share"] == 1
        assert measured(255 - pixels // 32)["bright_share"] == 1
        assert measured(pixels // 64 * 64)["entropy"] < plain["entropy"]
        grey = np.repeat(pixels[..., 1:2], 3, axis=2)
        assert measured(grey)["colourfulness"] == 0
        assert plain["colourfulness"] > 0


def test_grey_is_rgb_with_equal_channels():
    grey = np.random.default_rng(4).integers(0, 256, (90, 333, 1), np.uint8)
    assert measured(grey) == measured(np.repeat(grey, 3, axis=2))


def test_the_size_is_that_of_the_picture_as_stored_and_the_aspect_upright():
    upright = np.zeros((400, 300, 3), np.uint8)
    found = Measures()(upright, 4000, 3000)
    assert (found["megapixels"], found["short_side"]) == (12, 3000)
    assert found["aspect"] == pytest.approx(0.75)
    assert Measures()(upright, 3000, 4000)["aspect"] == pytest.approx(0.75)
    assert Measures()(upright[:300], 5000, 5000)["aspect"] == 1


def test_the_values_fit_the_fields_and_the_producer_follows_the_options():
    feature = pickle.loads(pickle.dumps(FEATURES.get("measures")()))
    values = measured(np.full((50, 60, 3), 9, np.uint8), feature)
    table = pa.Table.from_pylist([values], pa.schema(feature.fields))
    assert table.column_names == list(values)
    assert {field.type for field in feature.fields} == {pa.float32()}
    assert feature.producer == Measures().producer
    assert Measures(side=128).producer != Measures().producer


@pytest.mark.parametrize("side", [0, 4097, 12.5])
def test_a_side_out_of_range_is_refused(side):
    with pytest.raises(UsageError, match="side must be"):
        Measures(side=side)
