import numpy as np
import pytest
from scipy import ndimage

from pixelmine.features.edges import Edges


def named(feature, pixels):
    return dict(zip(feature.names(), feature(pixels).tolist(), strict=True))


def reference(grey, grid, orientations):
    """Slow and obvious: cell by cell, pixel by pixel; all but Canny's share."""
    levels = grey.astype(np.float64)
    dx = ndimage.sobel(levels, axis=1, mode="mirror") / 8
    dy = ndimage.sobel(levels, axis=0, mode="mirror") / 8
    found = []
    for row in range(grid):
        for column in range(grid):
            lengths, votes = [], np.zeros(orientations)
            for y in range(grey.shape[0]):
                for x in range(grey.shape[1]):
                    if (y * grid // grey.shape[0], x * grid // grey.shape[1]) != (row, column):
                        continue
                    length = np.hypot(dx[y, x], dy[y, x])
                    degrees = np.degrees(np.arctan2(dy[y, x], dx[y, x])) % 180
                    votes[round(degrees * orientations / 180) % orientations] += length
                    lengths.append(length)
            found.append([np.mean(lengths), np.std(lengths), *(votes / votes.sum())])
    return np.array(found)


def test_the_gradient_is_that_of_the_slow_reference():
    grey = np.random.default_rng(1).integers(0, 256, (37, 26, 1), np.uint8)
    found = Edges(grid=3)(grey).reshape(9, 11)[:, :-1]
    assert np.abs(found - reference(grey[..., 0], 3, 8)).max() < 1e-4


@pytest.mark.parametrize("slope", [1, 3])
def test_a_ramp_has_its_slope_everywhere_and_one_direction(slope):
    across = np.broadcast_to((np.arange(64) * slope).astype(np.uint8)[None, :, None], (64, 64, 1))
    found = named(Edges(grid=1), across[:, 1:-1])
    assert found["mean gradient, levels/pixel"] == pytest.approx(slope, rel=0.05)
    assert found["gradient at 0 degrees, share"] == pytest.approx(1)
    down = named(Edges(grid=1), across.transpose(1, 0, 2))
    assert down["gradient at 90 degrees, share"] == pytest.approx(1)
    assert down["gradient at 0 degrees, share"] == pytest.approx(0)


def test_dark_on_light_has_the_directions_of_light_on_dark():
    pixels = np.random.default_rng(2).integers(0, 256, (40, 40, 1), np.uint8)
    assert np.allclose(Edges()(pixels), Edges()(255 - pixels), atol=1e-5)


def test_canny_draws_the_outline_of_a_square():
    pixels = np.full((80, 80, 1), 40, np.uint8)
    pixels[20:60, 20:60] = 200
    found = named(Edges(grid=1), pixels)
    assert found["on Canny edges, share"] == pytest.approx(4 * 40 / 80**2, rel=0.1)
    assert named(Edges(grid=1, low=200, high=255), pixels)["on Canny edges, share"] == 0


def test_a_faint_edge_counts_only_where_it_touches_a_strong_one():
    pixels = np.full((60, 120, 1), 100, np.uint8)
    pixels[30:, :60], pixels[30:, 60:] = 160, 220
    alone = pixels[:, :50]
    assert named(Edges(grid=1, low=20, high=45), alone)["on Canny edges, share"] == 0
    both = Edges(grid=2, low=20, high=45)
    assert named(both, pixels)["row 0 column 0: on Canny edges, share"] > 0.01


def test_each_cell_sees_its_own_part():
    pixels = np.zeros((64, 64, 1), np.uint8)
    pixels[:32, 32:] = np.random.default_rng(3).integers(0, 256, (32, 32, 1), np.uint8)
    found = named(Edges(grid=2), pixels)
    means = [found[f"row {r} column {c}: mean gradient, levels/pixel"] for r, c in np.ndindex(2, 2)]
    assert np.argmax(means) == 1
    assert means[2] < 0.01 * means[1]
