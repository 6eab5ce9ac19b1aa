"""Formats and variants that want care; what all formats share is in `test_decode`."""

import io
import struct
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.preprocess import DecodeOptions, Frames, Picture, decode, decode_frames
from pixelmine.preprocess.sniff import sniff
from pixelmine.preprocess.truncation import is_cut_off


def find(data, **options):
    return decode(data, DecodeOptions(**options), Limits())


@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_a_cmyk_jpeg_follows_the_rule_of_scales(photo, encode, look, colour):
    big = Image.fromarray(cv2.resize(photo, (1300, 1100))).convert("CMYK")
    data = encode(big, "JPEG", quality=90)
    full, small = look(data, "full", colour), look(data, "scaled-256", colour)
    assert full.pixels.shape[:2] == (1100, 1300)
    assert small.pixels.shape[:2] == (275, 325)
    assert (small.width, small.height) == (1300, 1100)
    shrunk = cv2.resize(full.pixels, (325, 275), interpolation=cv2.INTER_AREA)
    assert (
        np.abs(small.pixels.reshape(275, 325, -1) - shrunk.reshape(275, 325, -1).astype(int)).mean()
        < 3
    )


@pytest.mark.parametrize("side", [511, 513, 1025, 2047])
def test_a_cmyk_jpeg_of_odd_size(encode, look, side):
    data = encode(Image.new("CMYK", (side + 6, side), (0, 200, 200, 0)), "JPEG")
    divisor = {511: 2, 513: 2, 1025: 4, 2047: 8}[side]
    assert look(data, "scaled-256").pixels.shape[:2] == (
        -(-side // divisor),
        -(-(side + 6) // divisor),
    )


def test_the_largest_picture_of_an_ico(photo, encode, look):
    image = Image.fromarray(photo[:256, :256])
    found = look(encode(image, "ICO", sizes=[(16, 16), (48, 48), (256, 256), (32, 32)]))
    np.testing.assert_array_equal(found.pixels, photo[:256, :256])


@pytest.mark.parametrize("ending", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colours_keep_their_upper_eight(look, ending, channels):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 2**16, (20, 30, channels), np.uint16)
    pixels[..., 3:] = 0xFFFF
    stored = pixels[..., [2, 1, 0, 3][:channels]]
    _, data = cv2.imencode(ending, stored)
    np.testing.assert_array_equal(look(data.tobytes()).pixels, pixels[..., :3] >> 8)


def test_a_float_tiff_has_no_rule_for_its_range(encode):
    data = encode(Image.fromarray(np.full((4, 4), 0.5, np.float32)), "TIFF")
    assert find(data) is Reason.UNSUPPORTED_FORMAT


TRUNCATED = [
    *(("PNG", {}), ("GIF", {}), ("BMP", {}), ("PPM", {}), ("TIFF", {}), ("JPEG", {})),
    *(("TIFF", {"compression": c}) for c in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
    *(("WEBP", {}), ("WEBP", {"lossless": True}), ("AVIF", {}), ("JPEG2000", {})),
    *(("ICO", {"sizes": [(64, 64)]}), ("JPEG", {"progressive": True})),
]


@pytest.mark.parametrize(("form", "options"), TRUNCATED, ids=str)
@pytest.mark.parametrize("share", [0.4, 0.6, 0.8, 0.95])
def test_a_file_that_is_cut_off_says_so(photo, encode, form, options, share):
    data = encode(photo[:160, :160], form, **options)
    assert isinstance(find(data), Picture)
    assert not is_cut_off(data, sniff(data))
    assert find(data[: int(len(data) * share)]) is Reason.TRUNCATED


@pytest.mark.parametrize("form", ["WEBP", "AVIF", "JPEG2000", "TIFF"])
def test_whole_files_with_wrong_bytes_are_corrupt(photo, encode, form):
    options = {"compression": "tiff_adobe_deflate"} if form == "TIFF" else {}
    data = bytearray(encode(photo[:160, :160], form, **options))
    middle = len(data) // 2
    data[middle - 100 : middle + 100] = b"\xff" * 200
    found = find(bytes(data))
    assert isinstance(found, Picture) or found is Reason.CORRUPT


def box(name, *parts):
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), name) + data


def full(name, *parts):
    return box(name, b"\0" * 4, *parts)


def heic(pixels, orientation=None):
    """One HEVC key frame in the boxes of ISO/IEC 23008-12."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    height, width = pixels.shape[:2]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        options = {"x265-params": "log-level=none:crf=8:info=0"}
        stream = container.add_stream("libx265", rate=1, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    video = file.getvalue()
    at = video.index(b"hvcC") - 4
    config = video[at : at + int.from_bytes(video[at : at + 4], "big")]
    at = video.index(b"mdat") - 4
    sample = video[at + 8 : at + int.from_bytes(video[at : at + 4], "big")]
    properties = [full(b"ispe", struct.pack(">II", width, height)), config]
    if orientation == 6:
        properties.append(box(b"irot", b"\3"))  # three quarters anticlockwise
    links = bytes([len(properties)]) + bytes(0x80 | i + 1 for i in range(len(properties)))
    kind = box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(offset):
        return full(
            b"meta",
            full(b"hdlr", b"\0" * 4, b"pict", b"\0" * 13),
            full(b"pitm", b"\0\1"),
            full(
                b"iloc",
                b"\x44\0",
                b"\0\1",
                b"\0\1",
                b"\0\0",
                b"\0\1",
                struct.pack(">II", offset, len(sample)),
            ),
            full(b"iinf", b"\0\1", box(b"infe", b"\2\0\0\0", b"\0\1\0\0", b"hvc1\0")),
            box(b"iprp", box(b"ipco", *properties), full(b"ipma", b"\0\0\0\1", b"\0\1", links)),
        )

    head = len(kind) + len(meta(0)) + 8
    return kind + meta(head) + box(b"mdat", sample)


class TestHeic:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("pi_heif", reason="the extra `heif` is not installed")

    def test_pixels(self, photo, look):
        found = look(heic(photo[:128, :192]))
        assert (found.format, found.width, found.height) == ("heic", 192, 128)
        assert np.abs(found.pixels.astype(int) - photo[:128, :192]).mean() < 6

    def test_it_is_upright(self, photo, look):
        plain = look(heic(photo[:128, :192]))
        found = look(heic(photo[:128, :192], orientation=6))
        np.testing.assert_array_equal(found.pixels, np.rot90(plain.pixels, -1))

    def test_limits_and_frames(self, photo):
        data = heic(photo[:128, :192])
        assert (
            decode(data, DecodeOptions(), Limits(max_pixels=128 * 192 - 1))
            is Reason.TOO_MANY_PIXELS
        )
        assert len(list(decode_frames(data, DecodeOptions(), Limits(), Frames(which="all")))) == 1

    def test_what_is_cut_off_or_changed(self, photo, capfd):
        data = heic(photo[:64, :64])
        capfd.readouterr()
        for length in range(16, len(data), 101):
            assert find(data[:length]) in (Reason.TRUNCATED, Reason.CORRUPT)
        for at in range(24, len(data), 37):
            assert isinstance(find(data[:at] + b"\xff" + data[at + 1 :]), (Picture, Reason))

    def test_without_pi_heif_the_format_is_not_supported(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pi_heif", None)
        assert find(b"\0\0\0\x18ftypheic" + b"\0" * 99) is Reason.UNSUPPORTED_FORMAT
