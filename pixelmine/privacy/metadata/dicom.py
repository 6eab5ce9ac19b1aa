"""DICOM: the elements of pixels and where they lie, after the standard's own profile.

Two sieves. First an allow-list (`dicom_elements`): an element that is not needed to show the
pixels, or to put the pictures of a study in their order, goes, with whatever it holds: private and
unknown ones, overlays, curves, descriptions, dates, names. Numbers must be numbers and codes of the
standard's lists. Then what is left goes through the Basic Application Level Confidentiality Profile
(PS3.15, table E.1-1, of 2026c as the package dicom-anonymizer has it), which maps UIDs.
Annotations that are burned into the pixels stay there: `Stripped.burned_in` tells what the file
says of them, and text has to be masked.
"""

import io
import re
import secrets
import warnings
from functools import lru_cache
from typing import Any

from .dicom_elements import ALWAYS, UIDS, allowed
from .dicom_pixels import rewrite_pixels
from .stripped import Allowed, MustEncode, Rewritten, TooMany
from .uids import keyed_uids

__all__ = ["rewrite"]

_TABLE = "dicomfields_2026c"
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META = 4096
_PREAMBLE = 128
_UID = re.compile(r"[0-9]+(\.[0-9]+){2,}")
_MAX_UID = 64
_OF_THIS_PROCESS = keyed_uids(secrets.token_bytes(32))
_META_ELEMENTS = {1, 2, 3, 0x10, 0x12, 0x13, 0}
"""Of group 0002: version, classes, transfer syntax, implementation, length."""


def rewrite(data: bytes, allow: Allowed) -> Rewritten:
    """Raise MustEncode for what has no pixels, or pixels coded in a way that is not rewritten."""
    try:
        import dicomanonymizer  # noqa: F401  # only whether it is there
        import pydicom  # noqa: F401  # the same
    except ImportError as error:
        raise MustEncode("Rewriting DICOM takes `pip install pixelmine[dicom]`.") from error
    if _DEFLATED in data[:_META]:
        raise MustEncode("It is deflated as a whole, which is not rewritten.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, which quote values
        try:
            return _rewrite(data, allow)
        except (MustEncode, TooMany):
            raise
        except Exception as error:  # pydicom's converters raise what they like
            raise MustEncode("Its data elements are broken.") from error


def _rewrite(data: bytes, allow: Allowed) -> Rewritten:
    import pydicom
    from dicomanonymizer import anonymize_dataset
    from pydicom.uid import UID

    before = pydicom.dcmread(io.BytesIO(data))
    syntax = UID(str(before.file_meta.get("TransferSyntaxUID", "")))
    if not syntax.is_transfer_syntax or syntax.is_private:
        raise MustEncode("Its transfer syntax is not the standard's.")
    kind = UID(str(before.get("SOPClassUID", "")))
    if kind.is_private or kind.type != "SOP Class":
        raise MustEncode("It is of a class that is not the standard's.")
    after = allowed(before)
    removed: set[str] = set()
    rewrite_pixels(before, after, syntax, allow, removed)
    uid = allow.uid or _OF_THIS_PROCESS
    rules = dict.fromkeys(UIDS, lambda dataset, tag: _map(dataset, tag, uid))
    anonymize_dataset(after, rules, base_rules_gen=_profile)
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if name not in after:
            raise MustEncode("It lacks the UIDs that every DICOM file has.")
    _say_so(after)
    _name(before, after, removed)
    if any(data[:_PREAMBLE]):
        removed.add("preamble")
    if any(element.tag.element not in _META_ELEMENTS for element in before.file_meta):
        removed.add("file meta information")
    return Rewritten(data=_written(after, syntax), removed=removed, burned_in=_burned_in(after))


def _written(after: Any, syntax: Any) -> bytes:
    import pydicom
    from pydicom.dataset import FileMetaDataset

    after.file_meta = FileMetaDataset()
    after.file_meta.TransferSyntaxUID = syntax
    after.file_meta.MediaStorageSOPClassUID = after.SOPClassUID
    after.file_meta.MediaStorageSOPInstanceUID = after.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(
        out,
        after,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )
    return out.getvalue()


@lru_cache(maxsize=1)
def _actions() -> dict[tuple[int, ...], Any]:
    from dicomanonymizer.simpledicomanonymizer import initialize_actions

    return dict(initialize_actions(_TABLE))


def _profile() -> dict[tuple[int, ...], Any]:
    """The profile's table; what the allow-list takes out anyway needs no walk through the rest."""
    return {tag: action for tag, action in _actions().items() if len(tag) == 2 and tag[0] != 2}


def _map(dataset: Any, tag: tuple[int, int], uid: Any) -> None:
    if tag not in dataset:
        return
    new = str(uid(str(dataset[tag].value)))
    if len(new) > _MAX_UID or not _UID.fullmatch(new):
        raise MustEncode("What UIDs are mapped to is not a UID.")
    dataset[tag].value = new


def _say_so(after: Any) -> None:
    """What the standard wants of a file without names. Source: PS3.15, E.1.1; PS3.3, C.12.1.1.1."""
    from pydicom.dataset import Dataset

    for name, value in ALWAYS.items():
        if name not in after:
            setattr(after, name, value)
    code = Dataset()
    code.CodeValue = "113100"
    code.CodingSchemeDesignator = "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    after.DeidentificationMethodCodeSequence = [code]


def _name(before: Any, after: Any, removed: set[str]) -> None:
    """Names of elements that said something and do so no more."""
    from pydicom.datadict import keyword_for_tag

    for tag in before.keys():  # noqa: SIM118  # a data set yields its elements, not their tags
        if tag in after and ((tag.group, tag.element) in UIDS or tag.group == 0x7FE0):
            continue
        element = before[tag]
        if element.is_empty or (tag in after and after[tag].value == element.value):
            continue
        group = tag.group & 0xFF00
        if tag.is_private:
            removed.add("private elements")
        elif group in (0x6000, 0x5000):
            removed.add("overlays" if group == 0x6000 else "curves")
        else:
            removed.add(keyword_for_tag(tag) or "unknown elements")


def _burned_in(after: Any) -> bool | None:
    said = after.get("BurnedInAnnotation")
    return None if said is None else said == "YES"
