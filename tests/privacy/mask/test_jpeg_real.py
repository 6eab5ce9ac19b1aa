"""Real JPEGs: from cameras, phones and programs."""

import numpy as np
import pytest

from pixelmine.privacy.mask import MaskOptions, mask_jpeg
from tests.privacy.mask.jpegs import box, check, opened

pytestmark = pytest.mark.xdist_group("mask_jpeg")  # compiled once

FOLDERS = {
    "clothing/images": 14,
    "exif-orientation": 3,
    "neardup-pdq": 8,
    "neardup-ukbench": 12,
}
"""How many of each; those of the second are large."""


@pytest.fixture(scope="module")
def files(test_data):
    found = []
    for folder, many in FOLDERS.items():
        paths = sorted((test_data / folder).rglob("*.jpg"))
        found += paths[:: max(1, len(paths) // many)][:many]
    return {path.stem: data for path in found if (data := path.read_bytes())[:2] == b"\xff\xd8"}


def test_without_boxes_the_pixels_are_the_same(files):
    assert len(files) >= 30
    for data in files.values():
        made = mask_jpeg(data, [])
        np.testing.assert_array_equal(opened(made.data), opened(data))
        assert len(made.data) < len(data) * 1.05


def test_outside_all_is_the_same_and_inside_all_is_gone(files):
    random = np.random.default_rng(20261128)
    options = MaskOptions()
    for name, data in files.items():
        height, width = opened(data).shape[:2]
        boxes = []
        for _ in range(random.integers(1, 5)):
            x, y = random.uniform(-0.1, 0.9, 2) * (width, height)
            wide, high = random.uniform(0.02, 0.4, 2) * (width, height)
            boxes.append(box(x, y, x + wide, y + high))
        try:
            _, _, gone = check(data, boxes, options, mask_jpeg(data, boxes, options))
        except AssertionError as error:
            error.add_note(name)
            raise
        assert gone.any()
