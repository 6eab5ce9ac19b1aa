from math import exp

import cv2
import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.preprocess.steps import Bilateral, Median, NonLocalMeans


def noise(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng(height * 1000 + width * 10 + channels)
    return random.integers(0, 256, (height, width, channels)).astype(dtype)


def mirrored(at, side):
    at %= max(2 * side - 2, 1)
    return at if at < side else 2 * side - 2 - at


def speckled():
    """A bright half and a dark one, with noise of a standard deviation of 10 levels."""
    clean = np.full((24, 30, 3), 60, np.uint8)
    clean[:, 15:] = 190
    random = np.random.default_rng(0)
    noisy = np.clip(clean + random.normal(0, 10, clean.shape), 0, 255).astype(np.uint8)
    return clean, noisy


@pytest.mark.parametrize("size", [3, 5, 7])
def test_median_against_the_reference(size):
    pixels, reach = noise(11, 14), size // 2
    found = Median(size=size)(pixels)
    for y, x, c in np.ndindex(pixels.shape):
        around = [
            pixels[min(max(y + i, 0), 10), min(max(x + j, 0), 13), c]
            for i in range(-reach, reach + 1)
            for j in range(-reach, reach + 1)
        ]
        assert found[y, x, c] == sorted(around)[len(around) // 2]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("step", [Bilateral(), Bilateral(diameter=7, sigma_colour=90.0)])
def test_bilateral_against_the_reference(step, channels):
    pixels = cv2.GaussianBlur(noise(12, 15), (0, 0), 1)[..., :channels]
    found, reach = step(pixels), step.diameter // 2
    for y, x in np.ndindex(12, 15):
        total, weights = np.zeros(channels), 0.0
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                if i * i + j * j > reach * reach:
                    continue
                near = pixels[mirrored(y + i, 12), mirrored(x + j, 15)].astype(float)
                colour = np.abs(near - pixels[y, x]).sum()
                weight = exp(-(i * i + j * j) / (2 * step.sigma_space**2))
                weight *= exp(-(colour**2) / (2 * step.sigma_colour**2))
                total, weights = total + weight * near, weights + weight
        assert np.abs(found[y, x] - total / weights).max() <= 1


def test_non_local_means_against_the_reference():
    step = NonLocalMeans(strength=12.0, patch=3, search=5)
    pixels = speckled()[1][:12, 8:22, :1]
    found = step(pixels)
    around = np.pad(pixels[..., 0].astype(float), 3, mode="reflect")

    def patch(y, x):
        return around[y + 2 : y + 5, x + 2 : x + 5]

    for y, x in np.ndindex(12, 14):
        total = weights = 0.0
        for i in range(-2, 3):
            for j in range(-2, 3):
                apart = np.mean((patch(y, x) - patch(y + i, x + j)) ** 2)
                weight = exp(-apart / step.strength**2)
                total += weight * around[y + i + 3, x + j + 3]
                weights += weight
        # OpenCV looks weights up in a table of whole steps of the distance
        assert abs(found[y, x, 0] - total / weights) <= 2


@pytest.mark.parametrize("step", [Median(size=5), Bilateral(sigma_colour=60.0), NonLocalMeans()])
def test_noise_goes_and_edges_stay(step):
    clean, noisy = speckled()
    found = step(noisy).astype(float)
    before = np.abs(noisy.astype(float) - clean).mean()
    assert np.abs(found - clean).mean() < 0.6 * before
    assert (found[:, 15] - found[:, 14]).min() > 60


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((Median, {"size": size}) for size in (1, 4, 33, 3.0, True)),
        *((Bilateral, {"diameter": 4}), (Bilateral, {"diameter": 17})),
        *((Bilateral, {"sigma_colour": 0}), (Bilateral, {"sigma_space": 101})),
        *((NonLocalMeans, {"strength": 0}), (NonLocalMeans, {"strength": 101})),
        *((NonLocalMeans, {"patch": 11}), (NonLocalMeans, {"search": 33})),
    ],
)
def test_denoising_refuses(kind, options):
    with pytest.raises(UsageError, match=next(iter(options))):
        kind(**options)
