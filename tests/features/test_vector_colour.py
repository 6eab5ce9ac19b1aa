import numpy as np
import pytest
from skimage import color

from pixelmine.core import Limits
from pixelmine.features.colour import Colour
from pixelmine.preprocess import DecodeOptions, decode


def named(feature, pixels):
    return dict(zip(feature.names(), feature(pixels).tolist(), strict=True))


def flat(*rgb):
    return np.full((20, 30, 3), rgb, np.uint8)


@pytest.fixture(scope="module")
def photographs(test_data):
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::2000]
    whole = [decode(p.read_bytes(), DecodeOptions(), Limits()).pixels for p in paths]
    return [np.ascontiguousarray(pixels[100:300, 100:300]) for pixels in whole]


def histogram(plane, bins, weights=None):
    """Of values from 0 to 1."""
    counts, _ = np.histogram(plane, bins, (0, 1), weights=weights)
    return counts / counts.sum()


def test_the_histograms_are_those_of_scikit_image_s_colours(photographs):
    """But for pixels on the border of two bins: here colours are rounded to 256 levels.

    Hue, a and b are half a bin on, so that red and grey are in the middle of one.
    """
    for pixels in photographs:
        found = Colour(bins=8)(pixels)[:48].reshape(6, 8)
        hsv, lab = color.rgb2hsv(pixels), color.rgb2lab(pixels)
        planes = [(hsv[..., 0] + 1 / 16) % 1, hsv[..., 1], hsv[..., 2], lab[..., 0] / 100]
        planes += [(lab[..., index] + 128) / 256 + 1 / 16 for index in (1, 2)]
        for index, plane in enumerate(planes):
            weights = hsv[..., 1] if index == 0 else None
            wanted = histogram(plane, 8, weights)
            assert np.abs(found[index] - wanted).sum() < 0.06, index


def test_the_moments_are_those_of_lab(photographs):
    for pixels in photographs:
        found = named(Colour(), pixels)
        for index, name in enumerate("Lab"):
            plane = color.rgb2lab(pixels)[..., index]
            centred = plane - plane.mean()
            assert found[f"mean of {name}, Lab"] == pytest.approx(plane.mean(), abs=0.5)
            assert found[f"spread of {name}, Lab"] == pytest.approx(plane.std(), abs=0.3)
            third = np.cbrt((centred**3).mean())
            assert found[f"skewness of {name}, Lab"] == pytest.approx(third, abs=1)


@pytest.mark.parametrize(
    ("rgb", "bin_of_hue"),
    [((255, 0, 0), 0), ((0, 255, 0), 5), ((0, 0, 255), 11), ((90, 90, 90), None)],
)
def test_a_flat_colour_fills_one_bin_and_grey_has_no_hue(rgb, bin_of_hue):
    found = Colour()(flat(*rgb))[:16]
    if bin_of_hue is None:
        assert found.max() == 0
    else:
        assert found[bin_of_hue] == 1


def test_dominant_colours_are_those_the_picture_is_made_of():
    pixels = flat(250, 10, 10)
    pixels[:, :9], pixels[:, 9:12] = (10, 10, 250), (240, 240, 240)
    found = named(Colour(dominant=4), pixels)
    shares = [found[f"dominant colour {n}: share"] for n in range(1, 5)]
    assert shares == pytest.approx([0.6, 0.3, 0.1, 0], abs=1e-6)
    for number, rgb in enumerate(((250, 10, 10), (10, 10, 250), (240, 240, 240)), 1):
        wanted = color.rgb2lab(np.array(rgb, np.uint8)[None, None])[0, 0]
        lab = [found[f"dominant colour {number}: {c}"] for c in "Lab"]
        assert np.abs(np.array(lab) - wanted).max() < 8


def best_of_three(lab, count):
    """Mean squared distance of plain k-means, from three beginnings at random pixels."""
    rng, found = np.random.default_rng(1), []
    for _ in range(3):
        centres = rng.choice(lab, count, replace=False)
        for _ in range(15):
            near = ((lab[:, None] - centres) ** 2).sum(2).argmin(1)
            centres = np.stack([lab[near == n].mean(0) for n in range(count)])
        found.append(((lab[:, None] - centres) ** 2).sum(2).min(1).mean())
    return min(found)


def test_dominant_colours_are_nearly_the_best_that_k_means_finds(photographs):
    for pixels in photographs:
        few = np.ascontiguousarray(pixels[::4, ::4])
        lab = color.rgb2lab(few).reshape(-1, 3)
        ours = Colour(dominant=3)(few)[-12:].reshape(3, 4)
        apart = ((lab[:, None] - ours[:, :3]) ** 2).sum(2).min(1).mean()
        assert apart < 1.5 * best_of_three(lab, 3)
        assert (np.diff(ours[:, 3]) <= 0).all()
        assert ours[:, 3].sum() == pytest.approx(1)


def test_cells_have_their_own_histograms():
    pixels = flat(255, 0, 0)
    pixels[10:, 15:] = (0, 0, 255)
    found = named(Colour(grid=2), pixels)
    assert found["row 0 column 0: hue bin 0 of 16, share"] == 1
    assert found["row 1 column 1: hue bin 11 of 16, share"] == 1
    assert found["row 1 column 1: hue bin 0 of 16, share"] == 0


def test_a_grey_picture_differs_in_its_luma_parts_alone():
    dark, light = (Colour()(np.full((20, 20, 1), level, np.uint8)) for level in (60, 180))
    changed = {name for name, a, b in zip(Colour().names(), dark, light, strict=True) if a != b}
    kinds = {name.split(" bin")[0] for name in changed if "bin" in name}
    assert kinds == {"value", "Lab L"}
