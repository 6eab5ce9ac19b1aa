"""GIF, WebP, TIFF and BMP of the kinds that Pillow writes."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from benchmarks.planted_metadata import photograph
from pixelmine.privacy.metadata import Allowed, Stripped, strip

KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGBA", {"quality": 60}),
    *(
        ("TIFF", mode, {"compression": how})
        for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I")
        for how in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
    ),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    *(("BMP", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")),
    *(("GIF", mode, {}) for mode in ("1", "L", "P")),
]


def written(name: str, mode: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photograph()).convert(mode).save(out, name, **options)
    return out.getvalue()


def made(data: bytes, allow: Allowed | None = None) -> bytes:
    one = strip(data, allow)
    assert isinstance(one, Stripped)
    assert one.data is not None, one.why
    again = strip(one.data, allow)
    assert isinstance(again, Stripped)
    assert (again.data, again.removed) == (one.data, ())
    return one.data


@pytest.mark.parametrize(("name", "mode", "options"), KINDS)
def test_pixels_are_the_same(name: str, mode: str, options: dict[str, Any]) -> None:
    data = written(name, mode, **options)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made(data))) as after:
        assert before.mode == after.mode
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("name", ["GIF", "WEBP", "TIFF"])
def test_all_frames_stay(name: str) -> None:
    more = [Image.fromarray(photograph()[::-1]), Image.fromarray(photograph()[:, ::-1])]
    options: dict[str, Any] = {} if name == "TIFF" else {"duration": 90, "loop": 0}
    data = written(name, "RGB", save_all=True, append_images=more, **options)
    before, after = (
        [
            (np.asarray(frame.convert("RGB")), frame.info.get("duration"))
            for frame in ImageSequence.Iterator(Image.open(io.BytesIO(one)))
        ]
        for one in (data, made(data))
    )
    assert len(before) == len(after) == 3
    for (one, delay), (other, again) in zip(before, after, strict=True):
        assert delay == again
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kept", [True, False])
def test_the_orientation_of_a_tiff(kept: bool) -> None:
    data = written("TIFF", "RGB", tiffinfo={274: 6, 270: "somebody"})
    out = made(data, Allowed(orientation="keep" if kept else "apply"))
    with Image.open(io.BytesIO(out)) as image:
        assert image.tag_v2.get(274, 1) == (6 if kept else 1)  # type: ignore[attr-defined]  # a TIFF's
        assert 270 not in image.tag_v2  # type: ignore[attr-defined]  # the same
