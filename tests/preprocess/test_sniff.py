import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.preprocess.sniff import FORMATS, sniff


@pytest.mark.parametrize(
    ("form", "name"),
    [
        *((form, form.lower()) for form in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "ICO")),
        *(("PPM", "ppm"), ("JPEG2000", "jpeg2000"), ("AVIF", "avif")),
    ],
)
def test_what_pillow_writes_is_known(photo, encode, form, name):
    assert sniff(encode(photo[:32, :32], form)) == name
    assert name in FORMATS


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"GIF87a", "gif"),
        (b"MM\0*", "tiff"),
        (b"II+\0", "tiff"),
        (b"\xff\x4f\xff\x51", "jpeg2000"),
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"\0\0\0\x18ftypmif1", "heic"),
        (b"\0\0\0\x18ftypisom", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"P6\n1 1", "ppm"),
        (b"P6x1 1", None),
        (b"P7\n1 1", None),
        (b"P", None),
        (b"P6", None),
        (b"<svg>", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_by_the_first_bytes(start, name):
    assert sniff(start) == name


def test_two_letters_alone_are_no_bmp():
    assert sniff(b"BMW builds cars, and this is a text about them.") is None
    assert sniff(b"BM" + struct.pack("<I", 99) + b"\0\0\0\0" + b"x" * 10) == "bmp"
    assert sniff(b"BM" + struct.pack("<I", 99) + b"\1\0\0\0" + b"x" * 10) is None
    assert sniff(b"BM" + struct.pack("<I", 20) + b"\1\0\0\0" + b"x" * 10) == "bmp"


@settings(deadline=None, max_examples=300, database=None)
@given(st.binary(max_size=40))
def test_any_bytes_give_a_known_name_or_none(data):
    assert sniff(data) in (*FORMATS, None)
