import cv2
import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Clahe, Equalise


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def dark(height, width):
    """Levels 40 to 99, most of them low."""
    random = np.random.default_rng(height + width)
    return (40 + 60 * random.random((height, width, 1)) ** 3).astype(np.uint8)


def equalised(pixels):
    flat = pixels.ravel().tolist()
    least = flat.count(min(flat))
    return np.array(
        [255 * (sum(u <= v for u in flat) - least) / (len(flat) - least) for v in flat]
    ).reshape(pixels.shape)


@pytest.mark.parametrize("size", [(9, 12), (20, 17), (1, 5)])
def test_equalise_against_the_reference(size):
    pixels = dark(*size)
    found = Equalise()(pixels)
    assert np.abs(found - equalised(pixels)).max() <= 0.51
    assert (found.min(), found.max()) == (0, 255)


@pytest.mark.parametrize("step", [Equalise(), Clahe(tiles=1)])
def test_a_single_level_gives_a_single_level(step):
    assert len(np.unique(step(np.full((6, 6, 1), 90, np.uint8)))) == 1


def test_a_single_level_is_not_equalised():
    pixels = np.full((6, 6, 1), 90, np.uint8)
    np.testing.assert_array_equal(Equalise()(pixels), pixels)


def clipped(pixels, tiles, clip):
    """Zuiderveld's method, slowly: each pixel looks at the tiles whose middles are around it."""
    height, width = pixels.shape[0] // tiles, pixels.shape[1] // tiles
    area, maps = height * width, np.zeros((tiles, tiles, 256))
    limit = max(int(clip * area / 256), 1)
    for i in range(tiles):
        for j in range(tiles):
            tile = pixels[i * height : (i + 1) * height, j * width : (j + 1) * width]
            counts = np.bincount(tile.ravel(), minlength=256)
            above = np.maximum(counts - limit, 0).sum()
            counts = np.minimum(counts, limit) + above // 256
            rest = above % 256
            for level in range(0, 256, max(256 // max(rest, 1), 1)):
                if rest > 0:
                    counts[level] += 1
                    rest -= 1
            maps[i, j] = np.round(np.cumsum(counts) * 255 / area).clip(0, 255)
    out = np.zeros(pixels.shape)
    for y, x, _ in np.ndindex(pixels.shape):
        at_y, at_x = (y / height) - 0.5, (x / width) - 0.5
        i, j = int(np.floor(at_y)), int(np.floor(at_x))
        for row, share_y in ((i, 1 - (at_y - i)), (i + 1, at_y - i)):
            for column, share_x in ((j, 1 - (at_x - j)), (j + 1, at_x - j)):
                near = maps[min(max(row, 0), tiles - 1), min(max(column, 0), tiles - 1)]
                out[y, x] += share_y * share_x * near[pixels[y, x, 0]]
    return out


@pytest.mark.parametrize(("tiles", "clip"), [(1, 256), (2, 2.0), (4, 4.0), (4, 1.0)])
def test_clahe_against_the_reference(tiles, clip):
    pixels = dark(32, 48)
    found = Clahe(clip_limit=clip, tiles=tiles)(pixels)
    assert np.abs(found - clipped(pixels, tiles, clip)).max() <= 1.01


@pytest.mark.parametrize("step", [Equalise(), Clahe()])
def test_of_a_colour_picture_the_luma_changes_and_the_colours_stay(step):
    smooth = 60 + cv2.GaussianBlur(noise(40, 50), (0, 0), 3) // 4
    found = step(smooth)
    before, after = rgb2ycbcr(smooth), rgb2ycbcr(found)
    assert np.abs(after[..., 0] - before[..., 0]).mean() > 5
    untouched = (found > 0).all(axis=2) & (found < 255).all(axis=2)
    assert np.abs(after[..., 1:] - before[..., 1:])[untouched].max() < 2


@pytest.mark.parametrize(
    "options",
    [{"clip_limit": 0}, {"clip_limit": 257}, {"tiles": 0}, {"tiles": 65}, {"tiles": 2.0}],
)
def test_clahe_refuses(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        Clahe(**options)
