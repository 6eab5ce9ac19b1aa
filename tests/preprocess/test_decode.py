import io
import struct
import subprocess
import sys
import zlib
from math import ceil

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import DecodeOptions, Picture, decode
from pixelmine.preprocess.decode_jpeg import jpeg_scale


def reason(data, limits=None):
    found = decode(data, DecodeOptions(), limits or Limits())
    return found if isinstance(found, Reason) else None


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "GIF", "ICO"])
def test_lossless_formats_give_the_pixels_back(photo, encode, look, form):
    pixels = photo[:48, :64] // 64 * 64 if form == "GIF" else photo[:48, :64]
    options = {"sizes": [(64, 48)]} if form == "ICO" else {}
    found = look(encode(pixels, form, **options))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert (found.format, found.width, found.height) == (form.lower(), 64, 48)


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF", "JPEG2000"])
def test_lossy_formats_come_close(photo, encode, look, form):
    found = look(encode(photo[:200, :300], form))
    assert np.abs(found.pixels.astype(int) - photo[:200, :300]).mean() < 8
    assert found.format == form.lower()


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"subsampling": 0}, {"quality": 5}, {"restart_marker_rows": 1}],
)
def test_kinds_of_jpeg(photo, encode, look, options):
    data = encode(photo, "JPEG", **options)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image).astype(int)
    assert np.abs(look(data).pixels - expected).mean() < 1


def test_a_grey_jpeg(photo, encode, look):
    data = encode(photo[..., 1], "JPEG")
    assert (np.ptp(look(data).pixels, axis=2) == 0).all()
    assert look(data, colour="grey").pixels.shape == (427, 640, 1)


def test_the_first_frame_is_taken(look):
    file = io.BytesIO()
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert (look(file.getvalue()).pixels == [255, 0, 0]).all()


RULE = {  # libjpeg rounds the sides up
    1: 1,
    255: 1,
    256: 1,
    257: 1,
    510: 1,
    511: 2,
    512: 2,
    513: 2,
    1020: 2,
    1021: 4,
    1023: 4,
    1024: 4,
    1025: 4,
    2040: 4,
    2041: 8,
    2048: 8,
    5000: 8,
}


@pytest.mark.parametrize(("short", "divisor"), RULE.items())
def test_the_rule_of_scales(short, divisor):
    assert jpeg_scale(short, 9000) == jpeg_scale(9000, short) == divisor
    wanted = [scale for scale in (8, 4, 2) if ceil(short / scale) >= 256]
    assert divisor == max([*wanted, 1])


@pytest.mark.parametrize(
    "short", [255, 256, 510, 511, 512, 1020, 1021, 1023, 1024, 2040, 2041, 2048]
)
@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_a_jpeg_is_decoded_at_the_scale_of_the_rule(photo, encode, look, short, colour):
    pixels = cv2.resize(photo[..., 1], (short + 7, short), interpolation=cv2.INTER_AREA)
    divisor = RULE[short]
    for stored in (pixels, pixels.T):
        found = look(encode(stored, "JPEG", quality=80), "scaled-256", colour)
        height, width = stored.shape
        assert found.pixels.shape[:2] == (ceil(height / divisor), ceil(width / divisor))
        assert (found.width, found.height) == (width, height)
    small = cv2.resize(pixels.T, found.pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(found.pixels[..., 0] - small.astype(int)).mean() < 8


def test_the_other_rule_and_other_formats_are_full_size(photo, encode, look):
    big = cv2.resize(photo, (1300, 1100))
    assert look(encode(big, "JPEG"), "full").pixels.shape == (1100, 1300, 3)
    assert look(encode(big, "JPEG"), "scaled-256").pixels.shape == (275, 325, 3)
    for form in ("PNG", "WEBP", "BMP"):
        assert look(encode(big, form), "scaled-256").pixels.shape == (1100, 1300, 3)


def test_a_turned_jpeg_reports_the_size_as_stored(photo, encode, look):
    exif = Image.Exif()
    exif[274] = 6
    found = look(encode(cv2.resize(photo, (1200, 1100)), "JPEG", exif=exif), "scaled-256")
    assert found.pixels.shape == (300, 275, 3)
    assert found.columns() == {"format": "jpeg", "width": 1200, "height": 1100, "orientation": 6}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "PPM", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_is_no_picture(photo, encode, form, share):
    data = encode(photo[:200, :200], form)
    expected = {Reason.TRUNCATED}
    if form in ("WEBP", "TIFF"):
        expected |= {Reason.CORRUPT}  # its decoder does not tell one from the other
    assert reason(data[: int(len(data) * share)]) in expected


def test_a_progressive_jpeg_that_is_cut_off(photo, encode):
    data = encode(photo, "JPEG", progressive=True)
    assert reason(data[: len(data) // 2]) is Reason.TRUNCATED


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_file_that_is_cut_off_in_its_header(photo, encode, form):
    data = encode(photo[:20, :20], form)
    for length in range(9, 30):
        assert reason(data[:length]) in (Reason.TRUNCATED, Reason.CORRUPT)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Reason.EMPTY),
        (b"\0", Reason.NOT_AN_IMAGE),
        (b"Dear Sir or Madam,", Reason.NOT_AN_IMAGE),
        (b"<?xml version='1.0'?><svg/>", Reason.NOT_AN_IMAGE),
        (b"\0\0\0\x1cftypmp42" + b"\0" * 99, Reason.CORRUPT),
        (b"\xff\xd8\xff\xe0" + b"\0" * 99, Reason.CORRUPT),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, Reason.CORRUPT),
        (b"GIF89a", Reason.CORRUPT),
    ],
)
def test_what_is_no_picture(data, expected):
    assert reason(data) is expected


def test_bytes_that_are_wrong(photo, encode):
    data = bytearray(encode(photo[:64, :64], "PNG"))
    data[60] ^= 0xFF
    assert reason(bytes(data)) in (Reason.CORRUPT, Reason.TRUNCATED)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_limits_are_the_largest_that_is_decoded(photo, encode, form):
    data = encode(photo[:30, :40], form)
    assert reason(data, Limits(max_pixels=1200)) is None
    assert reason(data, Limits(max_pixels=1199)) is Reason.TOO_MANY_PIXELS
    assert reason(data, Limits(max_bytes=len(data))) is None
    assert reason(data, Limits(max_bytes=len(data) - 1)) is Reason.TOO_LARGE_FILE


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, data=b"\0" * 9):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg_of_size(data, width, height):
    at = next(i for i in range(len(data)) if data[i : i + 2] in (b"\xff\xc0", b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def huge(encode):
    """Small files that claim to be huge."""
    small = np.zeros((8, 8, 3), np.uint8)
    tiff = encode(small, "TIFF")
    for tag in (256, 257):
        at = tiff.index(
            struct.pack("<HH", tag, 4)
            if struct.pack("<HH", tag, 4) in tiff
            else struct.pack("<HH", tag, 3)
        )
        tiff = tiff[:at] + struct.pack("<HHII", tag, 4, 1, 100_000) + tiff[at + 12 :]
    inside = png(30_000, 30_000)
    return {
        "png": png(100_000, 100_000),
        "jpeg": jpeg_of_size(encode(small, "JPEG"), 65_500, 65_500),
        "progressive": jpeg_of_size(encode(small, "JPEG", progressive=True), 65_500, 65_500),
        "bmp": (b := encode(small, "BMP"))[:18] + struct.pack("<ii", 100_000, 100_000) + b[26:],
        "gif": (g := encode(small[..., 0], "GIF"))[:6] + b"\xff\xff\xff\xff" + g[10:],
        "ppm": b"P6 100000 100000 255\n" + b"\0" * 99,
        "tiff": tiff,
        "webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x7f\0" * 2 + b"\0" * 8,
        "ico": struct.pack("<HHH", 0, 1, 1)
        + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22)
        + inside,
    }


LOOK = """
import sys, time
from pathlib import Path
from pixelmine.core import Limits
from pixelmine.preprocess import DecodeOptions, decode



def most():
    # the most memory that this process ever held, in MiB
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


paths = sorted(Path(sys.argv[1]).iterdir())
decode(paths[0].read_bytes(), DecodeOptions(), Limits())
before, start = most(), time.monotonic()
for path in paths:
    for rule in ("full", "scaled-256"):
        print(path.name, decode(path.read_bytes(), DecodeOptions(rule=rule), Limits()))
print("cost", most() - before, int(time.monotonic() - start))
"""


def test_a_file_that_claims_to_be_huge_costs_nothing(tmp_path, encode):
    files = huge(encode)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-c", LOOK, tmp_path]
    child = subprocess.run(command, check=True, capture_output=True, text=True)
    *found, (_, megabytes, seconds) = (line.split() for line in child.stdout.splitlines())
    assert found == [[name, "too_many_pixels"] for name in sorted(files) for _ in range(2)]
    assert int(megabytes) < 40
    assert int(seconds) < 5


def test_the_limit_holds_for_a_png_in_an_ico():
    inside = png(3000, 3000, b"\0" * (3000 * 9001))
    head = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inside), 22)
    assert reason(head + inside, Limits(max_pixels=8_999_999)) is Reason.TOO_MANY_PIXELS
    assert reason(head + inside, Limits(max_pixels=9_000_000)) is None


def scans(count):
    """A progressive JPEG whose last scan comes again and again."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 99).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    again = count - data.count(b"\xff\xda")
    return data[:end] + data[last:end] * again + data[end:]


def test_a_jpeg_of_endless_scans_is_not_decoded():
    assert reason(scans(5000)) is Reason.DECODER_TIMEOUT
    assert reason(scans(101)) is Reason.DECODER_TIMEOUT
    assert reason(scans(12)) is not Reason.DECODER_TIMEOUT
    assert reason(scans(101) + b"\xff\xda" * 200) is Reason.DECODER_TIMEOUT


def test_what_a_phone_puts_behind_a_jpeg_is_none_of_its_scans(photo, encode, look):
    data = encode(photo, "JPEG", progressive=True)
    video = b"\0\2" + b"\xff\xda\0\2" * 200 + np.random.default_rng(0).bytes(5000)
    np.testing.assert_array_equal(look(data + video).pixels, look(data).pixels)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((kind("odd"), Reason.CORRUPT) for kind in (OSError, ValueError, SyntaxError, TypeError)),
        *((kind("odd"), Reason.CORRUPT) for kind in (IndexError, KeyError, AttributeError)),
        *((kind("odd"), Reason.CORRUPT) for kind in (OverflowError, ZeroDivisionError)),
        *((kind("odd"), Reason.CORRUPT) for kind in (RuntimeError, struct.error)),
        (OSError("image file is truncated"), Reason.TRUNCATED),
        (EOFError(), Reason.TRUNCATED),
        (OSError("cannot handle 4-layer images"), Reason.UNSUPPORTED_FORMAT),
        (NotImplementedError(), Reason.UNSUPPORTED_FORMAT),
        (Image.DecompressionBombError(), Reason.TOO_MANY_PIXELS),
        (MemoryError(), Reason.TOO_MANY_PIXELS),
    ],
    ids=repr,
)
def test_whatever_a_decoder_raises_is_a_reason(photo, encode, monkeypatch, error, expected):
    data = encode(photo[:9, :9], "PNG")

    def broken(self):
        raise error

    monkeypatch.setattr(PngImageFile, "load", broken)
    assert reason(data) is expected


def test_ctrl_c_is_no_reason(photo, encode, monkeypatch):
    def stop(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(PngImageFile, "load", stop)
    with pytest.raises(KeyboardInterrupt):
        reason(encode(photo[:9, :9], "PNG"))


def test_options_are_checked():
    with pytest.raises(UsageError, match="rule must be one of full, scaled-256"):
        DecodeOptions(rule="half")
    with pytest.raises(UsageError, match="colour must be one of grey, rgb"):
        DecodeOptions(colour="cmyk")


def test_the_same_bytes_give_the_same_picture(photo, encode):
    for form in ("JPEG", "PNG", "WEBP"):
        data = encode(photo, form)
        one, two = (decode(data, DecodeOptions(rule="scaled-256"), Limits()) for _ in range(2))
        assert isinstance(one, Picture)
        np.testing.assert_array_equal(one.pixels, two.pixels)
