import io
import struct

import pytest
from PIL import Image

from pixelmine.preprocess.exif import FIELDS, read_exif


def with_exif(**tags):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[int(tag[1:])] = value
    return exif


def jpeg(exif=None, **options):
    file = io.BytesIO()
    more = {"exif": exif} if exif is not None else {}
    Image.new("RGB", (16, 8), "red").save(file, "JPEG", **more, **options)
    return file.getvalue()


@pytest.fixture(params=["bytes", "image"])
def read(request):
    def found(data):
        if request.param == "bytes":
            return read_exif(data)
        with Image.open(io.BytesIO(data)) as image:
            return read_exif(image)

    return found


def test_none_at_all(read):
    assert read(jpeg()) == (1, {})


def test_what_is_kept(read):
    exif = with_exif(
        t274=6, t271="Maker", t272=" Mo\tdel\n", t305="Soft", t306="2026:01:02 03:04:05"
    )
    orientation, meta = read(jpeg(exif))
    assert orientation == 6
    assert meta == {
        "make": "Maker",
        "model": "Model",
        "software": "Soft",
        "time": "2026:01:02 03:04:05",
    }


def test_no_place_name_or_serial_number_gets_in(read):
    secret = "SECRET"
    exif = with_exif(t271="Maker", t315=secret, t33432=secret, t270=secret, t42033=secret)
    exif.get_ifd(0x8825)[29] = secret
    exif.get_ifd(0x8769)[0xA430] = secret  # owner
    exif.get_ifd(0x8769)[0xA431] = secret  # serial number
    data = jpeg(exif, comment=secret.encode())
    assert secret.encode() in data
    assert read(data) == (1, {"make": "Maker"})


def test_the_list_of_what_is_kept_is_closed():
    assert FIELDS == {271: "make", 272: "model", 305: "software", 306: "time"}


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_nonsense_is_none(read, value):
    assert read(jpeg(with_exif(t274=value))) == (1, {})


@pytest.mark.parametrize(
    ("kind", "count", "value", "orientation"),
    [
        (3, 1, b"\6\0\0\0", 6),
        (4, 1, b"\6\0\0\0", 6),
        (2, 2, b"6\0\0\0", 1),
        (3, 2, b"\6\0\3\0", 6),
        (5, 1, b"\6\0\0\0", 1),
        (99, 1, b"\6\0\0\0", 1),
    ],
)
def test_an_orientation_of_another_type_is_none(kind, count, value, orientation):
    entry = struct.pack("<HHI", 274, kind, count) + value
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0" + entry + b"\0\0\0\0"
    data = b"\xff\xd8\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg()[2:]
    assert read_exif(data) == (orientation, {})


def test_a_long_text_is_cut_and_bytes_are_shown(read):
    _, meta = read(jpeg(with_exif(t271="x" * 500, t272="   ")))
    assert meta == {"make": "x" * 100}


@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_both_byte_orders(read, order):
    exif = with_exif(t274=8)
    exif.endian = "<" if order == b"II" else ">"
    assert read(jpeg(exif))[0] == 8


def test_each_way_to_cut_it_off_costs_the_exif_alone(look):
    whole = jpeg(with_exif(t274=6, t271="Maker" * 4, t306="2026"))
    start = whole.index(b"Exif\0\0")
    length = int.from_bytes(whole[start - 2 : start], "big")
    for cut in range(length - 2):
        data = whole[: start - 2] + (cut + 2).to_bytes(2, "big") + whole[start : start + cut]
        data += whole[start - 2 + length :]
        orientation, meta = read_exif(data)
        assert orientation in (1, 6)
        assert set(meta) <= set(FIELDS.values())
        assert look(data).orientation == orientation


def test_it_is_not_searched_for_in_all_of_a_file():
    data = jpeg()
    far = data[:2] + data[2:-2] + b"\0" * 300_000 + jpeg(with_exif(t274=6))
    assert read_exif(far) == (1, {})
