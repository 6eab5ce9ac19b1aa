"""DICOM, by pydicom (extra `dicom`): what a radiologist would be shown, and nothing about whom.

Only the elements that are named here are read from a file; names, dates, numbers and institutions
never become objects.
"""

import io
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.budget import expect

from .colour import to_grey
from .grey_levels import levels, to_bytes
from .picture import DecodeOptions, Picture, Refusal
from .quiet import quiet_log

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["FIELDS", "DicomFile", "open_dicom"]

FIELDS = {
    "Modality": "modality",
    "BodyPartExamined": "body_part",
    "ViewPosition": "view",
    "Manufacturer": "make",
    "ManufacturerModelName": "model",
}
"""Elements that `meta` holds. Nothing about a person, a place or a time is among them."""

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_NEEDED = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData"),
    *("SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    *("SegmentedBluePaletteColorLookupTableData", "PaletteColorLookupTableUID"),
)
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_BIG = "1.2.840.10008.1.2.2"
_RLE = "1.2.840.10008.1.2.5"
_MAX_TEXT = 100


def open_dicom(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> "DicomFile":
    """Read the elements that a picture needs.

    An object without pixels (a report, a plan, a directory) is `not_an_image`.
    """
    return DicomFile(data, name, options, limits)


class DicomFile:
    """A data set with pixels. Its frames stand each on their own."""

    independent = True

    def __init__(self, data: bytes, name: str, options: DecodeOptions, limits: Limits) -> None:
        import pydicom

        _check_deflated(data, limits)
        tags: list[int | str | tuple[int, int]] = [*_PIXELS, *_NEEDED, *FIELDS]
        self.name, self.options, self.limits = name, options, limits
        with quiet_log():
            self._set = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=tags)
        if not any(element in self._set for element in _PIXELS):
            raise Refusal(Reason.TRUNCATED if "Rows" in self._set else Reason.NOT_AN_IMAGE)
        if "Rows" not in self._set or "Columns" not in self._set:
            raise Refusal(Reason.CORRUPT)
        _name_syntax(self._set)
        with quiet_log():
            self._declared = max(int(self._set.get("NumberOfFrames") or 1), 1)
            self._there = max(min(_frames_there(self._set), self._declared), 1)
        self._set.NumberOfFrames = self._there  # else none of them is decoded

    def picture(self, frame: int) -> Picture | Reason | None:
        """One frame, by the first window of the file where it names one (`grey_levels.py`)."""
        if frame >= self._there:
            return Reason.TRUNCATED if frame == self._there < self._declared else None
        with quiet_log():  # elements become values here, when they are asked for
            return self._picture(frame)

    def count(self) -> int:
        """As many as there are; one more where the header says that there should be."""
        return self._there + (self._there < self._declared)

    def moments(self) -> Sequence[int]:
        """The first frame."""
        return (0,)

    def close(self) -> None:
        """Nothing is open."""

    def _picture(self, frame: int) -> Picture | Reason:
        from pydicom.pixels import pixel_array

        width, height = int(self._set.Columns), int(self._set.Rows)
        if width * height > self.limits.max_pixels:
            return Reason.TOO_MANY_PIXELS
        if width * height == 0:
            return Reason.CORRUPT
        expect(width * height)
        self._check_run_lengths(frame, width * height)
        pixels = self._colours(pixel_array(self._set, index=frame, raw=False))
        return Picture(pixels, self.name, width, height, 1, _meta(self._set))

    def _colours(self, samples: np.ndarray) -> np.ndarray:
        from pydicom.pixels import apply_color_lut

        grey = self.options.colour == "grey"
        if self._set.PhotometricInterpretation == "PALETTE COLOR":
            samples = apply_color_lut(samples, self._set)
            bits = samples.dtype.itemsize * 8
        elif samples.ndim == 2:
            pixels = to_bytes(levels(samples, self._set))[..., None]
            return pixels if grey else np.repeat(pixels, 3, axis=2)
        else:
            bits = int(self._set.BitsStored)
        pixels = np.clip(samples, 0, 2**bits - 1).astype(np.uint32)
        pixels = (pixels >> max(bits - 8, 0)).astype(np.uint8)
        return to_grey(pixels) if grey else np.ascontiguousarray(pixels)

    def _check_run_lengths(self, frame: int, pixels: int) -> None:
        """A byte of a run can stand for 64: what is longer than runs can need is not decoded."""
        from pydicom.encaps import get_frame

        if self._set.file_meta.TransferSyntaxUID != _RLE:
            return
        samples = int(self._set.SamplesPerPixel) * int(self._set.BitsAllocated) // 8
        coded = get_frame(self._set.PixelData, frame, number_of_frames=self._there)
        if len(coded) > 2 * pixels * samples + 1024:
            raise Refusal(Reason.CORRUPT)


def _check_deflated(data: bytes, limits: Limits) -> None:
    """A deflated data set may unpack to a thousand times its size: unpack it in pieces first."""
    if _DEFLATED not in data[:4096]:
        return
    start = 144 + int.from_bytes(data[140:144], "little")  # (0002,0000): the length of the header
    inflate, left, rest = zlib.decompressobj(-zlib.MAX_WBITS), limits.max_bytes, data[start:]
    while rest and not inflate.eof:
        left -= len(inflate.decompress(rest, 2**20))
        rest = inflate.unconsumed_tail
        if left < 0:
            raise Refusal(Reason.TOO_LARGE_FILE)


def _frames_there(data_set: "Dataset") -> int:
    """How many frames the pixel data can hold: a header may say any number."""
    from pydicom.encaps import parse_fragments

    data = next(data_set[element].value for element in _PIXELS if element in data_set)
    if data_set.file_meta.TransferSyntaxUID.is_encapsulated:
        return int(parse_fragments(data)[0])
    samples = int(data_set.get("SamplesPerPixel") or 1)
    bits = int(data_set.Rows) * int(data_set.Columns) * samples * int(data_set.BitsAllocated)
    if data_set.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3  # two pixels share their colour
    return len(data) * 8 // bits if bits else 0


def _name_syntax(data_set: "Dataset") -> None:
    """Say how a data set without a header, or without this in it, is encoded: as it was read."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    if "TransferSyntaxUID" in getattr(data_set, "file_meta", ()):
        return
    implicit, little = data_set.original_encoding
    named = UID(_IMPLICIT if implicit else _EXPLICIT if little else _BIG)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = named


def _meta(data_set: "Dataset") -> dict[str, str]:
    found = {}
    for element, name in FIELDS.items():
        text = "".join(c for c in str(data_set.get(element) or "") if c.isprintable()).strip()
        if text:
            found[name] = text[:_MAX_TEXT]
    return found
