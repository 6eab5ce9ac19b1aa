import io
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.preprocess import DecodeOptions, Frames, Picture, decode, decode_frames
from pixelmine.preprocess.decode_dicom import FIELDS
from pixelmine.preprocess.quiet import quiet

pydicom = pytest.importorskip("pydicom", reason="the extra `dicom` is not installed")

SECRET = "Secret^Person"


def dicom(pixels, syntax="1.2.840.10008.1.2.1", frames=None, preamble=True, **elements):
    """A data set with uint8, uint16 or int16 pixels, (H, W), (H, W, 3), or of N frames."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    data_set, meta = Dataset(), FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    shape = pixels.shape[1:] if frames else pixels.shape
    data_set.Rows, data_set.Columns = shape[:2]
    data_set.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
    data_set.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    data_set.PlanarConfiguration = 0
    data_set.BitsAllocated = data_set.BitsStored = pixels.dtype.itemsize * 8
    data_set.HighBit = data_set.BitsStored - 1
    data_set.PixelRepresentation = int(pixels.dtype.kind == "i")
    if frames:
        data_set.NumberOfFrames = frames
    order = ">" if meta.TransferSyntaxUID.endswith(".1.2.2") else "<"
    data_set.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    data_set["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    data_set.PatientName, data_set.PatientID, data_set.PatientBirthDate = SECRET, SECRET, "19700101"
    data_set.InstitutionName, data_set.StudyDate = SECRET, "20200101"
    for name, value in elements.items():
        setattr(data_set, name, value)
    file = io.BytesIO()
    data_set.file_meta = meta
    if preamble:
        pydicom.dcmwrite(file, data_set, enforce_file_format=True)
        return file.getvalue()
    uid = meta.TransferSyntaxUID
    del data_set.file_meta
    options = {"implicit_vr": uid.is_implicit_VR, "little_endian": uid.is_little_endian}
    pydicom.dcmwrite(file, data_set, **options)
    return file.getvalue()


def find(data, colour="rgb", limits=None, frame=0):
    return decode(data, DecodeOptions(colour=colour), limits or Limits(), frame)


def grey(data):
    found = find(data)
    assert isinstance(found, Picture), found
    assert (np.ptp(found.pixels, axis=2) == 0).all()
    np.testing.assert_array_equal(find(data, "grey").pixels[..., 0], found.pixels[..., 0])
    return found.pixels[..., 0]


RAMP = np.arange(256, dtype=np.uint8).reshape(8, 32)
SIXTEEN = (np.arange(256).reshape(8, 32) * 16 - 1000).astype(np.int16)


def test_eight_bits_without_a_window_are_shown_as_they_are():
    np.testing.assert_array_equal(grey(dicom(RAMP)), RAMP)


def test_monochrome1_is_inverted():
    np.testing.assert_array_equal(
        grey(dicom(RAMP, PhotometricInterpretation="MONOCHROME1")), 255 - RAMP
    )


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(0, 400), (300, 80), (-500, 2000), (40.5, 300)])
def test_a_window_as_pydicom_has_it(function, center, width):
    options = {"RescaleSlope": 2, "RescaleIntercept": -24, "VOILUTFunction": function}
    data = dicom(SIXTEEN, WindowCenter=[center, 0], WindowWidth=[width, 7], **options)
    data_set = pydicom.dcmread(io.BytesIO(data))
    rescaled = pydicom.pixels.apply_modality_lut(SIXTEEN, data_set)
    theirs = pydicom.pixels.apply_windowing(rescaled.astype(float), data_set)
    low, high = -(2**15) * 2 - 24, (2**15 - 1) * 2 - 24
    expected = (theirs - low) / (high - low) * 255
    assert np.abs(grey(data) - expected).max() <= 0.51


def test_a_window_of_one_level():
    data = dicom(SIXTEEN, WindowCenter=8, WindowWidth=1, RescaleSlope=1, RescaleIntercept=0)
    np.testing.assert_array_equal(grey(data), np.where(SIXTEEN > 7.5, 255, 0))


@pytest.mark.parametrize("wide", [None, "<u2"])
def test_a_table_of_interest(wide):
    from pydicom.dataset import Dataset

    table = Dataset()
    table.LUTDescriptor = [256, 0, 8]
    table.LUTData = (
        bytes(range(255, -1, -1)) if wide is None else np.arange(255, -1, -1).astype(wide).tobytes()
    )
    table["LUTData"].VR = "OW"
    np.testing.assert_array_equal(grey(dicom(RAMP, VOILUTSequence=[table])), 255 - RAMP)
    lifted = RAMP.astype(np.uint16) + 1000  # below and above its table a value is as its ends are
    table.LUTDescriptor = [256, 1100, 8]
    expected = 255 - np.clip(lifted.astype(int) - 1100, 0, 255)
    np.testing.assert_array_equal(grey(dicom(lifted, VOILUTSequence=[table])), expected)


def test_without_a_window_levels_spread_between_percentiles():
    pixels = SIXTEEN.copy()
    pixels[0, 0], pixels[7, 31] = -30000, 30000  # a marker must not darken all the rest
    low, high = np.percentile(pixels.astype(float), (1, 99))
    expected = np.clip((pixels - low) / (high - low), 0, 1) * 255
    assert np.abs(grey(dicom(pixels)) - expected).max() <= 0.51


def test_padding_is_no_part_of_the_spread():
    pixels = np.full((40, 40), -2000, np.int16)
    pixels[10:30, 10:30] = np.arange(400).reshape(20, 20)
    found = grey(dicom(pixels, PixelPaddingValue=-2000))
    assert found[0, 0] == 0
    assert found[10, 10] == 0
    assert found[29, 29] == 255
    assert 120 < found[20, 10] < 135


@pytest.mark.parametrize("value", [0, 700])
def test_one_level_alone_is_black(value):
    assert (grey(dicom(np.full((4, 4), value, np.uint16))) == 0).all()


SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]


@pytest.mark.parametrize("preamble", [True, False])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_colours_with_and_without_a_header(syntax, preamble):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)
    found = find(
        dicom(pixels, syntax, preamble=preamble, ImageType="ORIGINAL", SOPClassUID="1.2.3.4")
    )
    np.testing.assert_array_equal(found.pixels, pixels)
    assert (found.format, found.width, found.height, found.orientation) == ("dicom", 10, 6, 1)


def test_planes_of_colours():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()
    np.testing.assert_array_equal(
        find(dicom(pixels, PlanarConfiguration=1, PixelData=planes)).pixels, pixels
    )


def test_sixteen_bit_colours_keep_their_upper_eight():
    pixels = np.random.default_rng(0).integers(0, 2**16, (6, 10, 3), np.uint16)
    np.testing.assert_array_equal(find(dicom(pixels)).pixels, pixels >> 8)


def test_a_palette():
    tables = {}
    for name, values in (("Red", RAMP), ("Green", 255 - RAMP), ("Blue", RAMP // 2)):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = (values.astype("<u2") << 8).tobytes()
    found = find(dicom(RAMP, PhotometricInterpretation="PALETTE COLOR", **tables))
    np.testing.assert_array_equal(found.pixels, np.dstack([RAMP, 255 - RAMP, RAMP // 2]))


def test_frames():
    pixels = np.stack([RAMP, RAMP // 2, 255 - RAMP])
    data = dicom(pixels, frames=3)
    found = list(decode_frames(data, DecodeOptions(), Limits(), Frames(which="all")))
    assert [index for index, _ in found] == [0, 1, 2]
    for (index, picture), expected in zip(found, pixels, strict=True):
        np.testing.assert_array_equal(picture.pixels[..., 0], expected)
        np.testing.assert_array_equal(find(data, frame=index).pixels, picture.pixels)
    assert find(data, frame=3) is Reason.NOT_FOUND


def frames_of(data):
    return list(decode_frames(data, DecodeOptions(), Limits(), Frames(which="all")))


def test_frames_that_are_not_there():
    data = dicom(np.stack([RAMP, RAMP // 2, RAMP]), frames=3)
    (_, first), (_, second), third = frames_of(data[:-100])
    np.testing.assert_array_equal(first.pixels[..., 0], RAMP)
    np.testing.assert_array_equal(second.pixels[..., 0], RAMP // 2)
    assert third == (2, Reason.TRUNCATED)
    assert find(data[:-100], frame=2) is Reason.TRUNCATED
    assert find(data[:-100], frame=3) is Reason.NOT_FOUND


def test_a_header_that_lies_about_its_frames():
    data = dicom(RAMP[None], frames=2_000_000_000)
    assert [index for index, _ in frames_of(data)] == [0, 1]
    assert frames_of(data)[1] == (1, Reason.TRUNCATED)


@pytest.mark.parametrize("size", [(40, 30)])
def test_the_limit(size):
    data = dicom(np.zeros(size, np.uint8))
    assert isinstance(find(data, limits=Limits(max_pixels=1200)), Picture)
    assert find(data, limits=Limits(max_pixels=1199)) is Reason.TOO_MANY_PIXELS


def test_an_object_without_pixels_is_no_image():
    from pydicom.dataset import Dataset, FileMetaDataset

    report = Dataset()
    report.Modality, report.PatientName = "SR", SECRET
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    report.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    file = io.BytesIO()
    pydicom.dcmwrite(file, report, enforce_file_format=True)
    assert find(file.getvalue()) is Reason.NOT_AN_IMAGE


def test_a_tiff_in_front_of_a_dicom_is_a_dicom():
    data = dicom(RAMP)
    assert find(b"II*\0" + data[4:]).format == "dicom"


def test_nothing_about_a_person_is_kept():
    data = dicom(
        RAMP,
        Modality="CR",
        BodyPartExamined="CHEST",
        ViewPosition="PA",
        Manufacturer="Maker",
        ManufacturerModelName="Model\nX",
        DeviceSerialNumber=SECRET,
        OperatorsName=SECRET,
        ReferringPhysicianName=SECRET,
        ProtocolName=SECRET,
        StudyDescription=SECRET,
        StationName=SECRET,
    )
    assert SECRET.encode() in data
    meta = find(data).meta
    assert meta == {
        "modality": "CR",
        "body_part": "CHEST",
        "view": "PA",
        "make": "Maker",
        "model": "ModelX",
    }
    assert set(FIELDS.values()) == set(meta)


def test_a_deflated_bomb_is_not_unpacked():
    data = dicom(np.zeros((16, 16), np.uint8), "1.2.840.10008.1.2.1.99")
    assert isinstance(find(data), Picture)
    start = 144 + struct.unpack("<I", data[140:144])[0]
    press = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = data[:start] + press.compress(bytes(50_000_000)) + press.flush()
    assert len(bomb) < 100_000
    assert find(bomb, limits=Limits(max_bytes=2_000_000)) is Reason.TOO_LARGE_FILE


def test_runs_that_are_too_long_are_not_unpacked():
    from pydicom.encaps import encapsulate

    data = dicom(
        np.zeros((8, 8), np.uint8),
        "1.2.840.10008.1.2.5",
        PixelData=encapsulate([struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 400_000]),
    )
    assert find(data) is Reason.CORRUPT


def test_without_pydicom_the_format_is_not_supported(monkeypatch):
    data = dicom(RAMP)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    assert find(data) is Reason.UNSUPPORTED_FORMAT


def test_the_files_of_pydicom(test_data, recwarn, capfd, caplog):
    """Of its files a few are broken on purpose, and a few compressed in ways that need a codec."""
    paths = sorted((test_data / "dicom").glob("*.dcm"))
    assert len(paths) == 79
    found = {path.name: find(path.read_bytes()) for path in paths}
    for path in paths:
        for _, frame in decode_frames(
            path.read_bytes(), DecodeOptions(), Limits(), Frames(which="all")
        ):
            assert isinstance(frame, (Picture, Reason))
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    pictures = {name: one for name, one in found.items() if isinstance(one, Picture)}
    reasons = {name: str(one) for name, one in found.items() if isinstance(one, Reason)}
    assert len(pictures) >= 45
    assert {str(Reason.UNSUPPORTED_FORMAT)} == {
        reason
        for name, reason in reasons.items()
        if "jls" in name or "JPEGLS" in name or "jpeg_ls" in name
    }
    assert reasons["MR_truncated.dcm"] == "truncated"
    assert reasons["badVR.dcm"] == "corrupt"
    for name in ("rtplan.dcm", "reportsi.dcm", "test-SR.dcm", "waveform_ecg.dcm", "rtstruct.dcm"):
        assert reasons[name] == "not_an_image"
    for name, picture in pictures.items():
        assert set(picture.meta) <= set(FIELDS.values()), name
    same = [pictures[name].pixels for name in pictures if name.startswith("MR_small")]
    assert len(same) >= 6
    for pixels in same:
        np.testing.assert_array_equal(pixels, same[0])
    for bars in (name for name in pictures if name.startswith("SC_rgb_dcmtk")):
        # red, green, blue and so on in bars, however compressed
        assert np.abs(pictures[bars].pixels[5, 50].astype(int) - (255, 0, 0)).max() < 30, bars


def test_no_name_of_a_person_comes_out_of_any_file(test_data):
    for path in sorted((test_data / "dicom").glob("*.dcm")):
        with quiet():
            data_set = pydicom.dcmread(path, force=True)
        name = str(data_set.get("PatientName") or "")
        found = find(path.read_bytes())
        if name and isinstance(found, Picture):
            assert name not in str(found.meta)


def test_a_jpeg_inside():
    from pydicom.encaps import encapsulate

    file = io.BytesIO()
    Image.new("RGB", (32, 16), (200, 30, 30)).save(file, "JPEG", quality=95)
    data = dicom(
        np.zeros((16, 32, 3), np.uint8),
        "1.2.840.10008.1.2.4.50",
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=encapsulate([file.getvalue()]),
    )
    assert np.abs(find(data).pixels.astype(int) - (200, 30, 30)).max() < 6
