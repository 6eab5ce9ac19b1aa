"""Canary strings, planted in every place of a file that is not its pixels, and the search for them.

A canary is searched for as UTF-8, UTF-16 of either order, and in whatever inflates, by pieces of
six characters: half of a name is a name.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

PIECE = 6
_LEVELS = 3
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
_HEADS = tuple(bytes((0x78, second)) for second in (0x01, 0x5E, 0x9C, 0xDA))
_WORDS = ("Quokka", "Wombat", "Numbat", "Bilby!", "Dugong")


@dataclass
class Planted:
    """A file, and the canary of each place of it."""

    name: str
    data: bytes = b""
    places: dict[str, str] = field(default_factory=dict)
    spread: dict[str, int] = field(default_factory=dict)

    def planted(self) -> list[str]:
        """Places that do hold their canary."""
        return [place for place, text in self.places.items() if self._has(self.data, place, text)]

    def left(self, out: bytes) -> list[str]:
        """Places whose canary, or a piece of it, is in what leaves."""
        return [
            place
            for place, text in self.places.items()
            if holds(out, text, piece=PIECE) or self._has(out, place, text, PIECE)
        ]

    def _has(self, data: bytes, place: str, text: str, piece: int | None = None) -> bool:
        return holds(data, text, piece=piece, step=self.spread.get(place, 1))

    def text(self, place: str) -> str:
        """A new canary for a place."""
        number = sum(map(ord, self.name)) * 100 + len(self.places)
        canary = f"Z{number:06d}{_WORDS[len(self.places) % len(_WORDS)]}{number * 7919 % 10**6:06d}"
        self.places[place] = canary
        return canary

    def coded(self, place: str) -> bytes:
        """The same as bytes."""
        return self.text(place).encode()


def holds(data: bytes, canary: str, *, piece: int | None = None, step: int = 1) -> bool:
    """Whether the canary, or a piece of it of so many characters, is in the bytes.

    `step`: it may also be spread, one byte in so many.
    """
    if step > 1:
        return any(holds(data[start::step], canary, piece=piece) for start in range(step))
    size = piece or len(canary)
    pieces = [canary[at : at + size] for at in range(len(canary) - size + 1)]
    wanted = [one.encode(encoding) for one in pieces for encoding in _ENCODINGS]
    return any(one in layer for layer in _layers(data, _LEVELS) for one in wanted)


def _layers(data: bytes, levels: int) -> Iterator[bytes]:
    yield data
    if not levels:
        return
    for head in _HEADS:
        at = data.find(head)
        while at >= 0:
            try:
                inner = zlib.decompressobj().decompress(data[at:], 2**22)
            except zlib.error:
                inner = b""
            if inner:
                yield from _layers(inner, levels - 1)
            at = data.find(head, at + 1)


def photograph() -> np.ndarray:
    """Uint8 (48, 61, 3): a width that is no multiple of four, so that rows have padding."""
    rows, columns = np.mgrid[0:48, 0:61]
    return np.stack((rows * 5, columns * 4, (rows + columns) * 2), axis=-1).astype(np.uint8)


def planted_jpeg() -> Planted:
    """JPEG, with a second picture behind it."""
    planted = Planted("jpeg")
    data = _encoded("JPEG", quality=90, icc_profile=_profile(planted.text("ICC text")))
    jfif = data[4 : 2 + 2 + 16][2:]
    thumbnail = planted.coded("JFIF thumbnail").ljust(27, b" ")
    parts = [
        b"\xff\xd8",
        _segment(0xE0, jfif[:12] + b"\x03\x03" + thumbnail),
        _segment(0xE0, b"JFXX\0\x10" + planted.coded("JFXX thumbnail")),
        _segment(0xE1, b"Exif\0\0" + _exif(planted)),
        _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp(planted.text("XMP"))),
        _segment(0xE1, _extended_xmp(planted.text("extended XMP"))),
        _segment(0xED, b"Photoshop 3.0\0" + _iptc(planted.text("IPTC"))),
        _segment(0xFE, planted.coded("comment")),
        _segment(0xFE, planted.text("comment, UTF-16 LE").encode("utf-16-le")),
        _segment(0xFE, planted.text("comment, UTF-16 BE").encode("utf-16-be")),
        _segment(0xE9, planted.coded("unknown marker")),
        _segment(0xE9, zlib.compress(planted.coded("unknown marker, deflated"))),
        planted.coded("between markers"),
        data[20:-2],
        b"\xff\xd9",
        _encoded("JPEG", comment=planted.coded("second picture")),
        planted.coded("trailing"),
    ]
    planted.data = b"".join(parts)
    return planted


def planted_png() -> Planted:
    """PNG, with more rows than it says and bytes behind them."""
    planted = Planted("png")
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", planted.text("tEXt"))
    text.add_text("Comment", planted.text("zTXt"), zip=True)
    text.add_itxt("Title", planted.text("iTXt"), zip=True)
    text.add(b"prVt", planted.coded("private chunk"))
    text.add(b"sPLT", planted.coded("sPLT") + b"\0\x08")
    profile = _profile(planted.text("ICC text"))
    data = _encoded("PNG", pnginfo=text, exif=_exif(planted), icc_profile=profile)
    at = data.index(b"IDAT") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    rows = zlib.decompress(data[at + 8 : at + 8 + length])
    more = rows + planted.coded("rows beyond the last")
    stream = zlib.compress(more) + planted.coded("behind the stream")
    chunk = _chunk(b"IDAT", stream) + _chunk(b"IDAT", planted.coded("a second stream"))
    end = _chunk(b"IEND", b"") + planted.coded("trailing")
    planted.data = data[:at] + chunk + _chunk(b"tEXt", b"k\0" + planted.coded("late tEXt")) + end
    return planted


def planted_gif() -> Planted:
    """GIF of two frames."""
    planted = Planted("gif")
    image = Image.fromarray(photograph()).quantize(32)
    out = io.BytesIO()
    image.save(out, "GIF", save_all=True, append_images=[image.rotate(180)], duration=80, loop=0)
    data = out.getvalue()
    at = 13 + (3 << (data[10] & 7) + 1)
    comment = b"\x21\xfe" + _blocks(planted.coded("comment"))
    application = b"\x21\xff\x0bXMP DataXMP" + _blocks(planted.coded("application extension"))
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0" + _blocks(planted.coded("behind the loop"))
    plain = b"\x21\x01" + _blocks(bytes(12))[:-1] + _blocks(planted.coded("plain text"))
    unknown = b"\x21\x42" + _blocks(planted.coded("unknown extension"))
    body = data[at:-1]
    slack = body[:-1] + _blocks(planted.coded("behind the codes"))
    extensions = comment + application + loop + plain + unknown
    planted.data = data[:at] + extensions + slack + b"\x3b" + planted.coded("trailing")
    return planted


def planted_webp() -> Planted:
    """WebP with transparency."""
    planted = Planted("webp")
    data = _encoded(
        "WEBP",
        exif=_exif(planted),
        xmp=_xmp(planted.text("XMP")),
        icc_profile=_profile(planted.text("ICC text")),
    )
    body = data[12:] + _riff(b"JUNK", planted.coded("unknown chunk"))
    head = b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP"
    planted.data = head + body + planted.coded("trailing")
    return planted


def planted_tiff() -> Planted:
    """TIFF, one strip with slack, a SubIFD, a preview, gaps."""
    planted = Planted("tiff")
    pixels = photograph()
    strip = pixels.tobytes() + planted.coded("behind the strip")
    out = bytearray(b"II*\0" + bytes(4) + planted.coded("gap"))
    out += bytes(len(out) % 2)

    def put(data: bytes) -> int:
        out.extend(data + b"\0" * (len(data) % 2))
        return len(out) - len(data) - len(data) % 2

    bits = put(struct.pack("<3H", 8, 8, 8))
    where = put(strip)
    preview = put(planted.coded("preview").ljust(27))

    def directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> int:
        packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
        return put(struct.pack("<H", len(entries)) + packed + struct.pack("<I", following))

    def text(tag: int, place: str, kind: int = 2) -> tuple[int, int, int, int]:
        coded = planted.coded(place)
        return tag, kind, len(coded), put(coded)

    sub = directory([text(270, "SubIFD")])
    exif = directory([text(0x9286, "EXIF", 7), text(0xA431, "serial number")])
    gps = directory([text(0x001C, "GPS", 7)])
    shape = [(258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3)]
    small = [(256, 3, 1, 3), (257, 3, 1, 3), (273, 4, 1, preview), (278, 3, 1, 3), (279, 4, 1, 27)]
    second = directory([(254, 4, 1, 1), *small, *shape])
    height, width = pixels.shape[:2]
    whole = [(256, 3, 1, width), (257, 3, 1, height), (273, 4, 1, where), (278, 3, 1, height)]
    names = {270: "ImageDescription", 315: "Artist", 700: "XMP", 33723: "IPTC", 34377: "Photoshop"}
    texts = [text(tag, place, 2 if tag < 400 else 7) for tag, place in names.items()]
    links = [(330, 4, 1, sub), (34665, 4, 1, exif), (34853, 4, 1, gps), text(65000, "private tag")]
    first = directory([*whole, (279, 4, 1, len(strip)), *shape, *texts, *links], second)
    out[4:8] = first.to_bytes(4, "little")
    planted.data = bytes(out) + planted.coded("trailing")
    return planted


def planted_bmp() -> Planted:
    """BMP with a gap, padded rows and a path of a profile."""
    planted = Planted("bmp")
    data = _encoded("BMP")
    stride = 61 * 3 + 1
    planted.spread["padding of rows"] = stride
    hidden = planted.text("padding of rows").encode()
    pixels = bytearray(data[54:])
    for row, byte in enumerate(hidden):
        pixels[row * stride + stride - 1] = byte
    gap = planted.coded("gap")
    header = b"BM" + struct.pack("<I", 0) + b"Hide" + struct.pack("<I", 54 + len(gap))
    planted.data = header + data[14:54] + gap + bytes(pixels) + planted.coded("trailing")
    return planted


def planted_dicom() -> Planted:
    """DICOM, 8 bits of grey."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    planted = Planted("dicom")
    made = Dataset()
    made.SOPClassUID = CTImageStorage
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(made, name, generate_uid())
    made.PatientName = f"{planted.text('PatientName')}^A"
    for name in ("PatientID", "StudyDescription", "ImageComments", "InstitutionName"):
        setattr(made, name, planted.text(name))
    item = Dataset()
    item.PatientID = planted.text("nested PatientID")
    made.OtherPatientIDsSequence = [item]
    made.private_block(0x0099, planted.text("private creator"), create=True).add_new(
        1, "LO", planted.text("private element")
    )
    pixels = photograph()[..., 0]
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PixelRepresentation = 1, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    made.PhotometricInterpretation, made.Modality = "MONOCHROME2", "CT"
    made.add_new(0x60000010, "US", 8)
    made.add_new(0x60000022, "LO", planted.text("overlay description"))
    made.add_new(0x60003000, "OW", planted.coded("overlay").ljust(24))
    made.add_new(0x50003000, "OW", planted.coded("curve").ljust(24))
    made.add_new(0xFFFCFFFC, "OB", planted.coded("padding behind").ljust(24))
    made.PixelData = pixels.tobytes() + planted.coded("behind the pixels").ljust(24)
    made["PixelData"].VR = "OB"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.SourceApplicationEntityTitle = planted.text("AE title")[:16]
    planted.places["AE title"] = planted.places["AE title"][:16]
    made.preamble = planted.coded("preamble").ljust(128, b"\0")
    out = io.BytesIO()
    pydicom.dcmwrite(out, made, enforce_file_format=True)
    planted.data = out.getvalue()
    return planted


def planted_avif() -> Planted:
    """AVIF, which is encoded again."""
    planted = Planted("avif")
    exif, xmp = _exif(planted, thumbnail=False), _xmp(planted.text("XMP"))
    planted.data = _encoded("AVIF", exif=exif, xmp=xmp) + _box(b"free", planted.coded("free box"))
    return planted


PLANTED: dict[str, Callable[[], Planted]] = {
    "jpeg": planted_jpeg,
    "png": planted_png,
    "gif": planted_gif,
    "webp": planted_webp,
    "tiff": planted_tiff,
    "bmp": planted_bmp,
    "dicom": planted_dicom,
    "avif": planted_avif,
}


def encoded_anew(data: bytes) -> bytes:
    """What a caller makes of a file that is not rewritten: PNG of its pixels alone."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _encoded(name: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(photograph()).save(out, name, **options)
    return out.getvalue()


def _exif(planted: Planted, *, thumbnail: bool = True) -> bytes:
    """A TIFF structure of what cameras and programs say, with orientation 6 among it."""
    exif = Image.Exif()
    exif[0x010E] = planted.text("EXIF ImageDescription")
    exif[0x013B] = planted.text("EXIF Artist")
    exif[0x0112] = 6
    inner = exif.get_ifd(0x8769)
    inner[0x9286] = b"UNICODE\0" + planted.text("EXIF UserComment").encode("utf-16-le")
    inner[0x927C] = planted.coded("EXIF MakerNote")
    inner[0xA431] = planted.text("EXIF serial number")
    exif.get_ifd(0x8825)[0x001C] = b"ASCII\0\0\0" + planted.coded("EXIF GPS")
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    if not thumbnail:
        return block
    small = io.BytesIO()
    Image.new("RGB", (8, 8)).save(small, "JPEG", comment=planted.coded("EXIF thumbnail"))
    return block + small.getvalue()


def _profile(canary: str) -> bytes:
    """sRGB, its description somebody's."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    said = "sRGB built-in".encode("utf-16-be")
    at = profile.index(said)
    count = int.from_bytes(profile[128:132], "big")
    table = bytearray(profile)
    text = canary.encode("utf-16-be")
    start = len(profile)
    for entry in range(132, 132 + 12 * count, 12):
        if table[entry : entry + 4] == b"desc":
            record = b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(text), 28)
            table[entry + 4 : entry + 12] = struct.pack(">II", start, len(record + text))
            table += record + text
    table[at : at + len(said)] = bytes(len(said))
    table += bytes(-len(table) % 4)
    table[:4] = len(table).to_bytes(4, "big")
    return bytes(table)


def _xmp(canary: str) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
        b'22-rdf-syntax-ns#"><rdf:Description><dc:creator>' + canary.encode() + b"</dc:creator>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def _extended_xmp(canary: str) -> bytes:
    return b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + canary.encode()


def _iptc(canary: str) -> bytes:
    caption = b"\x1c\x02\x78" + len(canary).to_bytes(2, "big") + canary.encode()
    return b"8BIM\x04\x04\0\0" + len(caption).to_bytes(4, "big") + caption


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _chunk(name: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(name + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + name + body + crc


def _riff(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _blocks(data: bytes) -> bytes:
    return bytes((len(data),)) + data + b"\0"


def _box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + name + body
