import io
import struct
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pixelmine.core import Limits, Reason, budget
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import DecodeOptions, Frames, Picture, decode, decode_frames

OPTIONS = DecodeOptions()


def found(data, which="all", limits=None):
    return list(decode_frames(data, OPTIONS, limits or Limits(), Frames(which=which)))


def save(images, form, **options):
    file = io.BytesIO()
    images[0].save(file, form, save_all=True, append_images=images[1:], **options)
    return file.getvalue()


def steps(count, mode="RGB", size=(40, 30)):
    """A square that walks over a ground of one colour."""
    images = []
    for index in range(count):
        image = Image.new("RGB", size, (10, 60, 200))
        image.paste((250, 220, 20), (index * 3, 5, index * 3 + 8, 13))
        images.append(image.convert(mode))
    return images


MOVING = {
    "gif": ("GIF", {"duration": 100, "loop": 0}),
    "webp": ("WEBP", {"lossless": True, "duration": 100}),
    "png": ("PNG", {"duration": 100}),
    "tiff": ("TIFF", {"compression": "tiff_lzw"}),
}


@pytest.fixture(params=MOVING)
def kind(request):
    return request.param


def moving(kind, count=6):
    form, options = MOVING[kind]
    return save(steps(count), form, **options)


def same(one, two):
    if isinstance(one, Reason) or isinstance(two, Reason):
        return one is two
    return one.pixels.shape == two.pixels.shape and bool((one.pixels == two.pixels).all())


def test_all_frames_as_they_are_shown(kind):
    frames = found(moving(kind))
    assert [index for index, _ in frames] == list(range(6))
    for (_, picture), image in zip(frames, steps(6), strict=True):
        assert picture.format == kind
        # a GIF's palette rounds
        assert np.abs(picture.pixels.astype(int) - np.asarray(image)).max() <= (
            12 if kind == "gif" else 0
        )


def test_a_frame_alone_is_the_frame_among_others(kind):
    data = moving(kind)
    for which in ("all", "3", "auto", "first"):
        for index, picture in found(data, which):
            assert same(decode(data, OPTIONS, Limits(), frame=index), picture)


def test_which(kind):
    data = moving(kind)
    assert [index for index, _ in found(data, "auto")] == [0]
    assert [index for index, _ in found(data, "first")] == [0]
    assert [index for index, _ in found(data, "3")] == [0, 2, 4]
    assert [index for index, _ in found(data, "4")] == [0, 1, 3, 4]
    assert [index for index, _ in found(data, "100")] == list(range(6))


def test_a_frame_that_is_not_there(kind):
    assert decode(moving(kind), OPTIONS, Limits(), frame=6) is Reason.NOT_FOUND
    with pytest.raises(UsageError, match="frame must be 0 or above"):
        decode(moving(kind), OPTIONS, Limits(), frame=-1)


def test_the_limit_of_frames(kind):
    data = moving(kind)
    frames = found(data, "all", Limits(max_frames=4))
    assert [index for index, _ in frames] == list(range(5))
    assert frames[4] == (4, Reason.TOO_MANY_FRAMES)
    assert all(isinstance(picture, Picture) for _, picture in frames[:4])
    assert len(found(data, "all", Limits(max_frames=6))) == 6
    assert found(data, "5", Limits(max_frames=2))[2:] == [(2, Reason.TOO_MANY_FRAMES)]
    assert len(found(data, "first", Limits(max_frames=1))) == 1


@pytest.mark.parametrize("form", ["JPEG", "BMP", "PPM", "JPEG2000", "ICO"])
def test_one_picture_is_one_frame(encode, photo, form):
    data = encode(photo[:32, :32], form)
    for which in ("all", "auto", "first", "5"):
        assert [index for index, _ in found(data, which)] == [0]
    assert decode(data, OPTIONS, Limits(), frame=1) is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"text", Reason.NOT_AN_IMAGE),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, Reason.CORRUPT),
    ],
)
@pytest.mark.parametrize("which", ["auto", "first", "all", "7"])
def test_a_file_that_cannot_be_opened_is_frame_0(data, reason, which):
    assert found(data, which) == [(0, reason)]


@pytest.mark.parametrize("which", ["auto", "first", "all", "7"])
def test_frame_0_always_comes(kind, which):
    data = moving(kind)
    for length in range(0, len(data), max(1, len(data) // 40)):
        frames = found(data[:length], which)
        assert frames[0][0] == 0
        assert same(decode(data[:length], OPTIONS, Limits()), frames[0][1])
        numbers = [index for index, _ in frames]
        assert numbers == sorted(set(numbers))


def test_too_large_a_file():
    assert found(moving("gif"), limits=Limits(max_bytes=99)) == [(0, Reason.TOO_LARGE_FILE)]


@pytest.mark.parametrize(
    "which", ["", "0", "-1", "1.5", "some", "1000001", "9" * 5000, "²", "٣", " 1"]
)
def test_options_are_checked(which):
    with pytest.raises(UsageError, match="frames must be auto, first, all or a whole number"):
        Frames(which=which)


def test_pages_of_their_own_size_and_mode():
    images = [
        Image.new("RGB", (40, 30), (200, 10, 10)),
        Image.new("L", (7, 99), 77),
        Image.new("1", (16, 16), 1),
        Image.fromarray(np.full((5, 6), 0x8034, np.uint16)),
        Image.new("RGBA", (9, 9), (0, 0, 0, 0)),
        Image.new("F", (4, 4), 0.5),
        Image.new("CMYK", (4, 4), (0, 255, 255, 0)),
    ]
    frames = dict(found(save(images, "TIFF")))
    assert len(frames) == 7
    colours = [(200, 10, 10), (77,) * 3, (255,) * 3, (0x80,) * 3, (255,) * 3, None, (255, 0, 0)]
    for index, colour in enumerate(colours):
        if colour is None:
            assert frames[index] is Reason.UNSUPPORTED_FORMAT
            continue
        assert frames[index].pixels.shape == (*images[index].size[::-1], 3)
        assert (frames[index].pixels == colour).all()
        assert (frames[index].width, frames[index].height) == images[index].size


def test_each_page_has_its_own_orientation_and_profile():
    from .test_icc import ADOBE

    files = []
    for orientation, profile in ((6, ADOBE), (1, None), (3, None)):
        exif = Image.Exif()
        exif[274] = orientation
        file = io.BytesIO()
        image = Image.new("RGB", (6, 4), (200, 100, 50))
        image.save(file, "TIFF", exif=exif, icc_profile=profile)
        files.append(file.getvalue())
    data = chained(files)
    frames = dict(found(data))
    assert [frames[index].orientation for index in range(3)] == [6, 1, 3]
    assert frames[0].pixels.shape == (6, 4, 3)
    assert (frames[1].pixels == (200, 100, 50)).all()
    assert not (frames[0].pixels == (200, 100, 50)).all()
    for index in range(3):
        assert same(decode(data, OPTIONS, Limits(), frame=index), frames[index])


def chained(files):
    """Little-endian TIFFs of one page each, one behind the other, as the pages of one."""
    data = b""
    for file in files:
        data += file + b"\0" * (len(file) % 2)
    merged, base, link = bytearray(data), 0, 4
    sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
    for file in files:
        page = base + struct.unpack_from("<I", file, 4)[0]
        struct.pack_into("<I", merged, link, page)
        count = struct.unpack_from("<H", merged, page)[0]
        for entry in range(page + 2, page + 2 + 12 * count, 12):
            tag, form, number, value = struct.unpack_from("<HHII", merged, entry)
            if sizes[form] * number > 4 or tag == 273:
                struct.pack_into("<I", merged, entry + 8, value + base)
        link = page + 2 + 12 * count
        base += len(file) + len(file) % 2
    struct.pack_into("<I", merged, link, 0)
    return bytes(merged)


def directories(data):
    """Where the pages of a little-endian TIFF begin, and where the last one's link stands."""
    pages, at = [], struct.unpack_from("<I", data, 4)[0]
    while at and at not in pages:
        pages.append(at)
        link = at + 2 + 12 * struct.unpack_from("<H", data, at)[0]
        at = struct.unpack_from("<I", data, link)[0]
    return pages, link


@pytest.mark.parametrize("back_to", [0, 1, 2])
def test_a_chain_of_pages_that_bites_its_tail_ends(back_to):
    data = bytearray(moving("tiff", 3))
    pages, link = directories(data)
    struct.pack_into("<I", data, link, pages[back_to])
    frames = found(bytes(data))
    assert [index for index, _ in frames] == [0, 1, 2]
    assert all(isinstance(picture, Picture) for _, picture in frames)
    assert len(found(bytes(data), "50")) == 3


def test_a_broken_page_is_a_reason_and_the_next_ones_go_on():
    data = bytearray(moving("tiff", 4))
    pages, _ = directories(data)
    count = struct.unpack_from("<H", data, pages[1])[0]
    for entry in range(pages[1] + 2, pages[1] + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == 259:
            struct.pack_into("<H", data, entry + 8, 60000)  # a compression nobody knows
    frames = dict(found(bytes(data)))
    assert [isinstance(frames[index], Picture) for index in range(4)] == [True, False, True, True]
    for index in range(4):
        assert same(decode(bytes(data), OPTIONS, Limits(), frame=index), frames[index])


def test_a_page_that_is_too_large_is_a_reason_and_the_next_ones_go_on():
    data = save([Image.new("L", size) for size in ((10, 10), (100, 100), (10, 10))], "TIFF")
    frames = found(data, limits=Limits(max_pixels=100))
    assert [picture if isinstance(picture, Reason) else "ok" for _, picture in frames] == [
        "ok", Reason.TOO_MANY_PIXELS, "ok",
    ]  # fmt: skip


def test_a_link_to_a_page_that_is_cut_off():
    data = bytearray(moving("tiff", 3))
    _, link = directories(data)
    struct.pack_into("<I", data, link, len(data) - 3)
    assert found(bytes(data))[3:] == [(3, Reason.TRUNCATED)]
    assert decode(bytes(data), OPTIONS, Limits(), frame=3) is Reason.TRUNCATED


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_behind_a_broken_frame_that_others_are_made_from_nothing_comes(kind):
    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(0, 256, (40, 40, 3), np.uint8)) for _ in range(5)]
    form, options = MOVING[kind]
    whole = save(noise, form, **options)
    seen = Counter()
    for share in (0.3, 0.5, 0.7, 0.9):
        data = whole[: int(len(whole) * share)]
        frames = found(data)
        reasons = [one for _, one in frames if isinstance(one, Reason)]
        assert len(reasons) <= 1
        assert not reasons or isinstance(frames[-1][1], Reason)
        seen.update(reasons)
        for index, one in frames:
            assert same(decode(data, OPTIONS, Limits(), frame=index), one)
        if reasons and kind != "webp":
            assert same(decode(data, OPTIONS, Limits(), frame=4), reasons[0]) or kind == "gif"
    assert set(seen) <= {Reason.TRUNCATED, Reason.CORRUPT}
    assert seen[Reason.TRUNCATED] >= 3


def test_no_frame_behind_a_broken_one_is_made_from_it():
    data = bytearray(save(steps(5), *MOVING["gif"][:1], **MOVING["gif"][1]))
    starts = [
        at
        for at in range(len(data))
        if data[at : at + 4] == b"!\xf9\x04\x00" or data[at : at + 3] == b"!\xf9\x04"
    ]
    descriptor = data.index(b",", starts[2] + 8)
    at = (
        descriptor
        + 10
        + (3 * 2 ** ((data[descriptor + 9] & 7) + 1) if data[descriptor + 9] & 0x80 else 0)
    )
    data[at] = 30  # bits of a code: 12 is the most
    frames = found(bytes(data))
    assert [index for index, _ in frames] == [0, 1, 2]
    assert isinstance(frames[2][1], Reason)
    for index in (2, 3, 4):
        assert decode(bytes(data), OPTIONS, Limits(), frame=index) is frames[2][1]


def test_of_several_pictures_in_a_jpeg_the_first(photo, look):
    images = [Image.fromarray(photo[:64, :64]), Image.new("RGB", (64, 64), "red")]
    data = save(images, "MPO")
    assert data[:3] == b"\xff\xd8\xff"
    assert [index for index, _ in found(data)] == [0]
    assert np.abs(look(data).pixels.astype(int) - photo[:64, :64]).mean() < 12


def test_the_budget_is_told_of_each_frame_before_its_pixels_are_made(kind):
    told = []
    budget.listen(told.append)
    try:
        frames = decode_frames(moving(kind, 4), OPTIONS, Limits(), Frames(which="all"))
        for index, _ in frames:
            assert len(told) == index + 1
    finally:
        budget.listen(None)
    assert told == [40 * 30] * 4


@pytest.mark.parametrize(("kind", "times"), [("gif", 4), ("webp", 4), ("png", 4), ("tiff", 1)])
def test_the_budget_is_told_of_the_frames_that_one_is_made_from(kind, times):
    told = []
    budget.listen(told.append)
    try:
        decode(moving(kind, 6), OPTIONS, Limits(), frame=3)
    finally:
        budget.listen(None)
    assert told == [40 * 30] * times


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "WEBP", "AVIF"])
def test_the_budget_is_told_of_a_picture(photo, encode, form):
    told = []
    budget.listen(told.append)
    try:
        decode(encode(photo, form), DecodeOptions(rule="scaled-256"), Limits())
    finally:
        budget.listen(None)
    assert told == [427 * 640]


def test_nothing_is_told_of_what_is_over_the_limit(photo, encode):
    told = []
    budget.listen(told.append)
    try:
        for form in ("JPEG", "PNG", "TIFF"):
            decode(encode(photo, form), OPTIONS, Limits(max_pixels=1000))
    finally:
        budget.listen(None)
    assert told == []
