import io
import struct
import sys
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from pixelmine.core import Limits, Reason
from pixelmine.preprocess import DecodeOptions, Frames, Picture, decode, decode_frames
from pixelmine.preprocess import decode_video as module

av = pytest.importorskip("av", reason="the extra `video` is not installed")

DEMUXERS = {"mp4": "mov", "mov": "mov", "matroska": "matroska", "webm": "matroska", "avi": "avi"}


def scene(index, height=48, width=64):
    """A bar that moves over a ground that changes from second to second."""
    pixels = np.full((height, width, 3), (index // 10 * 40 % 256, 90, 200 - index), np.uint8)
    pixels[:, index % width] = 255
    return pixels


def video(form, codec, count=45, rate=10, shape=(48, 64), path=None, draw=scene, **options):
    file = io.BytesIO() if path is None else str(path)
    container_options = {"movflags": "faststart"} if path is not None else {}
    with av.open(file, "w", format=form, options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = shape
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(draw(index, *shape), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue() if path is None else path.read_bytes()


KINDS = {
    "mp4 mpeg4": ("mp4", "mpeg4", {}),
    "mp4 h264": ("mp4", "libx264", {"g": "12"}),
    "mp4 h264 open gop": (
        "mp4",
        "libx264",
        {"x264-params": "open-gop=1:keyint=9:scenecut=0:bframes=3"},
    ),
    "mp4 h264 refreshed in columns": ("mp4", "libx264", {"intra-refresh": "1", "g": "15"}),
    "mov": ("mov", "mpeg4", {}),
    "mkv": ("matroska", "libx264", {"g": "15"}),
    "webm vp8": ("webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "20"}),
    "webm vp9": ("webm", "libvpx-vp9", {"g": "20"}),
    "avi mpeg4": ("avi", "mpeg4", {}),
    "avi mjpeg": ("avi", "mjpeg", {}),
    "avi h264": ("avi", "libx264", {"g": "12", "bf": "2"}),
}
NAMES = {"matroska": "mkv"}


@pytest.fixture(scope="module")
def files():
    return {name: video(form, codec, **options) for name, (form, codec, options) in KINDS.items()}


def all_frames(data, which="all", limits=None, **options):
    return list(
        decode_frames(data, DecodeOptions(**options), limits or Limits(), Frames(which=which))
    )


def kinds_of(found):
    return Counter("ok" if isinstance(one, Picture) else str(one) for _, one in found)


@pytest.mark.parametrize("name", KINDS)
def test_all_frames_are_those_of_a_plain_decoder(files, name):
    data, form = files[name], KINDS[name][0]
    with av.open(io.BytesIO(data), format=DEMUXERS[form]) as container:
        theirs = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    ours = all_frames(data)
    assert [index for index, _ in ours] == list(range(45))
    for (_, picture), pixels in zip(ours, theirs, strict=True):
        assert picture.format == NAMES.get(form, form)
        assert np.abs(picture.pixels.astype(int) - pixels).max() <= 2
    for index, picture in ours:
        assert np.abs(picture.pixels.astype(float) - scene(index)).mean() < 25


@pytest.mark.parametrize("name", KINDS)
def test_a_frame_alone_is_the_frame_among_others(files, name):
    data = files[name]
    for which in ("all", "auto", "7"):
        for index, picture in all_frames(data, which)[::4]:
            alone = decode(data, DecodeOptions(), Limits(), frame=index)
            np.testing.assert_array_equal(alone.pixels, picture.pixels)


@pytest.mark.parametrize("name", KINDS)
def test_one_a_second(files, name):
    assert [index for index, _ in all_frames(files[name], "auto")] == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), 7, 1])
def test_one_a_second_at_other_rates(rate):
    data = video("mp4", "mpeg4", count=40, rate=rate)
    times = [Fraction(index) / Fraction(rate) for index in range(40)]
    expected = [i for i, time in enumerate(times) if i == 0 or int(time) > int(times[i - 1])]
    found = [index for index, _ in all_frames(data, "auto")]
    assert len(found) == len(expected)
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 1


def test_so_many_spread_evenly(files):
    data = files["mp4 h264"]
    assert [index for index, _ in all_frames(data, "5")] == [0, 9, 18, 27, 36]
    assert [index for index, _ in all_frames(data, "1")] == [0]
    assert len(all_frames(data, "999")) == 45


def test_limits(files):
    data = files["mp4 h264"]
    found = all_frames(data, "all", Limits(max_frames=10))
    assert [index for index, _ in found] == list(range(11))
    assert kinds_of(found) == {"ok": 10, "too_many_frames": 1}
    assert found[-1] == (10, Reason.TOO_MANY_FRAMES)
    found = all_frames(data, "auto", Limits(max_frames=2))
    assert [index for index, _ in found] == [0, 10, 20]
    assert found[-1][1] is Reason.TOO_MANY_FRAMES
    assert kinds_of(all_frames(data, "all", Limits(max_frames=45))) == {"ok": 45}
    assert kinds_of(all_frames(data, "first", Limits(max_pixels=64 * 48))) == {"ok": 1}
    assert all_frames(data, "first", Limits(max_pixels=64 * 48 - 1)) == [
        (0, Reason.TOO_MANY_PIXELS)
    ]


def turned(data, a, b, c, d):
    """Put a display matrix into the track's header (ISO/IEC 14496-12, 8.3.2)."""
    at = data.index(b"tkhd") + 44
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 2**14], ">i4") * 2**16
    return data[:at] + matrix.astype(">i4").tobytes() + data[at + 36 :]


TURNS = {
    1: ((1, 0, 0, 1), lambda p: p),
    2: ((-1, 0, 0, 1), np.fliplr),
    3: ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    4: ((1, 0, 0, -1), np.flipud),
    6: ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    8: ((0, -1, 1, 0), np.rot90),
}


@pytest.mark.parametrize("orientation", TURNS)
def test_a_video_that_was_held_sideways_is_upright(files, orientation):
    plain = decode(files["mp4 mpeg4"], DecodeOptions(), Limits(), frame=5)
    matrix, expected = TURNS[orientation]
    found = decode(turned(files["mp4 mpeg4"], *matrix), DecodeOptions(), Limits(), frame=5)
    np.testing.assert_array_equal(found.pixels, expected(plain.pixels))
    assert (found.width, found.height, found.orientation) == (64, 48, orientation)


def test_grey(files):
    rgb = decode(files["mp4 mpeg4"], DecodeOptions(), Limits()).pixels
    found = decode(files["mp4 mpeg4"], DecodeOptions(colour="grey"), Limits()).pixels
    assert np.abs(found[..., 0] - rgb @ [0.299, 0.587, 0.114]).max() <= 1


@pytest.mark.parametrize("colour", [(200, 40, 40), (40, 200, 40), (40, 40, 200)])
def test_colours(colour):
    data = video(
        "mp4", "libx264", count=2, draw=lambda _, h, w: np.full((h, w, 3), colour, np.uint8)
    )
    found = decode(data, DecodeOptions(), Limits()).pixels
    assert np.abs(found.astype(int) - colour).max() < 12


def test_a_file_that_is_cut_off_says_so(files, tmp_path):
    data = video("mp4", "libx264", path=tmp_path / "a.mp4", g="12")
    found = all_frames(data[: len(data) * 2 // 3])
    assert 5 < kinds_of(found)["ok"] < 45
    assert found[-1][1] is Reason.TRUNCATED
    whole = dict(all_frames(data))
    for at, one in found:  # what is shown is shown whole, though the last packet is half there
        if isinstance(one, Picture):
            np.testing.assert_array_equal(one.pixels, whole[at].pixels)
    assert set(kinds_of(found)) <= {"ok", "truncated", "corrupt"}
    index = found[-1][0]
    assert (
        decode(data[: len(data) * 2 // 3], DecodeOptions(), Limits(), frame=index)
        is Reason.TRUNCATED
    )
    for name in ("mkv", "webm vp9", "avi mjpeg"):
        whole = files[name]
        assert kinds_of(all_frames(whole[: len(whole) * 2 // 3]))["truncated"] >= 1, name


@pytest.mark.parametrize("which", ["auto", "first", "all", "7"])
@pytest.mark.parametrize("name", ["mkv", "webm vp9", "avi mjpeg", "mp4 h264"])
def test_what_is_told_of_a_cut_off_file_is_told_again(files, name, which):
    data = files[name]
    for length in range(100, len(data), len(data) // 15):
        found = all_frames(data[:length], which)
        numbers = [index for index, _ in found]
        assert numbers[0] == 0
        assert numbers == sorted(set(numbers))
        for index, one in found:
            alone = decode(data[:length], DecodeOptions(), Limits(), frame=index)
            if isinstance(one, Reason):
                assert alone is one
            else:
                np.testing.assert_array_equal(alone.pixels, one.pixels)


def test_a_damaged_packet_costs_what_hangs_on_it_and_no_more(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (45, 48, 64, 3), np.uint8)
    options = {"g": "10", "bf": "0", "x264-params": "scenecut=0:keyint=10:bframes=0"}
    data = video(
        "mp4", "libx264", path=tmp_path / "a.mp4", draw=lambda i, h, w: noise[i], **options
    )
    with av.open(io.BytesIO(data), format="mov") as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    at, size = packets[13]
    broken = data[: at + 4] + b"\xff" * (size - 4) + data[at + size :]
    found = all_frames(broken)
    bad = [index for index, one in found if isinstance(one, Reason)]
    assert bad == list(range(13, 20))
    whole = dict(all_frames(data))
    for index, one in found:
        if isinstance(one, Picture):
            np.testing.assert_array_equal(one.pixels, whole[index].pixels)
        alone = decode(broken, DecodeOptions(), Limits(), frame=index)
        assert isinstance(alone, Reason) == isinstance(one, Reason)


def test_a_packet_that_is_half_there_is_no_frame(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (10, 48, 64, 3), np.uint8)
    data = video("mp4", "mpeg4", count=10, path=tmp_path / "a.mp4", draw=lambda i, h, w: noise[i])
    with av.open(io.BytesIO(data), format="mov") as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    at, size = packets[6]
    found = all_frames(data[: at + size - 10])
    assert kinds_of(found[:6]) == {"ok": 6}
    assert kinds_of(found[6:]) == {"corrupt": 1, "truncated": 1}


def test_sound_alone_is_no_image():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert decode(file.getvalue(), DecodeOptions(), Limits()) is Reason.NOT_AN_IMAGE


def elsewhere(path):
    """An alias of QuickTime, which names another file by its absolute path."""
    name = str(path).encode()
    name += b"\0" * (len(name) % 2)
    fields = b"\0" * 10 + b"\0" * 28 + b"\0" * 12 + b"\0" * 64 + b"\0" * 16 + b"\0" * 4 + b"\0" * 16
    path_field = struct.pack(">HH", 2, len(name)) + name
    return b"alis\0\0\0\0" + fields + path_field + b"\xff\xff\0\0"


def test_no_other_file_is_read(files, tmp_path, monkeypatch):
    """A track may say that its samples lie in another file (`dref`): it is not opened."""
    data = files["mov"]
    (tmp_path / "other.mov").write_bytes(data)
    at = data.index(b"url " if b"url " in data else b"alis", data.index(b"dref"))
    size = int.from_bytes(data[at - 4 : at], "big")
    named = elsewhere(tmp_path / "other.mov")
    grown = data[: at - 4] + struct.pack(">I", len(named) + 4) + named + data[at - 4 + size :]
    grown = bytearray(grown)
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = data.rindex(box, 0, at) - 4
        length = int.from_bytes(grown[start : start + 4], "big") + len(named) + 4 - size
        grown[start : start + 4] = length.to_bytes(4, "big")
    samples = data.index(b"mdat") + 4
    grown[samples : samples + 200] = b"\0" * 200
    assert isinstance(decode(bytes(grown), DecodeOptions(), Limits()), Reason)
    careless = {"enable_drefs": "1", "use_absolute_path": "1"}
    monkeypatch.setattr(module, "_OPTIONS", careless)
    assert isinstance(decode(bytes(grown), DecodeOptions(), Limits()), Picture)


def test_without_pyav_the_format_is_not_supported(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert decode(files["mp4 mpeg4"], DecodeOptions(), Limits()) is Reason.UNSUPPORTED_FORMAT


def test_nothing_is_printed(files, capfd):
    data = files["mp4 h264"]
    for cut in range(0, len(data), 97):
        all_frames(data[:cut] + b"\xff" * 20 + data[cut + 20 :])
    assert capfd.readouterr() == ("", "")
