"""What is planted around the pixels is not in what leaves."""

import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageSequence

from benchmarks.planted_metadata import PLANTED, Planted, encoded_anew, holds
from pixelmine.privacy.metadata import Allowed, Stripped, strip

AGAIN = ("avif",)
"""Formats that are not rewritten."""


def plant(name: str) -> Planted:
    if name == "dicom":
        pytest.importorskip("pydicom")
        pytest.importorskip("dicomanonymizer")
    return PLANTED[name]()


def stripped(data: bytes, orientation: Literal["keep", "apply"] = "keep") -> Stripped:
    made = strip(data, Allowed(orientation=orientation))
    assert isinstance(made, Stripped)
    return made


@pytest.mark.parametrize("name", PLANTED)
def test_every_canary_is_in_the_file_before(name: str) -> None:
    planted = plant(name)
    assert planted.planted() == list(planted.places)
    assert len(set(planted.places.values())) == len(planted.places)


def test_there_are_thirty_and_more() -> None:
    assert sum(len(plant(name).places) for name in PLANTED) >= 30


@pytest.mark.parametrize("orientation", ["keep", "apply"])
@pytest.mark.parametrize("name", PLANTED)
def test_none_of_them_leaves(name: str, orientation: Literal["keep", "apply"]) -> None:
    planted = plant(name)
    made = stripped(planted.data, orientation)
    assert (made.data is None) == (name in AGAIN), made.why
    out = encoded_anew(planted.data) if made.data is None else made.data
    assert planted.left(out) == []
    assert not any(holds(repr(made.removed).encode(), text) for text in planted.places.values())


@pytest.mark.parametrize("name", [name for name in PLANTED if name not in (*AGAIN, "dicom")])
def test_the_pixels_are_the_same(name: str) -> None:
    planted = plant(name)
    made = stripped(planted.data).data
    assert made is not None
    for one, other in zip(frames(planted.data), frames(made), strict=name != "tiff"):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:The pixel data is:UserWarning")  # what is planted there
def test_the_pixels_of_dicom_are_the_same() -> None:
    planted = plant("dicom")
    import pydicom

    made = stripped(planted.data).data
    assert made is not None
    before, after = (pydicom.dcmread(io.BytesIO(data)) for data in (planted.data, made))
    np.testing.assert_array_equal(before.pixel_array, after.pixel_array)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_the_orientation_alone_is_kept_or_told(name: str) -> None:
    data = plant(name).data
    kept, applied = stripped(data), stripped(data, "apply")
    assert kept.orientation == applied.orientation == 6
    assert exif(kept.data) == {0x0112: 6}
    assert exif(applied.data) == {}


@pytest.mark.parametrize("name", [name for name in PLANTED if name not in AGAIN])
def test_what_leaves_has_nothing_more_to_remove(name: str) -> None:
    once = stripped(plant(name).data)
    assert once.removed
    assert once.data is not None
    again = stripped(once.data)
    assert again.removed == ()
    assert again.data == once.data or name == "dicom"  # whose UIDs are mapped again


def frames(data: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def exif(data: bytes | None) -> dict[int, object]:
    with Image.open(io.BytesIO(data or b"")) as image:
        return dict(image.getexif())
