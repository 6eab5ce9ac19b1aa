from base64 import b64decode

import cv2
import numpy as np
import pytest

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError
from pixelmine.features.descriptors import describe_keypoints
from pixelmine.features.keypoints import Keypoints
from pixelmine.features.vocabulary import fit_vocabulary
from pixelmine.preprocess import DecodeOptions, decode


@pytest.fixture(scope="module")
def photographs(test_data):
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::900]
    options = DecodeOptions(rule="scaled-256", colour="grey")
    whole = [decode(p.read_bytes(), options, Limits()).pixels for p in paths]
    return [np.ascontiguousarray(pixels[100:228, 100:228]) for pixels in whole]


def words_of(vocabulary):
    kind, text = vocabulary.split(":")
    size = {"sift": 128, "orb": 32}[kind]
    return np.frombuffer(b64decode(text), np.uint8).reshape(-1, size)


def nearest(kind, values, words):
    """Slow and obvious: for each descriptor the word that the fewest bits or levels tell apart."""
    if kind == "orb":
        apart = [[np.unpackbits(v ^ w).sum() for w in words] for v in values]
    else:
        apart = [[((v.astype(int) - w) ** 2).sum() for w in words] for v in values]
    return np.argmin(apart, axis=1)


@pytest.mark.parametrize("kind", ["sift", "orb"])
@pytest.mark.parametrize("dense", [0, 6])
def test_the_shares_are_those_of_the_slow_reference(kind, dense, photographs):
    vocabulary = fit_vocabulary(photographs, 9, 1, descriptor=kind, dense=dense)
    words = words_of(vocabulary)
    assert words.shape == (9, {"sift": 128, "orb": 32}[kind])
    for pixels in photographs[:3]:
        found = describe_keypoints(pixels[..., 0], kind, dense)
        counts = np.bincount(nearest(kind, found.values, words), minlength=9)
        feature = Keypoints(vocabulary=vocabulary, dense=dense)
        assert feature(pixels) == pytest.approx(counts / counts.sum(), abs=1e-6)


def test_the_descriptors_are_opencv_s(photographs):
    grey = photographs[0][..., 0]
    points, values = cv2.SIFT.create(500).detectAndCompute(grey, None)
    found = describe_keypoints(grey, "sift", 0)
    assert len(found.places) == len(points) > 20
    assert (found.values == values).all()
    assert np.allclose(found.places, [point.pt for point in points])


@pytest.mark.parametrize("kind", ["sift", "orb"])
def test_dense_keypoints_stand_in_an_even_grid_on_any_picture(kind):
    grey = np.random.default_rng(13).integers(0, 256, (28, 40), np.uint8)
    found = describe_keypoints(grey, kind, 4)
    places = sorted((y, x) for x, y in found.places.tolist())
    wanted = [(y, x) for y in (3.5, 10.5, 17.5, 24.5) for x in (5, 15, 25, 35)]
    assert np.allclose(places, wanted)


def test_the_same_pictures_and_seed_give_the_same_words_and_another_seed_others(photographs):
    some = photographs[:3]
    first, again, other = (fit_vocabulary(some, 16, seed, dense=6) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_words_are_nearer_to_their_pictures_than_the_default_ones(photographs):
    def apart(vocabulary):
        words = words_of(vocabulary).astype(np.float64)
        values = [describe_keypoints(p[..., 0], "sift", 8).values for p in photographs]
        distances = ((np.concatenate(values)[:, None].astype(np.float64) - words) ** 2).sum(2)
        return distances.min(1).mean()

    assert apart(fit_vocabulary(photographs, 64, 1, dense=8)) < apart(Keypoints().vocabulary)


def test_the_default_vocabulary_tells_textures_apart():
    stripes = np.broadcast_to(
        (np.arange(128) % 16 // 8 * 255).astype(np.uint8)[None, :, None], (128, 128, 1)
    )
    noise = np.random.default_rng(14).integers(0, 256, (128, 128, 1), np.uint8)
    across, down, rough = (Keypoints()(p) for p in (stripes, stripes.transpose(1, 0, 2), noise))
    for one, other in ((across, down), (across, rough), (down, rough)):
        assert np.abs(one - other).sum() > 1
    assert across.sum() == pytest.approx(1)


def test_each_cell_counts_its_own_keypoints():
    pixels = np.random.default_rng(15).integers(0, 256, (64, 64, 1), np.uint8)
    pixels[:32, :32] = 128
    found = Keypoints(grid=2, dense=8)(pixels).reshape(4, 64)
    assert found.sum(1) == pytest.approx([1, 1, 1, 1])
    assert found[0].max() > 0.5 > found[3].max()
    whole = Keypoints(dense=8)(pixels)
    assert found.mean(0) == pytest.approx(whole, abs=1e-6)


def test_where_nothing_is_detected_the_numbers_are_0():
    assert Keypoints(dense=0)(np.full((50, 50, 1), 99, np.uint8)).max() == 0


@pytest.mark.parametrize(
    ("pictures", "options", "said"),
    [
        ([], {}, "at least as many different descriptors"),
        ([np.full((40, 40, 1), 7, np.uint8)], {}, "at least as many different descriptors"),
        ([], {"descriptor": "surf"}, "descriptor must be one of orb, sift"),
        ([], {"dense": 99}, "dense must be"),
        ([], {"side": 0}, "side must be"),
    ],
)
def test_a_vocabulary_that_cannot_be_fitted_is_refused(pictures, options, said):
    with pytest.raises(UsageError, match=said):
        fit_vocabulary(pictures, 8, 1, **options)
    with pytest.raises(UsageError, match="words must be"):
        fit_vocabulary(pictures, 1, 1)
