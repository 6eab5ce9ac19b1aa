"""DICOM: pixels as they were, a study together, nobody's name."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.planted_metadata import planted_dicom
from pixelmine.privacy.metadata import Allowed, Stripped, strip

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("dicomanonymizer")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # of files broken on purpose


def read(data: bytes | None) -> Any:
    return pydicom.dcmread(io.BytesIO(data or b""))


def made(data: bytes, allow: Allowed | None = None) -> Stripped:
    one = strip(data, allow)
    assert isinstance(one, Stripped)
    return one


def test_pixels_of_real_files_are_the_same(test_data: Path) -> None:
    same = 0
    for path in sorted((test_data / "dicom").glob("*.dcm")):
        data = path.read_bytes()
        one = made(data)
        if one.data is None:
            assert one.why
            continue
        try:
            before = read(data).pixel_array
        except (
            RuntimeError,
            ValueError,
            AttributeError,
        ):  # no decoder for it, or broken on purpose
            continue
        np.testing.assert_array_equal(before, read(one.data).pixel_array, err_msg=path.name)
        same += 1
    assert same >= 40


def test_no_real_name_is_left(test_data: Path) -> None:
    named = 0
    for path in sorted((test_data / "dicom").glob("*.dcm")):
        data = path.read_bytes()
        one = made(data)
        if one.data is None:
            continue
        before, after = read(data), read(one.data)
        for name in ("PatientName", "PatientID", "StudyDate", "InstitutionName"):
            said = str(before.get(name, "") or "")
            named += bool(said)
            assert not after.get(name)
            assert len(said) < 6 or said.encode() not in one.data
        assert all(not element.tag.is_private for element in after.iterall())
        assert after.PatientIdentityRemoved == "YES"
    assert named >= 40


def test_a_study_stays_together_by_the_key() -> None:
    first, second = read(planted_dicom().data), read(planted_dicom().data)
    second.StudyInstanceUID = first.StudyInstanceUID
    outs = []
    for one in (first, second):
        out = io.BytesIO()
        pydicom.dcmwrite(out, one)
        outs.append(
            read(made(out.getvalue(), Allowed(uid=lambda uid: f"2.25.{len(uid)}7{uid[-9:]}")).data)
        )
    assert outs[0].StudyInstanceUID == outs[1].StudyInstanceUID != first.StudyInstanceUID
    assert outs[0].SOPInstanceUID != outs[1].SOPInstanceUID
    assert outs[0].file_meta.MediaStorageSOPInstanceUID == outs[0].SOPInstanceUID


def test_without_a_key_they_are_nobodys() -> None:
    data = planted_dicom().data
    one, again = read(made(data).data), read(made(data).data)
    assert one.StudyInstanceUID == again.StudyInstanceUID != read(data).StudyInstanceUID


@pytest.mark.parametrize(("said", "told"), [("YES", True), ("NO", False), (None, None)])
def test_burned_in_annotation_is_told(said: str | None, told: bool | None) -> None:
    dataset = read(planted_dicom().data)
    if said:
        dataset.BurnedInAnnotation = said
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    assert made(out.getvalue()).burned_in is told


def test_codes_and_numbers_are_codes_and_numbers() -> None:
    dataset = read(planted_dicom().data)
    dataset.Modality = "ANNA"
    dataset.add_new(0x00281050, "DS", "40")
    dataset["WindowCenter"]._value = "anna"
    dataset.WindowWidth = [400, 80]
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset)
    after = read(made(out.getvalue()).data)
    assert "Modality" not in after
    assert "WindowCenter" not in after
    assert list(after.WindowWidth) == [400, 80]


def test_a_broken_file_is_for_the_decoder() -> None:
    data = planted_dicom().data
    for at in range(140, len(data), 97):
        assert isinstance(strip(data[:at]), Stripped)
