"""A JPEG with its orientation and nothing else of EXIF."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixelmine.privacy.orientation import with_orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_shown_that_way_and_its_pixels_are_the_same(orientation: int) -> None:
    out = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(out, "JPEG")
    made = with_orientation(out.getvalue(), orientation)
    with Image.open(io.BytesIO(made)) as image, Image.open(out) as before:
        assert dict(image.getexif()) == ({274: orientation} if orientation > 1 else {})
        assert image.info.get("jfif") is not None
        np.testing.assert_array_equal(np.asarray(image), np.asarray(before))
        assert ImageOps.exif_transpose(image).size == ((8, 6) if orientation < 5 else (6, 8))
