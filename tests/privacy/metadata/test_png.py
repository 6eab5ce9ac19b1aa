"""PNG: every kind of pixel, interlaced and animated, stays as it is."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageSequence

from benchmarks.planted_metadata import photograph
from pixelmine.privacy.metadata import Stripped, strip


def png(mode: str, **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(photograph()).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    image.save(out, "PNG", **options)
    return out.getvalue()


def made(data: bytes) -> Stripped:
    one = strip(data)
    assert isinstance(one, Stripped)
    return one


def with_chunk(data: bytes, name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body).to_bytes(4, "big")
    return data[:33] + len(body).to_bytes(4, "big") + name + body + crc + data[33:]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_it_stays_as_it_is(mode: str) -> None:
    assert made(png(mode)).data == png(mode)


def test_transparency_stays() -> None:
    data = png("P", transparency=3)
    assert made(data).data == data


def test_an_animation_stays() -> None:
    more = [Image.fromarray(photograph()[::-1]), Image.fromarray(photograph()[:, ::-1])]
    data = png("RGB", save_all=True, append_images=more, duration=70)
    data = with_chunk(data, b"tEXt", b"k\0somebody")
    one = made(data)
    assert one.data is not None, one.why
    assert b"somebody" not in one.data
    before, after = (
        [np.asarray(frame) for frame in ImageSequence.Iterator(Image.open(io.BytesIO(each)))]
        for each in (data, one.data)
    )
    assert len(after) == 3
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("name", "body", "kept"),
    [
        (b"gAMA", (45455).to_bytes(4, "big"), True),
        (b"gAMA", b"Anna", False),
        (b"cHRM", b"".join((31270).to_bytes(4, "big") for _ in range(8)), True),
        (b"cHRM", b"somebody lives in a small house!", False),
        (b"sRGB", b"\0", True),
        (b"pHYs", bytes(9), False),
        (b"bKGD", b"Anna!!", False),
    ],
)
def test_colours_stay_where_they_are_numbers(name: bytes, body: bytes, kept: bool) -> None:
    one = made(with_chunk(png("RGB"), name, body))
    assert one.data is not None
    assert (name in one.data) == kept
    assert bool(one.removed) != kept


def test_a_stream_that_inflates_to_much_more_costs_little() -> None:
    data = png("RGB")
    at = data.index(b"IDAT") - 4
    bomb = zlib.compress(bytes(2**28), 9)
    crc = zlib.crc32(b"IDAT" + bomb).to_bytes(4, "big")
    one = made(data[:at] + len(bomb).to_bytes(4, "big") + b"IDAT" + bomb + crc + data[-12:])
    assert one.data is not None
    assert len(one.data) < 1000
    assert one.removed == ("bytes behind the pixels",)
