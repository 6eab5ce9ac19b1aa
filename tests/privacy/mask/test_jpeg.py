"""JPEGs of every make: what is not masked is the same to the last bit, what is masked is gone."""

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError
from pixelmine.privacy.mask import MaskOptions, mask_jpeg
from tests.privacy.mask.jpegs import box, check, drawn, opened, read, samples, saved

pytestmark = pytest.mark.xdist_group("mask_jpeg")  # compiled once
quick = settings(deadline=None, max_examples=40, database=None)

SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1")
MAKES = [
    {"subsampling": sampling, **more}
    for sampling, more in itertools.product(
        SAMPLINGS[:3],
        [
            {},
            {"optimize": True},
            {"progressive": True},
            {"restart_marker_blocks": 3},
            {"restart_marker_rows": 1, "progressive": True},
        ],
    )
]


@pytest.mark.parametrize("make", MAKES, ids=str)
@pytest.mark.parametrize("size", [(48, 64), (37, 51), (1, 1), (7, 100)])
def test_without_boxes_the_pixels_are_the_same(make, size):
    data = saved(drawn(*size), quality=80, **make)
    made = mask_jpeg(data, [])
    assert made.why is None
    assert not made.masked.any()
    np.testing.assert_array_equal(opened(made.data), opened(data))
    np.testing.assert_array_equal(read(made.data).blocks, read(data).blocks)


@pytest.mark.parametrize("make", MAKES, ids=str)
@pytest.mark.parametrize("grey", [False, True], ids=["colour", "grey"])
def test_what_is_read_is_what_the_transform_makes_of_it(make, grey):
    pixels = drawn(60, 83)
    if grey:
        pixels, make = pixels[..., 1], {k: v for k, v in make.items() if k != "subsampling"}
    data = saved(pixels, quality=85, **make)
    decoded = read(data)
    known = opened(data, "L" if grey else "YCbCr").reshape(60, 83, -1)
    full = "4:4:4" in str(make)
    for component in range(known.shape[2] if full else 1):
        found = samples(decoded, component)[:60, :83]
        assert np.abs(found - known[..., component]).max() <= 1.0


def test_how_much_is_smoothed_is_one_pixel_and_a_quarter_of_the_fill():
    """A mask beside an even colour: the bleeding is there, is what is said, and reaches no box."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:] = 0, 0, 255
    data = saved(pixels, quality=95, subsampling="4:2:0")
    options = MaskOptions(grow=1.0)
    made = mask_jpeg(data, [box(17, 17, 31, 31)], options)
    _, masked, gone = check(data, [box(17, 17, 31, 31)], options, made)
    assert gone[16:32, 16:32].all()
    assert gone.sum() == 256
    for to_the_edge in (box(16, 17, 32, 31), box(17, 16, 31, 32)):  # one MCU more on each side
        wider = mask_jpeg(data, [to_the_edge], options)
        check(data, [to_the_edge], options, wider)
        assert wider.masked.sum() == 3
    row = masked[24].astype(int)
    changed = np.flatnonzero(np.abs(row - opened(data)[24]).max(axis=1))
    assert changed.min() == 15
    assert changed.max() == 32
    chroma = opened(made.data, "YCbCr")[24, 14:18, 1].astype(int)
    np.testing.assert_allclose(chroma, [255, 255 - 127 / 4, 128 + 127 / 4, 128], atol=2)


@st.composite
def pictures(draw):
    size = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    pixels = drawn(*size, seed=draw(st.integers(0, 99)))
    options = {"quality": draw(st.integers(5, 98))}
    if draw(st.booleans()):
        options["optimize"] = True
    if draw(st.booleans()):
        options["progressive"] = True
    if draw(st.booleans()):
        options["restart_marker_blocks"] = draw(st.integers(1, 9))
    if draw(st.integers(0, 3)) == 0:
        pixels = pixels[..., 0]
    else:
        options["subsampling"] = draw(st.sampled_from(SAMPLINGS[:3]))
    return saved(pixels, **options)


edges = st.one_of(st.floats(-60, 130), st.integers(-2, 5).map(lambda block: 16.0 * block))
sides = st.one_of(st.floats(0.01, 120), st.sampled_from([8.0, 16.0, 32.0]))
found_boxes = st.lists(
    st.tuples(edges, edges, sides, sides).map(lambda b: box(b[0], b[1], b[0] + b[2], b[1] + b[3])),
    max_size=4,
)


@quick
@given(data=pictures(), boxes=found_boxes, grow=st.sampled_from([1.0, 1.3, 2.0]))
def test_any_boxes_on_any_make(data, boxes, grow):
    options = MaskOptions(grow=grow)
    check(data, boxes, options, mask_jpeg(data, boxes, options))


@pytest.mark.parametrize("sampling", [(2, 2), (2, 1), (1, 2), (4, 1), (1, 4), (4, 2)])
def test_other_samplings(sampling):
    """Chroma of the first MCUs is taken from what was luma: no picture, but a valid file."""
    across, down = sampling
    tall = drawn(64 * down, 64 * across)
    data = saved(tall, quality=70, subsampling="4:2:0")
    boxes, options = [box(70, 20, 90, 50)], MaskOptions()
    if sampling == (2, 2):
        check(data, boxes, options, mask_jpeg(data, boxes, options))
        return
    blocks = read(data)
    made = mask_jpeg(_as(blocks, sampling), boxes, options)
    check(_as(blocks, sampling), boxes, options, made)


def _as(decoded, sampling):
    """The coefficients of a 4:2:0 file as one of another sampling and of 3/4 of its height."""
    from dataclasses import replace

    from pixelmine.privacy.mask.jpeg_encode import encode
    from pixelmine.privacy.mask.jpeg_frame import Frame

    payload = bytearray(decoded.frame.payload)
    payload[1:5] = (48).to_bytes(2, "big") + (96).to_bytes(2, "big")
    payload[7] = sampling[0] << 4 | sampling[1]
    frame = Frame.read(0xC0, bytes(payload))
    assert frame.blocks <= len(decoded.blocks)
    blocks = np.ascontiguousarray(decoded.blocks[: frame.blocks])
    return encode(replace(decoded, frame=frame, blocks=blocks), [])


@pytest.mark.parametrize("colour", [(255, 255, 255), (200, 30, 90), (0, 0, 255), (1, 254, 1)])
@pytest.mark.parametrize("make", [{"subsampling": "4:4:4"}, {"subsampling": "4:2:0"}, None])
def test_other_colours_as_near_as_the_quantisation_lets_them(colour, make):
    pixels = drawn(64, 64) if make else drawn(64, 64)[..., 0]
    data = saved(pixels, quality=92, **(make or {}))
    options = MaskOptions(colour=colour)
    boxes = [box(20, 20, 40, 40)]
    check(data, boxes, options, mask_jpeg(data, boxes, options), within=4)


def test_rgb_files_keep_their_colours():
    out = io.BytesIO()
    Image.fromarray(drawn(50, 50)).save(out, "JPEG", quality=90, keep_rgb=True)
    data = out.getvalue()
    options = MaskOptions(colour=(200, 30, 90))
    boxes = [box(10, 10, 30, 30)]
    check(data, boxes, options, mask_jpeg(data, boxes, options), within=4)


def test_a_mask_is_no_function_of_what_it_hides():
    """Two pictures that differ under the mask alone become one file, to the last byte."""
    pixels = drawn(96, 96)
    other = pixels.copy()
    other[32:64, 32:64] = 255 - other[32:64, 32:64]
    boxes, options = [box(34, 34, 62, 62)], MaskOptions(grow=1.0)
    for make in MAKES:
        one, two = (
            mask_jpeg(saved(some, quality=80, **make), boxes, options) for some in (pixels, other)
        )
        assert one.masked.sum() in (4, 8, 16)
        assert one.data == two.data


def test_no_metadata_and_no_thumbnail_stays():
    exif = Image.Exif()
    exif[0x010E] = "CANARY-1"
    data = saved(drawn(40, 40), exif=exif, comment=b"CANARY-2", icc_profile=b"CANARY-3", xmp=b"C4")
    thumbnail = b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"CANARY-4-rgb"
    data = data[:2] + b"\xff\xe0" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + data[20:]
    data += b"CANARY-5"
    made = mask_jpeg(data, [box(0, 0, 9, 9)])
    assert b"CANARY" not in made.data
    assert b"http" not in made.data
    assert made.data.endswith(b"\xff\xd9")
    assert set(made.removed) == {
        "EXIF",
        "XMP",
        "comment",
        "ICC profile",
        "JFIF thumbnail",
        "bytes after the end",
    }
    with_profile = mask_jpeg(data, [], keep_profile=True)
    assert Image.open(io.BytesIO(with_profile.data)).info["icc_profile"] == b"CANARY-3"
    assert "ICC profile" not in with_profile.removed


def test_density_stays():
    data = saved(drawn(20, 20), dpi=(123, 321))
    made = mask_jpeg(data, [])
    assert Image.open(io.BytesIO(made.data)).info["dpi"] == (123, 321)
    assert made.removed == ()


def test_what_is_not_taken_apart_says_why():
    colour = drawn(40, 40)
    data = saved(colour)
    out = io.BytesIO()
    Image.fromarray(colour).convert("CMYK").save(out, "JPEG")
    frame = data.index(b"\xff\xc0")
    for wrong, said in [
        (out.getvalue(), "4 colour components"),
        (b"", "not a JPEG"),
        (data[:-40], "cut off"),
        (data.replace(b"\xff\xc0", b"\xff\xc9"), "not baseline"),
        (data[: frame + 4] + b"\x0c" + data[frame + 5 :], "12 bits"),
        (data[:frame] + data[frame:].replace(b"\xff\xc4", b"\xff\xfe"), "table is missing"),
    ]:
        made = mask_jpeg(wrong, [])
        assert made.data is None
        assert said in made.why
    assert "pixels" in mask_jpeg(data, [], limits=Limits(max_pixels=1599)).why
    assert mask_jpeg(data, [], limits=Limits(max_pixels=1600)).data
    assert "large" in mask_jpeg(data, [], limits=Limits(max_bytes=99)).why
    assert "pixels" in mask_jpeg(data, [], MaskOptions(style="blur")).why


def test_a_progressive_file_without_its_last_scan_is_not_guessed_at():
    data = saved(drawn(40, 40), progressive=True)
    last = data.rindex(b"\xff\xda")
    assert "missing" in mask_jpeg(data[:last] + b"\xff\xd9", []).why


def test_a_wrong_box_is_refused_whatever_the_file_is():
    wrong = box(0, 0, 1, 1)
    object.__setattr__(wrong, "x1", float("nan"))
    for data in (saved(drawn(9, 9)), b"", b"\xff\xd8"):
        with pytest.raises(UsageError, match="x0 < x1"):
            mask_jpeg(data, [wrong])
