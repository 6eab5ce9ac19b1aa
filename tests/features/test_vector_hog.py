import numpy as np
import pytest
from skimage.feature import hog

from pixelmine.core import Limits
from pixelmine.features.hog import Hog
from pixelmine.features.luma import luma
from pixelmine.preprocess import DecodeOptions, decode


def reference(grey, feature):
    """Dalal and Triggs' trilinear vote, pixel by pixel, and blocks by L2-Hys."""
    height, width = grey.shape
    cells, o = feature.cells, feature.orientations
    turn = 360 if feature.signed else 180
    levels = grey.astype(np.float64)
    votes = np.zeros((cells, cells, o))
    for y in range(height):
        for x in range(width):
            dx = (levels[y, x + 1] - levels[y, x - 1]) / 2 if 0 < x < width - 1 else 0
            dy = (levels[y + 1, x] - levels[y - 1, x]) / 2 if 0 < y < height - 1 else 0
            place = np.degrees(np.arctan2(dy, dx)) % turn * o / turn
            down, across = ((at + 0.5) * cells / n - 0.5 for at, n in ((y, height), (x, width)))
            for i in range(cells):
                for j in range(cells):
                    near = max(0, 1 - abs(down - i)) * max(0, 1 - abs(across - j))
                    for b in (int(place), int(place) + 1):
                        share = near * (1 - abs(place - b))
                        votes[i, j, b % o] += share * np.hypot(dx, dy)
    votes *= cells * cells / (height * width)
    found = []
    for i in range(cells - feature.block + 1):
        for j in range(cells - feature.block + 1):
            block = votes[i : i + feature.block, j : j + feature.block].ravel()
            block = block / np.sqrt((block**2).sum() + feature.floor**2)
            cut = np.minimum(block, 0.2)
            found.append(cut * np.linalg.norm(block) / np.linalg.norm(cut))
    return np.concatenate(found)


@pytest.mark.parametrize(
    "feature",
    [
        Hog(cells=4),
        Hog(cells=3, block=2, orientations=12, signed=True, floor=3),
        Hog(cells=5, block=1, orientations=6),
        Hog(cells=4, block=3, floor=0.01),
    ],
)
@pytest.mark.parametrize("shape", [(28, 28), (21, 34)])
def test_the_numbers_are_those_of_the_slow_reference(feature, shape):
    grey = np.random.default_rng(4).integers(0, 256, (*shape, 1), np.uint8)
    assert np.abs(feature(grey) - reference(grey[..., 0], feature)).max() < 2e-4


def test_photographs_agree_with_scikit_image_which_votes_for_one_cell_and_direction(test_data):
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::2000]:
        picture = decode(path.read_bytes(), DecodeOptions(colour="grey"), Limits())
        pixels = picture.pixels[:256, :256]
        ours = Hog(cells=16, floor=0.01)(pixels)
        cells = hog(luma(pixels), 9, (16, 16), (2, 2))
        assert np.corrcoef(ours, cells)[0, 1] > 0.7


def test_an_upright_edge_has_the_direction_across_it_and_its_opposite_only_if_signed():
    pixels = np.zeros((64, 64, 1), np.uint8)
    pixels[:, 32:] = 200
    for feature in (Hog(), Hog(orientations=18, signed=True)):
        strength = feature(pixels).reshape(-1, feature.orientations).sum(0)
        assert strength.argmax() == 0
        assert strength[1:].max() < 1e-3 * strength[0]
    mirrored = Hog(orientations=18, signed=True)(pixels[:, ::-1]).reshape(-1, 18).sum(0)
    assert mirrored.argmax() == 9
    assert np.allclose(Hog()(pixels[:, ::-1]).reshape(-1, 9).sum(0)[0], Hog()(pixels).sum())


def test_more_contrast_changes_little_and_the_floor_keeps_noise_faint():
    pixels = np.random.default_rng(5).integers(0, 100, (64, 64, 1), np.uint8)
    assert np.abs(Hog()(pixels) - Hog()(2 * pixels)).max() < 0.02
    faint = pixels // 50 + 100
    assert np.abs(Hog(floor=50)(faint)).max() < 0.2 * np.abs(Hog(floor=0.01)(faint)).max()


def test_each_block_has_length_1_at_most():
    pixels = np.random.default_rng(6).integers(0, 256, (64, 64, 1), np.uint8)
    blocks = Hog()(pixels).reshape(-1, 36)
    assert np.allclose(np.linalg.norm(blocks, axis=1), 1, atol=1e-3)
    assert Hog()(np.zeros((30, 30, 1), np.uint8)).max() == 0


def test_names_follow_the_order_of_the_numbers():
    pixels = np.zeros((64, 64, 1), np.uint8)
    pixels[44:] = 255  # an edge in the middle of the cells of row 5
    feature = Hog(orientations=4, block=1, floor=20)
    strong = [n for n, v in zip(feature.names(), feature(pixels), strict=True) if v > 0.5]
    assert strong == [f"block 5,{c} cell 5,{c}: gradient at 90 degrees" for c in range(8)]
