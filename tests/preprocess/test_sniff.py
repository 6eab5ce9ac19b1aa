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
        (b"\0\0\0\x18ftyphevc", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "heic"),
        (b"\0\0\0\x18ftypisom", "mp4"),
        (b"\0\0\0\x18ftypiso5", "mp4"),
        (b"\0\0\0\x18ftypmp42", "mp4"),
        (b"\0\0\0\x18ftypM4V ", "mp4"),
        (b"\0\0\0\x18ftyp3gp5", "mp4"),
        (b"\0\0\0\x18ftypXXXX\0\0\0\0mp41isom", "mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "mov"),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", "mov"),
        (b"\0\0\0\x18ftypcrx ", None),
        (b"\0\0\0\x18ftypM4A ", None),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", "mkv"),
        (b"RIFF\0\0\0\0AVI ", "avi"),
        (b"RIFF\0\0\0\0WEBP", "webp"),
        (b"|u1|28x28|...", "array"),
        (b"<f4|3x4x5|", "array"),
        (b"|u1||", "array"),
        (b"|u1|28x28", None),
        (b"| a | b |", None),
        (b"\0" * 128 + b"DICM", "dicom"),
        (b"II*\0" + b"\0" * 124 + b"DICM", "dicom"),
        (b"\0" * 127 + b"DICM", None),
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


EXPLICIT = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x12\0DA"
IMPLICIT = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x08\0\x12\0\x08\0\0\0"
BIG = b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x08\0\x12DA"


@pytest.mark.parametrize("start", [EXPLICIT, IMPLICIT, BIG])
def test_a_dicom_without_its_mark(start):
    assert sniff(start + b"\0" * 99) == "dicom"
    for at in (0, 1, 2, 3, 18, 19):  # another group, or a second tag that does not grow
        assert sniff(start[:at] + b"\0" * 2 + start[at + 2 :]) in (None, "dicom")
    assert sniff(start[:12]) is None
    assert sniff(b"\x10" + start[1:] + b"\0" * 99) is None
    assert sniff(start[:18] + b"\x30\0" + start[20:]) is None


def test_text_and_zeros_are_no_dicom():
    for data in (b"\0" * 400, b"\x08\0" * 200, b"\x08\0\0\0" * 100, bytes(range(256)) * 2):
        assert sniff(data) is None


def test_two_letters_alone_are_no_bmp():
    assert sniff(b"BMW builds cars, and this is a text about them.") is None
    assert sniff(b"BM" + struct.pack("<I", 99) + b"\0\0\0\0" + b"x" * 10) == "bmp"
    assert sniff(b"BM" + struct.pack("<I", 99) + b"\1\0\0\0" + b"x" * 10) is None
    assert sniff(b"BM" + struct.pack("<I", 20) + b"\1\0\0\0" + b"x" * 10) == "bmp"


@settings(deadline=None, max_examples=300, database=None)
@given(
    st.sampled_from([b"", b"\0\0\0\x20ftyp", b"\x08\0\x05\0", b"\x1a\x45\xdf\xa3"]),
    st.binary(max_size=60),
)
def test_any_bytes_give_a_known_name_or_none(start, data):
    assert sniff(start + data) in (*FORMATS, None)
