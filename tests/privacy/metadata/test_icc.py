"""Profiles: sRGB goes, others have to be applied."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from benchmarks.planted_metadata import photograph
from pixelmine.privacy.metadata import Stripped, strip


def profiled(name: str, profile: bytes) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photograph()).save(out, name, icc_profile=profile)
    return out.getvalue()


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped() -> bytes:
    """Red's and blue's primaries exchanged."""
    profile = bytearray(srgb())
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, blue = entries[b"rXYZ"] + 4, entries[b"bXYZ"] + 4
    profile[red : red + 8], profile[blue : blue + 8] = (
        profile[blue : blue + 8],
        profile[red : red + 8],
    )
    return bytes(profile)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_srgb_goes_and_colours_stay(name: str) -> None:
    data = profiled(name, srgb())
    made = strip(data)
    assert isinstance(made, Stripped)
    assert made.data is not None, made.why
    assert "ICC profile" in made.removed
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made.data)) as after:
        assert not after.info.get("icc_profile")
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_other_colours_have_to_be_applied(name: str) -> None:
    made = strip(profiled(name, swapped()))
    assert isinstance(made, Stripped)
    assert made.data is None
    assert "ICC profile" in made.why


def test_a_broken_profile_goes() -> None:
    made = strip(profiled("PNG", b"somebody"))
    assert isinstance(made, Stripped)
    assert made.data is not None
    assert b"somebody" not in made.data
