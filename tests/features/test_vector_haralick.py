import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from pixelmine.core import Limits
from pixelmine.features.haralick import Haralick
from pixelmine.features.luma import luma
from pixelmine.preprocess import DecodeOptions, decode

PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "entropy")


def reference(grey, feature):
    """scikit-image's matrices and statistics, of the same levels."""
    levels = (grey.astype(np.int64) * feature.levels // 256).astype(np.uint8)
    angles = np.arange(4) * np.pi / 4
    matrices = graycomatrix(
        levels, feature.distances, angles, feature.levels, symmetric=True, normed=True
    )
    found = np.stack([graycoprops(matrices, name) for name in PROPERTIES], axis=2)
    return np.stack([found.mean(1), np.ptp(found, axis=1)], axis=1).ravel()


@pytest.mark.parametrize(
    "feature",
    [Haralick(), Haralick(levels=8, distances=(1, 7)), Haralick(levels=256, distances=(2,))],
)
def test_the_statistics_are_scikit_image_s(feature, test_data):
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::2500]:
        picture = decode(path.read_bytes(), DecodeOptions(rule="scaled-256"), Limits())
        pixels = np.ascontiguousarray(picture.pixels[:150, :210])
        wanted = reference(luma(pixels), feature)
        assert feature(pixels) == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_noise_and_the_smallest_picture_too():
    for shape in ((8, 8), (8, 40), (33, 9)):
        grey = np.random.default_rng(10).integers(0, 256, shape, np.uint8)
        for feature in (Haralick(), Haralick(distances=(7,))):
            wanted = reference(grey, feature)
            assert feature(grey[..., None]) == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_stripes_have_contrast_across_and_none_along():
    stripes = np.broadcast_to(
        (np.arange(40) % 2 * 255).astype(np.uint8)[None, :, None], (40, 40, 1)
    )
    feature = Haralick(levels=2, distances=(1,))
    found = dict(zip(feature.names(), feature(stripes), strict=True))
    assert found["mean contrast, squared levels (distance 1)"] == pytest.approx(0.75)
    assert found["range of contrast, squared levels (distance 1)"] == pytest.approx(1)
    assert found["range of correlation (distance 1)"] == pytest.approx(2, abs=1e-3)


def test_a_turned_picture_has_the_same_numbers():
    pixels = np.random.default_rng(11).integers(0, 256, (40, 60, 1), np.uint8)
    assert np.allclose(Haralick()(pixels), Haralick()(np.rot90(pixels)), atol=1e-5)


def test_one_level_has_no_contrast_and_full_correlation():
    feature = Haralick(distances=(1,))
    found = dict(zip(feature.names(), feature(np.full((20, 20, 3), 9, np.uint8)), strict=True))
    assert found["mean contrast, squared levels (distance 1)"] == 0
    assert found["mean correlation (distance 1)"] == 1
    assert found["mean energy (distance 1)"] == 1
    assert found["mean entropy, nats (distance 1)"] == 0
