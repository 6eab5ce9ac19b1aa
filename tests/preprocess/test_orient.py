import numpy as np
import pytest
from PIL import Image

from pixelmine.preprocess.orient import orient

# Exif 3.0, tag 274: where the 0th row and the 0th column of what is stored are seen.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def seen(stored, orientation):
    """Pixel by pixel, by the words of the standard."""
    row_side, column_side = SIDES[orientation]
    rows, columns = stored.shape[:2]
    swapped = row_side in ("left", "right")
    upright = np.zeros((columns, rows, 3) if swapped else stored.shape, stored.dtype)
    for i in range(rows):
        for j in range(columns):
            place = (
                {
                    "top": ("y", i),
                    "bottom": ("y", rows - 1 - i),
                    "left": ("x", i),
                    "right": ("x", rows - 1 - i),
                }[row_side],
                {
                    "top": ("y", j),
                    "bottom": ("y", columns - 1 - j),
                    "left": ("x", j),
                    "right": ("x", columns - 1 - j),
                }[column_side],
            )
            at = dict(place)
            upright[at["y"], at["x"]] = stored[i, j]
    return upright


@pytest.fixture
def stored():
    return np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)


@pytest.mark.parametrize("orientation", SIDES)
def test_by_the_words_of_the_standard(stored, orientation):
    np.testing.assert_array_equal(orient(stored, orientation), seen(stored, orientation))


@pytest.mark.parametrize("orientation", [0, 9, -1, 255])
def test_nonsense_changes_nothing(stored, orientation):
    np.testing.assert_array_equal(orient(stored, orientation), stored)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", SIDES)
def test_a_file_is_upright_exactly(stored, encode, look, form, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    more = {"lossless": True} if form == "WEBP" else {}
    found = look(encode(stored, form, exif=exif, **more))
    np.testing.assert_array_equal(found.pixels, seen(stored, orientation))
    assert (found.width, found.height, found.orientation) == (5, 3, orientation)
    assert found.pixels.flags.c_contiguous


@pytest.mark.parametrize("colour", ["rgb", "grey"])
@pytest.mark.parametrize("orientation", SIDES)
def test_a_jpeg_is_upright_exactly(photo, encode, look, orientation, colour):
    small, exif = photo[:48, :80], Image.Exif()
    exif[274] = orientation
    plain = look(encode(small, "JPEG"), colour=colour).pixels
    found = look(encode(small, "JPEG", exif=exif), colour=colour)
    expected = seen(
        np.repeat(plain, 3, axis=2)[..., :3] if colour == "grey" else plain, orientation
    )
    np.testing.assert_array_equal(found.pixels, expected[..., : plain.shape[2]])
    assert (found.width, found.height) == (80, 48)


def eighth(picture):
    height, width = picture.pixels.shape[:2]
    return picture.pixels.reshape(height // 8, 8, width // 8, 8, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_the_eight_photographs_are_one_picture(test_data, look, shape):
    folder = test_data / "exif-orientation"
    found = [look((folder / f"{shape}_{n}.jpg").read_bytes()) for n in range(9)]
    assert [picture.orientation for picture in found] == [1, *range(1, 9)]
    first = eighth(found[1])
    assert (first.shape[0] < first.shape[1]) == (shape == "Landscape")
    for picture in found[2:]:
        # each was compressed on its own and bears its number: eighths of the size are compared
        assert picture.pixels.shape == (first.shape[0] * 8, first.shape[1] * 8, 3)
        assert np.abs(eighth(picture) - first).mean() < 3
    for wrong in (first[:, ::-1], first[::-1], first[::-1, ::-1]):
        assert np.abs(wrong - first).mean() > 30


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_the_eight_photographs_are_one_picture_at_the_pinned_rule(test_data, look, shape):
    folder = test_data / "exif-orientation"
    found = [look((folder / f"{shape}_{n}.jpg").read_bytes(), "scaled-256") for n in range(9)]
    first = found[1].pixels.astype(float)
    assert min(first.shape[:2]) == 300
    for picture in found:
        assert picture.pixels.shape == first.shape
        assert np.abs(picture.pixels - first).mean() < 3
