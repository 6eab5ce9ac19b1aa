import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixelmine.core import Limits
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.preprocess.colour import to_grey, to_rgb
from pixelmine.preprocess.icc import changes_colours, jpeg_profile, to_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def profile(space, tags):
    """ICC.1:2010, 7: a header, a table of tags, the tags."""
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    pcs = b"Lab " if space == b"CMYK" else b"XYZ "
    body, table = b"", b""
    for name, data in tags:
        at = 128 + 4 + 12 * len(tags) + len(body)
        table += name + struct.pack(">II", at, len(data))
        body += data + b"\0" * (-len(data) % 4)
    white = fixed(0.9642) + fixed(1) + fixed(0.8249)
    size = 132 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, kind, space, pcs)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + white
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def xyz(*values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def gamma(value):
    return b"curv" + struct.pack(">IIH", 0, 1, round(value * 256))


WHITE = (b"wtpt", xyz(0.9642, 1, 0.8249))
ADOBE = profile(  # Adobe RGB (1998), adapted to D50: http://www.brucelindbloom.com
    b"RGB ",
    [
        WHITE,
        (b"rXYZ", xyz(0.60974, 0.31111, 0.01947)),
        (b"gXYZ", xyz(0.20528, 0.62567, 0.06087)),
        (b"bXYZ", xyz(0.14919, 0.06322, 0.74457)),
        *((name, gamma(2.2)) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ],
)
DARK_GREY = profile(b"GRAY", [WHITE, (b"kTRC", gamma(1.0))])


def cmyk_profile():
    """A table from ink to Lab: one known place for cyan, and greys for the rest."""
    corners = b""
    for corner in range(16):
        cyan, magenta, yellow, black = (
            corner >> 3 & 1,
            corner >> 2 & 1,
            corner >> 1 & 1,
            corner & 1,
        )
        light = 255 * (1 - black) * (1 - 0.2 * (cyan + magenta + yellow))
        # a known place for pure cyan: L 60, a -30, b -40
        lab = (153, 98, 88) if corner == 8 else (round(light), 128, 128)
        corners += bytes(lab)
    unit = b"".join(fixed(1.0 if i % 4 == 0 else 0.0) for i in range(9))
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + corners + ramp * 3
    return profile(b"CMYK", [WHITE, (b"A2B0", table), (b"A2B1", table)])


CMYK = cmyk_profile()


def adobe_to_srgb(colour):
    """By the published matrices and curves."""
    to_xyz = np.array(
        [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    )
    srgb = np.array(
        [
            [0.4360747, 0.3850649, 0.1430804],
            [0.2225045, 0.7168786, 0.0606169],
            [0.0139322, 0.0971045, 0.7141733],
        ]
    )
    linear = np.linalg.solve(srgb, to_xyz @ (np.asarray(colour) / 255) ** 2.2).clip(0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return curve * 255


COLOURS = [(200, 100, 50), (30, 60, 90), (128, 128, 128), (255, 255, 255), (0, 0, 0), (90, 140, 80)]


def look(data, **options):
    return decode(data, DecodeOptions(**options), Limits()).pixels


@pytest.mark.parametrize("colour", COLOURS)
def test_against_the_published_matrices(colour):
    found = to_rgb(_image("RGB", colour, ADOBE))[0, 0]
    assert np.abs(found - adobe_to_srgb(colour)).max() <= 2


def _image(mode, colour, icc=None):
    image = Image.new(mode, (40, 32), colour)
    if icc:
        image.info["icc_profile"] = icc
    return image


@pytest.mark.parametrize(("form", "within"), [("PNG", 0), ("TIFF", 0), ("JPEG", 3), ("WEBP", 0)])
@pytest.mark.parametrize("rule", ["full", "scaled-256"])
def test_the_profile_of_a_file(encode, form, within, rule):
    data = encode(
        Image.new("RGB", (40, 32), (200, 100, 50)),
        form,
        icc_profile=ADOBE,
        **({"lossless": True} if form == "WEBP" else {}),
    )
    expected = to_rgb(_image("RGB", (200, 100, 50), ADOBE))
    found = look(data, rule=rule)
    assert np.abs(found.astype(int) - expected).max() <= within
    assert np.abs(found.astype(int) - (200, 100, 50)).max() > 10
    grey = look(data, rule=rule, colour="grey")
    np.testing.assert_array_equal(grey, to_grey(found))


def test_the_profile_of_a_jpeg_in_several_segments(encode, photo):
    long = ADOBE + b"\0" * 150_000
    data = encode(photo[:32, :32], "JPEG", icc_profile=long)
    assert data.count(b"ICC_PROFILE\0") == 3
    assert jpeg_profile(data) == long
    assert jpeg_profile(encode(photo[:32, :32], "JPEG")) is None
    filled = data[:2] + b"\xff\xff" + data[2:]
    assert jpeg_profile(filled) == long


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_srgb_changes_nothing(encode, photo, form, colour):
    assert not changes_colours(SRGB, "RGB")
    plain = look(encode(photo, form), colour=colour)
    np.testing.assert_array_equal(look(encode(photo, form, icc_profile=SRGB), colour=colour), plain)


def test_grey_with_a_profile(encode):
    image = Image.new("L", (40, 32), 60)
    expected = 255 * (1.055 * (60 / 255) ** (1 / 2.4) - 0.055)
    for form in ("PNG", "JPEG", "TIFF"):
        data = encode(image, form, icc_profile=DARK_GREY)
        assert np.abs(look(data) - expected).max() <= 2, form
        assert np.abs(look(data, colour="grey") - expected).max() <= 2, form
    sixteen = Image.fromarray(np.full((4, 4), 60 << 8, np.uint16))
    sixteen.info["icc_profile"] = DARK_GREY
    assert np.abs(to_rgb(sixteen) - expected).max() <= 2


def test_cmyk_goes_through_its_profile(encode):
    """Lab 60, -30, -40 lies outside sRGB in red alone; green and blue are by CIE's formulas."""
    cyan = Image.new("CMYK", (48, 48), (255, 0, 0, 0))
    for form, within in (("TIFF", 0), ("JPEG", 3)):
        found = look(encode(cyan, form, icc_profile=CMYK))
        plain = look(encode(cyan, form))
        expected = to_rgb(_image("CMYK", (255, 0, 0, 0), CMYK))[0, 0]
        assert np.abs(found.astype(int) - expected).max() <= within
        assert np.abs(plain.astype(int) - (0, 255, 255)).max() <= within
    assert np.abs(expected.astype(int) - (0, 160, 216)).max() < 16
    white = to_rgb(_image("CMYK", (0, 0, 0, 0), CMYK))
    assert white.min() >= 254
    black = to_rgb(_image("CMYK", (0, 0, 0, 255), CMYK))
    assert black.max() <= 1


def test_alpha_and_palette():
    over = _image("RGBA", (200, 100, 50, 128), ADOBE)
    share = 128 / 255
    expected = adobe_to_srgb((200, 100, 50)) * share + 255 * (1 - share)
    assert np.abs(to_rgb(over)[0, 0] - expected).max() <= 2
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    palette.info["icc_profile"] = ADOBE
    assert np.abs(to_rgb(palette)[0, 0] - adobe_to_srgb((200, 100, 50))).max() <= 2


@pytest.mark.parametrize(
    "broken",
    [
        b"x",
        b"not a profile" * 50,
        ADOBE[:100],
        ADOBE[:200],
        SRGB[:300],
        b"\0" * 4000,
        DARK_GREY,
        CMYK,
        b"\0" * (9 << 20),
    ],
    ids=["x", "text", "header", "table", "cut", "zeros", "grey", "cmyk", "huge"],
)
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_a_broken_profile_costs_the_profile_alone(encode, photo, form, broken):
    if form == "JPEG" and len(broken) > 1 << 20:
        broken = broken[: 8 << 20]
    data = encode(photo[:32, :32], form, icc_profile=broken)
    np.testing.assert_array_equal(look(data), look(encode(photo[:32, :32], form)))


def test_a_profile_of_each_length_costs_the_profile_alone():
    image = Image.new("RGB", (2, 2), (200, 100, 50))
    for length in range(0, len(ADOBE), 7):
        assert to_srgb(image, ADOBE[:length]).size == (2, 2)


def test_pillow_agrees(encode, photo):
    data = encode(photo, "PNG", icc_profile=ADOBE)
    with Image.open(io.BytesIO(data)) as image:
        theirs = ImageCms.profileToProfile(image, io.BytesIO(ADOBE), io.BytesIO(SRGB))
    assert np.abs(look(data).astype(int) - np.asarray(theirs)).max() <= 2
