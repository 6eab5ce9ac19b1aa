import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from pixelmine.core import Limits
from pixelmine.features.lbp import Lbp
from pixelmine.preprocess import DecodeOptions, decode


def shares(codes, bins, grid):
    """Histograms of the cells of a grid, one after the other."""
    height, width = codes.shape
    rows, columns = np.arange(height) * grid // height, np.arange(width) * grid // width
    found = []
    for row in range(grid):
        for column in range(grid):
            cell = codes[rows == row][:, columns == column]
            found.append(np.bincount(cell.ravel(), minlength=bins) / cell.size)
    return np.concatenate(found)


@pytest.mark.parametrize("mapping", ["uniform", "nri_uniform"])
@pytest.mark.parametrize(("points", "radius"), [(8, 1), (8, 2), (4, 1.5), (12, 3), (16, 2)])
@pytest.mark.parametrize("grid", [1, 3])
def test_noise_has_scikit_image_s_patterns(mapping, points, radius, grid):
    grey = np.random.default_rng(7).integers(0, 256, (61, 47), np.uint8)
    feature = Lbp(points=points, radius=radius, mapping=mapping, grid=grid)
    codes = local_binary_pattern(grey, points, radius, mapping).astype(np.int64)
    wanted = shares(codes, feature.dimensions // grid**2, grid)
    assert np.abs(feature(grey[..., None]) - wanted).max() < 1e-6


def test_photographs_have_scikit_image_s_patterns_but_where_a_neighbour_is_as_bright(test_data):
    """There rounding decides in scikit-image; here a tie is a 1, as the definition has it."""
    for path in sorted((test_data / "clothing").rglob("*.jpg"))[::1500]:
        pixels = decode(path.read_bytes(), DecodeOptions(colour="grey"), Limits()).pixels
        grey = np.ascontiguousarray(pixels[:200, :200])
        ours = Lbp(grid=1)._codes(grey)
        theirs = local_binary_pattern(grey[..., 0], 8, 1, "uniform")
        differ = ours != theirs
        assert differ.mean() < 0.01
        assert ties(grey[..., 0])[differ].all()


def ties(grey):
    """Whether one of the four neighbours between pixels is as bright as the pixel, to 1e-9."""
    padded = np.pad(grey.astype(np.float64), 1)
    middle, w = padded[1:-1, 1:-1], 0.70711
    found = np.zeros(grey.shape, bool)
    for rows, columns in ((slice(0, -2), slice(0, -2)), (slice(0, -2), slice(2, None))):
        for r, c in ((rows, columns), (slice(2, None), columns)):
            sample = (1 - w) * ((1 - w) * middle + w * padded[1:-1, c])
            sample += w * ((1 - w) * padded[r, 1:-1] + w * padded[r, c])
            found |= np.abs(sample - middle) < 1e-9
    return found


def test_a_turned_picture_has_the_same_uniform_patterns_inside():
    grey = np.random.default_rng(8).integers(0, 256, (40, 40, 1), np.uint8)
    codes = Lbp(grid=1)._codes(grey)[2:-2, 2:-2]
    turned = Lbp(grid=1)._codes(np.rot90(grey))[2:-2, 2:-2]
    assert (np.rot90(codes) == turned).all()
    told = Lbp(grid=1, mapping="nri_uniform")
    inner = told._codes(grey)[2:-2, 2:-2], told._codes(np.rot90(grey))[2:-2, 2:-2]
    assert (np.rot90(inner[0]) != inner[1]).any()


def test_more_light_and_contrast_change_nothing():
    grey = np.random.default_rng(9).integers(0, 100, (40, 40, 1), np.uint8)
    inner = [Lbp()._codes(pixels)[1:-1, 1:-1] for pixels in (grey, 2 * grey + 30)]
    assert (inner[0] == inner[1]).all()


def test_a_flat_picture_has_all_neighbours_as_bright():
    codes = Lbp()._codes(np.full((20, 20, 1), 93, np.uint8))
    assert (codes[1:-1, 1:-1] == 8).all()
