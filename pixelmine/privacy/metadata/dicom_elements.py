"""Which elements of DICOM may stay, and what may stand in them. Source: PS3.3, C.7.6, C.11."""

import re
from typing import Any

__all__ = ["ALWAYS", "UIDS", "allowed"]

UIDS = (
    *((0x0008, 0x0018), (0x0020, 0x000D), (0x0020, 0x000E), (0x0020, 0x0052)),
    (0x0028, 0x1199),
)
"""Instance, study, series, frame of reference, palette: they are mapped, so that a study stays
together."""

ALWAYS = {
    **dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate", "PatientSex"), ""),
    **dict.fromkeys(("StudyDate", "StudyTime", "StudyID", "AccessionNumber"), ""),
    "ReferringPhysicianName": "",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "Elements by allow-list",
    "LongitudinalTemporalInformationModified": "REMOVED",
}
"""What a file has to have, and says nothing of anybody."""

_NUMBERS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue"),
    *("PixelPaddingRangeLimit", "SmallestImagePixelValue", "LargestImagePixelValue"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "PixelSpacing"),
    *("ImagerPixelSpacing", "PixelAspectRatio", "SliceThickness", "SpacingBetweenSlices"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SeriesNumber", "InstanceNumber"),
    *("RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor"),
    "BluePaletteColorLookupTableDescriptor",
)
_PALETTES = (
    *("RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData"),
    "BluePaletteColorLookupTableData",
)
_SEQUENCES = ("ModalityLUTSequence", "VOILUTSequence")
_UID_NAMES = (
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
    "PaletteColorLookupTableUID",
)
_CODES = {
    "Modality": (
        *("AR", "BDUS", "BI", "BMD", "CR", "CT", "DG", "DX", "EC", "ECG", "ES", "GM", "HD", "IO"),
        *("IVOCT", "IVUS", "KER", "LEN", "LS", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT"),
        *("OPV", "OT", "PT", "PX", "RF", "RG", "RTDOSE", "RTIMAGE", "SC", "SEG", "SM", "TG", "US"),
        *("VA", "XA", "XC"),
    ),
    "PhotometricInterpretation": (
        *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422"),
        *("YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "ARGB", "CMYK", "HSV", "XYB"),
    ),
    "ViewPosition": ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "CC", "MLO", "ML", "LM"),
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE"),
    "RescaleType": ("HU", "OD", "US"),
    "LossyImageCompression": ("00", "01"),
    "BurnedInAnnotation": ("YES", "NO"),
    "ImageLaterality": ("L", "R", "B", "U"),
}
_NUMBER = re.compile(r" *[-+]?[0-9]{1,12}(\.[0-9]{0,14})?([eE][-+]?[0-9]{1,3})? *")
_MAX_VALUES = 16
"""Of an element that may have any number, as a window for each kind of tissue."""


def allowed(before: Any) -> Any:
    """A new data set with what may stay of this one, its pixels not yet among it."""
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    after = Dataset()
    after.SOPClassUID = UID(str(before.SOPClassUID))
    for name in _NUMBERS:
        if name in before and _are_numbers(before[name]):
            after.add(before[name])
    for name in _UID_NAMES:
        if before.get(name):
            setattr(after, name, UID(str(before[name].value)))
    for name, known in _CODES.items():
        if before.get(name) in known:
            setattr(after, name, str(before.get(name)))
    for name in _PALETTES:
        if name in before:
            _palette(before, after, name)
    for name in _SEQUENCES:
        if before.get(name):
            _tables(before, after, name)
    return after


def _are_numbers(element: Any) -> bool:
    """Whether it holds as many numbers as it may, written as such."""
    from pydicom.datadict import dictionary_VM

    if element.is_empty or _most(dictionary_VM(element.tag)) < element.VM:
        return False
    values = [element.value] if element.VM == 1 else list(element.value)
    if element.VR in ("DS", "IS"):
        written = (getattr(value, "original_string", None) or str(value) for value in values)
        return all(_NUMBER.fullmatch(one) for one in written)
    return element.VR in ("US", "SS", "US or SS") and all(isinstance(one, int) for one in values)


def _most(multiplicity: str) -> int:
    last = multiplicity.rpartition("-")[2]
    return int(last) if last.isdigit() else _MAX_VALUES


def _palette(before: Any, after: Any, name: str) -> None:
    """As many entries as its descriptor says."""
    entries, _, bits = before[name.replace("Data", "Descriptor")].value
    size = (entries or 65536) * (
        2 if bits > 8 or len(before[name].value) > (entries or 65536) else 1
    )
    data = bytes(before[name].value)[: size + size % 2]
    after.add_new(before[name].tag, "OW", data)


def _tables(before: Any, after: Any, name: str) -> None:
    """Look-up tables, without their explanations."""
    from pydicom.dataset import Dataset

    items = []
    for item in list(before[name].value)[:_MAX_VALUES]:
        kept = Dataset()
        kept.add(item["LUTDescriptor"])
        entries = int(item["LUTDescriptor"].value[0]) or 65536
        data = item["LUTData"]
        if isinstance(data.value, bytes):
            kept.add_new(data.tag, "OW", data.value[: 2 * entries])
        else:
            values = data.value if isinstance(data.value, int) else list(data.value)[:entries]
            kept.add_new(data.tag, data.VR, values)
        if name == "ModalityLUTSequence":
            kept.ModalityLUTType = "US"
        items.append(kept)
    setattr(after, name, items)
