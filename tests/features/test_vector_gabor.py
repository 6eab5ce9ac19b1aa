import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import gabor_kernel

from pixelmine.features.gabor import Gabor


def named(feature, pixels):
    return dict(zip(feature.names(), feature(pixels).tolist(), strict=True))


def wave(frequency, degrees, height=90, width=120, amplitude=60):
    y, x = np.mgrid[:height, :width]
    angle = np.radians(degrees)
    phase = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle))
    return np.rint(128 + amplitude * np.sin(phase)).astype(np.uint8)[..., None]


def test_the_responses_are_those_of_scikit_image_s_kernels():
    """Those are cut off in space, and have a little of the mean, which is taken away before."""
    rng = np.random.default_rng(12)
    grey = ndimage.gaussian_filter(rng.integers(0, 256, (40, 50)).astype(float), 1).astype(np.uint8)
    feature = Gabor(frequencies=(0.2, 0.1), orientations=2)
    ours = feature._responses(grey[..., None])
    assert ours.shape == (4, 40, 50)
    for index, response in enumerate(ours):
        kernel = gabor_kernel((0.2, 0.1)[index // 2], np.pi * (index % 2) / 2, n_stds=4)
        levels = grey - grey.mean()
        parts = [
            ndimage.convolve(levels, part, mode="mirror") for part in (kernel.real, kernel.imag)
        ]
        wanted = 2 * np.hypot(*parts)
        assert np.abs(response - wanted).max() < 0.02 * wanted.max()


@pytest.mark.parametrize("frequency", [0.3, 0.15, 0.075])
@pytest.mark.parametrize("degrees", [0, 45, 90, 135])
def test_a_wave_gives_its_amplitude_to_the_filter_of_its_width_and_direction(frequency, degrees):
    found = named(Gabor(grid=1), wave(frequency, degrees))
    wanted = f"mean of {frequency:g} waves/pixel at {degrees} degrees, levels"
    assert found[wanted] == pytest.approx(60, rel=0.15)
    means = {name: value for name, value in found.items() if name.startswith("mean")}
    assert max(means, key=means.__getitem__) == wanted
    assert sorted(means.values())[-2] < 0.5 * found[wanted]


def test_each_cell_sees_its_own_part():
    pixels = np.full((80, 80, 1), 128, np.uint8)
    pixels[40:, :40] = wave(0.3, 0, 40, 40)
    found = named(Gabor(), pixels)
    name = "mean of 0.3 waves/pixel at 0 degrees, levels"
    cells = [found[f"row {r} column {c}: {name}"] for r, c in np.ndindex(2, 2)]
    assert np.argmax(cells) == 2
    assert cells[2] == pytest.approx(58, rel=0.1)
    assert max(cells[0], cells[3]) < 0.1 * cells[2]


def test_an_even_wave_has_no_spread_and_a_patch_has():
    even = named(Gabor(grid=1), wave(0.15, 0))
    patch = wave(0.15, 0)
    patch[:45] = 128
    name = "spread of 0.15 waves/pixel at 0 degrees, levels"
    assert even[name] < 8
    assert named(Gabor(grid=1), patch)[name] > 20


def test_a_blank_picture_has_no_energy():
    assert np.abs(Gabor()(np.full((50, 40, 3), 200, np.uint8))).max() < 1e-3
