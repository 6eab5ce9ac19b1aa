"""On real pictures nothing changes but metadata; on hostile files nothing is raised."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.planted_metadata import PLANTED
from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.privacy.metadata import Allowed, Stripped, strip

FILES = [PLANTED[name]().data for name in ("jpeg", "png", "gif", "webp", "tiff", "bmp")]


def test_real_jpegs_keep_their_pixels_byte_for_byte(test_data: Path) -> None:
    paths = sorted((test_data / "clothing").rglob("*.jpg"))[::100]
    paths += sorted((test_data / "exif-orientation").glob("*.jpg"))
    rewritten = 0
    for path in paths:
        data = path.read_bytes()
        made = strip(data)
        assert isinstance(made, Stripped)
        if made.data is None:
            continue
        rewritten += 1
        before, after = (simplejpeg.decode_jpeg(one) for one in (data, made.data))
        np.testing.assert_array_equal(before, after)
    assert rewritten >= 0.95 * len(paths)


def test_a_real_orientation_is_told_and_kept(test_data: Path) -> None:
    for path in sorted((test_data / "exif-orientation").glob("*.jpg")):
        said = int(path.stem.rpartition("_")[2])
        made = strip(path.read_bytes())
        assert isinstance(made, Stripped)
        assert made.data is not None
        assert made.orientation == (said or None)
        with Image.open(io.BytesIO(made.data)) as image:
            assert image.getexif().get(0x0112, 1) == (said or 1)


def test_hostile_files_have_an_answer_each(test_data: Path) -> None:
    folder = test_data / "hostile"
    paths = [Path(top) / name for top, _, names in os.walk(folder) for name in names]
    for path in paths:
        made = strip(path.read_bytes())
        if isinstance(made, Stripped) and made.data is not None:
            again = strip(made.data)
            assert isinstance(again, Stripped)
            assert again.data == made.data, path.name
            assert again.removed == (), path.name
        else:
            assert isinstance(made, Reason) or made.why


@given(st.sampled_from(FILES), st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_changed_bytes_raise_nothing(data: bytes, place: int, change: bytes) -> None:
    at = place % len(data)
    strip(data[:at] + change + data[at + len(change) :])


@given(st.sampled_from(FILES), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_cut_files_raise_nothing(data: bytes, place: int) -> None:
    strip(data[: place % len(data)])


def test_limits_are_reasons() -> None:
    data = FILES[1]
    few = Limits(max_pixels=100)
    assert strip(b"") is Reason.EMPTY
    assert strip(data, Allowed(limits=Limits(max_bytes=100))) is Reason.TOO_LARGE_FILE
    for one in FILES:
        assert strip(one, Allowed(limits=few)) is Reason.TOO_MANY_PIXELS


def test_an_unknown_format_has_to_be_encoded_again() -> None:
    made = strip(b"P6 1 1 255 abc")
    assert isinstance(made, Stripped)
    assert (made.data, made.format) == (None, "unknown")


def test_orientation_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="orientation must be one of"):
        Allowed(orientation="drop")  # type: ignore[arg-type]  # on purpose
