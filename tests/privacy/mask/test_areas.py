"""Boxes are turned as pictures are."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixelmine.detect.box import Box
from pixelmine.privacy.mask import MaskOptions, mask_pixels, to_stored

WIDE, HIGH = 30, 20


def upright(stored, orientation):
    """As Pillow turns it, which knows EXIF by itself."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(stored).save(out, "PNG", exif=exif)
    return np.asarray(ImageOps.exif_transpose(Image.open(out)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_in_the_upright_picture_is_the_same_pixels_as_stored(orientation):
    stored = np.random.default_rng(0).integers(1, 256, (HIGH, WIDE, 3), dtype=np.uint8)
    shown = upright(stored, orientation)
    box = Box(kind="face", x0=2.25, y0=3.5, x1=9, y1=14.75, score=0.9, text="x", points=((3, 4),))
    options = MaskOptions(grow=1.0)
    turned = to_stored(box, orientation, WIDE, HIGH)
    masked = mask_pixels(stored, [turned], options)
    np.testing.assert_array_equal(upright(masked, orientation), mask_pixels(shown, [box], options))
    assert (turned.kind, turned.score, turned.text, turned.points) == ("face", 0.9, "x", ())


def test_another_orientation_changes_nothing():
    box = Box(kind="face", x0=2, y0=3, x1=9, y1=14, score=0.9)
    assert to_stored(box, 0, WIDE, HIGH) == to_stored(box, 9, WIDE, HIGH) == box
