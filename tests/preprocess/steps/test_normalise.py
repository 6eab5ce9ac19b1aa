import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Normalise


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
@pytest.mark.parametrize(
    ("mean", "std"),
    [(0.0, 255.0), (127.0, 128.0), ((1.0, 2.0, 3.0), (0.5, 5.0, 50.0)), (5.0, (1.0, 2.0, 4.0))],
)
def test_normalise_against_the_reference(dtype, mean, std):
    pixels = noise(4, 5, 3, dtype)
    found = Normalise(mean=mean, std=std)(pixels)
    means, stds = np.broadcast_to(mean, 3), np.broadcast_to(std, 3)
    for place in np.ndindex(4, 5, 3):
        expected = (float(pixels[place]) - means[place[2]]) / stds[place[2]]
        assert found[place] == pytest.approx(expected, rel=1e-6)
    assert found.dtype == np.float32


def test_normalise_by_default_gives_nought_to_one():
    assert Normalise()(np.array([[[0], [255]]], np.uint8)).tolist() == [[[0.0], [1.0]]]


def test_lists_of_a_card_become_tuples():
    step = Normalise(mean=[1, 2, 3], std=[4, 5, 6])
    assert (step.mean, step.std) == ((1, 2, 3), (4, 5, 6))
    assert hash(step)


@pytest.mark.parametrize("std", [0, -1.0, (1.0, 0.0, 1.0), [1.0, float("nan")], float("nan")])
def test_normalise_refuses(std):
    with pytest.raises(UsageError, match="std must be above 0"):
        Normalise(std=std)
