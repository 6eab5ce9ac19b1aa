"""Whatever the bytes are, the answer is a JPEG that decodes, or why there is none."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelmine.core import Limits
from pixelmine.privacy.mask import mask_jpeg
from tests.privacy.mask.jpegs import box, drawn, opened, saved

pytestmark = pytest.mark.xdist_group("mask_jpeg")  # compiled once
quick = settings(deadline=None, max_examples=300, database=None)
LIMITS = Limits(max_pixels=10**7)
BOXES = [box(10, 10, 30, 30)]

SEEDS = [
    saved(drawn(50, 60), quality=60, **make)
    for make in (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 2, "subsampling": "4:4:4"},
        {"progressive": True, "restart_marker_rows": 1, "subsampling": "4:2:2"},
    )
] + [saved(drawn(50, 60)[..., 0], quality=60, progressive=True)]


def answered(data):
    """What was made of it, which Pillow has to read without a complaint."""
    made = mask_jpeg(data, BOXES, limits=LIMITS)
    assert (made.data is None) == (made.why is not None)
    if made.data is not None:
        shape = opened(made.data).shape
        assert shape[:2] <= (made.masked.shape[0] * 32, made.masked.shape[1] * 32)
    return made


def test_the_hostile_files(test_data):
    files = sorted((test_data / "hostile/go-fuzz/jpeg").rglob("*"))
    files = [path for path in files if path.is_file()]
    assert len(files) > 100
    made = 0
    for path in files:
        data = path.read_bytes()
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                known = np.asarray(image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            known = None
        found = answered(data)
        made += found.data is not None
        if found.data is not None and known is not None:
            again = mask_jpeg(data, [], limits=LIMITS)
            np.testing.assert_array_equal(opened(again.data), known)
    assert made >= 25


changes = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6, unique=True
)


@quick
@given(seed=st.sampled_from(SEEDS), changed=changes, cut=st.integers(0, 10**6))
def test_changed_bytes(seed, changed, cut):
    data = bytearray(seed)
    for at, value in changed:
        data[at % len(data)] = value
    if cut % 3 == 0:
        del data[cut % len(data) :]
    answered(bytes(data))


@quick
@given(seed=st.sampled_from(SEEDS), ends=st.tuples(st.integers(0, 9999), st.integers(0, 9999)))
def test_repeated_and_missing_parts(seed, ends):
    first, last = sorted(end % len(seed) for end in ends)
    answered(seed[:last] + seed[first:])
    answered(seed[:first] + seed[last:])


def test_a_large_frame_without_data_costs_nothing():
    data = bytearray(SEEDS[1])
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert "pixels" in mask_jpeg(bytes(data), []).why
    data[frame + 5 : frame + 9] = b"\x20\x00\x20\x00"
    assert "cut off" in mask_jpeg(bytes(data), []).why


def test_scans_without_end_are_refused():
    data = SEEDS[1]
    scan = data.index(b"\xff\xda")
    assert "out of order" in mask_jpeg(data[:-2] + data[scan:-2] * 500, []).why
