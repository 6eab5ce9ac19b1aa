import cv2
import numpy as np
import pytest

from pixelmine.preprocess.augment import RandAugment, rand_augment, tone
from pixelmine.preprocess.augment.rand_augment import OPERATIONS
from pixelmine.preprocess.steps import Equalise, Rotate


def smooth(channels=3):
    random = np.random.default_rng(channels)
    pixels = random.integers(0, 256, (20, 20, channels)).astype(np.uint8)
    return cv2.GaussianBlur(pixels, (0, 0), 2).reshape(pixels.shape)


def shifted(picture, right, down):
    out = np.full(picture.shape, 77, np.uint8)
    for y, x in np.ndindex(picture.shape[:2]):
        if 0 <= y - down < 20 and 0 <= x - right < 20:
            out[y, x] = picture[y - down, x - right]
    return out


def stretched(picture, _):
    out = np.zeros(picture.shape)
    for channel in range(picture.shape[2]):
        part = picture[..., channel].astype(float)
        out[..., channel] = 255 * (part - part.min()) / (part.max() - part.min())
    return np.rint(out)


EXACT = {
    "identity": lambda p, _: p,
    "auto_contrast": stretched,
    "equalise": lambda p, _: Equalise()(p),
    "solarise": lambda p, s: np.where(p >= 256 - 256 * abs(s), 255 - p, p),
    "posterise": lambda p, s: p // 2 ** round(4 * abs(s)) * 2 ** round(4 * abs(s)),
    "saturation": lambda p, s: tone.saturation(p, 1 + 0.9 * s),
    "contrast": lambda p, s: tone.contrast(p, 1 + 0.9 * s),
    "brightness": lambda p, s: tone.brightness(p, 1 + 0.9 * s),
    "sharpness": lambda p, s: tone.sharpness(p, 1 + 0.9 * s),
    "translate_x": lambda p, s: shifted(p, round(9 * s), 0),
    "translate_y": lambda p, s: shifted(p, 0, round(9 * s)),
}
NEAR = {"rotate", "shear_x", "shear_y"}


def test_there_are_the_fourteen_of_the_paper():
    assert len(OPERATIONS) == 14
    assert EXACT.keys() | NEAR == OPERATIONS.keys()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strength", [-1, 0, 1 / 3, 1])
@pytest.mark.parametrize("name", EXACT)
def test_an_operation_against_the_reference(name, strength, channels):
    picture = smooth(channels)
    found = OPERATIONS[name](picture, strength, 77)
    assert (found.shape, found.dtype) == (picture.shape, np.uint8)
    np.testing.assert_array_equal(found, EXACT[name](picture, strength))


@pytest.mark.parametrize("name", OPERATIONS)
def test_without_strength_nothing_changes_but_what_has_none(name):
    if name not in ("auto_contrast", "equalise"):
        np.testing.assert_array_equal(OPERATIONS[name](smooth(), 0.0, 77), smooth())


@pytest.mark.parametrize("strength", [-1, 0.5])
def test_turns_are_up_to_30_degrees(strength):
    found = OPERATIONS["rotate"](smooth(), strength, 0).astype(int)
    assert np.abs(found - Rotate(degrees=30 * strength)(smooth())).max() <= 1


@pytest.mark.parametrize("strength", [-1, 0.5])
def test_shears_move_rows_and_columns_by_up_to_three_tenths_of_their_distance(strength):
    # 10 rows from the middle between rows 9 and 10 by 3 pixels: row 14 is 4.5 below, 1.35 pixels
    line = np.zeros((20, 20, 1), np.uint8)
    line[:, 10] = 255
    across = OPERATIONS["shear_x"](line, strength, 0)
    down = OPERATIONS["shear_y"](line.transpose(1, 0, 2), strength, 0)
    np.testing.assert_allclose(across[..., 0].T.astype(int), down[..., 0], atol=1)
    for row in (2, 9, 14):
        weights = across[row, :, 0].astype(float)
        middle = (weights * np.arange(20)).sum() / weights.sum()
        assert middle == pytest.approx(10 + 0.3 * strength * (row - 9.5), abs=0.06)


def test_a_single_level_has_no_contrast_to_stretch():
    flat = np.full((4, 4, 3), 9, np.uint8)
    np.testing.assert_array_equal(OPERATIONS["auto_contrast"](flat, 1.0, 0), flat)


def test_every_operation_comes_up_either_way_and_at_the_magnitude(monkeypatch):
    seen = []

    def recorder(name):
        return lambda picture, strength, value: (seen.append((name, strength, value)), picture)[1]

    fakes = {name: recorder(name) for name in OPERATIONS}
    monkeypatch.setattr(rand_augment, "OPERATIONS", fakes)
    batch = np.zeros((1000, 2, 2, 1), np.uint8)
    RandAugment(count=3, magnitude=4, value=5)(batch, np.random.default_rng(1))
    assert len(seen) == 3000
    assert {(name, s) for name, s, _ in seen} == {(n, s) for n in OPERATIONS for s in (-0.4, 0.4)}
    assert {value for *_, value in seen} == {5}
    counts = [sum(name == n for n, *_ in seen) for name in OPERATIONS]
    assert min(counts) > 150
    assert max(counts) < 280
