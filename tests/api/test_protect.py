"""From pictures to protected copies: what leaves, what is said of it, and what a kill leaves."""

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms

from pixelmine.api.audited import audit_log
from pixelmine.api.ingest import ingest
from pixelmine.api.protect import protect
from pixelmine.api.protect_folder import ProtectFolder
from pixelmine.api.verify_protected import verify_protected
from pixelmine.core.errors import OutputError, SourceError, UsageError
from pixelmine.detect import Box, Found
from pixelmine.models.weights import is_there
from pixelmine.privacy.picture_rules import PictureRules
from pixelmine.protecting import Protection

BOTTOM = {"x0": 0.0, "y0": 0.75, "x1": 1.0, "y1": 1.0}
SECRET = b"Kestrel Lane 7"
ARTIST, ORIENTATION = 315, 274


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELMINE_AUDIT", str(tmp_path / "audit"))
    monkeypatch.delenv("PIXELMINE_KEY_FILE", raising=False)
    monkeypatch.delenv("PIXELMINE_KEY", raising=False)


def noise(seed: int, height: int = 96, width: int = 128) -> Image.Image:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def exif(orientation: int = 1) -> bytes:
    made = Image.Exif()
    made[ARTIST], made[ORIENTATION] = SECRET.decode(), orientation
    return bytes(made.tobytes())


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three JPEG, one turned, a PNG with a text, an animation, a text file."""
    folder = tmp_path / "photos of anna"
    folder.mkdir()
    for number, orientation in enumerate((1, 6, 1)):
        noise(number).save(folder / f"anna-{number}.jpg", exif=exif(orientation), quality=90)
    noise(3).save(folder / "plain.png")
    frames = [noise(seed, 48, 48) for seed in (4, 5, 6)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    (folder / "notes.txt").write_text("no picture")
    return folder


def manifest(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pixels(path: Path | bytes) -> np.ndarray:
    with Image.open(io.BytesIO(path) if isinstance(path, bytes) else path) as image:
        return np.asarray(image.convert("RGB"))


def test_without_masks_metadata_is_gone_and_pixels_stay(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "public"
    done = protect(pictures, out=out)
    assert (done.rows, done.written, done.reasons) == (6, 5, {"not_an_image": 1})
    assert done.how == {"lossless": 5}
    rows = manifest(out)
    assert len(rows) == 6
    assert {row["status"] for row in rows} == {"ok", "failed"}
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert SECRET not in everything
    assert b"anna" not in everything.lower()
    originals = sorted(pixels(path).tobytes() for path in pictures.glob("*.jpg"))
    written = sorted(pixels(path).tobytes() for path in (out / "pictures").rglob("*.jpg"))
    assert written == originals
    assert not (tmp_path / "public.run").exists()


def test_regions_are_filled_and_the_rest_of_a_jpeg_stays(pictures: Path, tmp_path: Path) -> None:
    rules = PictureRules.read({"regions": [BOTTOM]})
    done = protect(pictures, out=tmp_path / "out", rules=rules)
    assert done.written == 7, "an animation leaves as its three frames"
    assert len(list((tmp_path / "out" / "pictures").rglob("*.png"))) == 4
    for path in (tmp_path / "out" / "pictures").rglob("*.*"):
        with Image.open(path) as image:
            turned = image.getexif().get(ORIENTATION, 1)
            shown = np.asarray(image.convert("RGB"))
        assert turned in (1, 6)
        upright = np.rot90(shown, 3) if turned == 6 else shown
        height = upright.shape[0]
        assert upright[-height // 4 + 1 :].max() <= 6, path
        assert upright[: height // 2].std() > 10
    assert sum(p.suffix == ".jpg" for p in (tmp_path / "out").rglob("*.jpg")) == 3


def test_metadata_may_be_kept_and_wide_colours_are_brought_to_srgb(
    pictures: Path, tmp_path: Path
) -> None:
    rules = PictureRules.read({"metadata": "keep"})
    assert protect(pictures, out=tmp_path / "kept", rules=rules).written == 5
    everything = b"".join(p.read_bytes() for p in (tmp_path / "kept" / "pictures").rglob("*.*"))
    assert SECRET in everything
    wide = tmp_path / "wide"
    wide.mkdir()
    linear = ImageCms.createProfile("XYZ")
    profile = ImageCms.ImageCmsProfile(linear).tobytes()
    noise(1).save(wide / "wide.jpg", icc_profile=profile)
    done = protect(wide, out=tmp_path / "srgb", rules=PictureRules.read({"regions": [BOTTOM]}))
    assert done.written == 1
    written = next((tmp_path / "srgb" / "pictures").rglob("*.jpg"))
    with Image.open(written) as image:
        assert "icc_profile" not in image.info


def test_a_collection_is_a_source_too(pictures: Path, tmp_path: Path) -> None:
    ingest([pictures], into=tmp_path / "c.pixels")
    done = protect(tmp_path / "c.pixels", out=tmp_path / "out")
    assert (done.rows, done.written) == (5, 5)


def test_a_key_makes_names_that_come_again(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(out: str) -> set[str]:
        protect(pictures, out=tmp_path / out)
        return {row["name"] for row in manifest(tmp_path / out)}

    assert names("a").isdisjoint(names("b")), "each with a key of its own"
    monkeypatch.setenv("PIXELMINE_KEY", "0123456789abcdef" * 4)
    assert names("c") == names("d")


def test_a_run_that_was_killed_goes_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def killed(*_: object) -> None:
        raise OutputError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ProtectFolder, "finish", killed)
        with pytest.raises(OutputError):
            protect(pictures, out=out)
    log = tmp_path / "out.run" / "done.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])  # torn in the middle of a batch
    for done in (tmp_path / "out.run" / "listing").glob("*.done"):
        done.unlink()
    assert protect(pictures, out=out).written == 5
    assert len({row["name"] for row in manifest(out)}) == 6


def test_what_is_there_is_not_replaced_unless_told(pictures: Path, tmp_path: Path) -> None:
    protect(pictures, out=tmp_path / "out")
    with pytest.raises(UsageError, match="--overwrite"):
        protect(pictures, out=tmp_path / "out")
    rules = PictureRules.read({"orientation": "apply"})
    done = protect(pictures, out=tmp_path / "out", rules=rules, overwrite=True)
    assert done.how == {"encoded": 1, "lossless": 4}
    before = sorted(path.name for path in pictures.iterdir())
    with pytest.raises(UsageError, match="not replaced"):
        protect(pictures, out=pictures, overwrite=True)
    assert sorted(path.name for path in pictures.iterdir()) == before


def test_each_is_noted_in_the_log_and_nobody_is_named(pictures: Path, tmp_path: Path) -> None:
    protect(pictures, out=tmp_path / "out")
    log = audit_log()
    entry = list(log.entries())[-1]
    assert (entry["did"], entry["counts"]["written"]) == ("protect", 5)
    assert log.verify().broken is None
    assert b"anna" not in log.path.read_bytes()


def test_a_second_look_finds_what_was_put_in_since(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    protect(pictures, out=out)
    assert verify_protected(out).clean
    path = next((out / "pictures").rglob("*.jpg"))
    path.write_bytes(with_exif(path.read_bytes()))
    found = verify_protected(out)
    assert not found.clean
    assert found.metadata == 1
    assert list(found.files) == [path.relative_to(out).as_posix()]
    with pytest.raises(SourceError, match=r"rules\.json"):
        verify_protected(pictures)


def with_exif(data: bytes) -> bytes:
    """A JPEG with an EXIF segment behind its first marker."""
    body = exif() if exif().startswith(b"Exif") else b"Exif\0\0" + exif()
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"faces": "pixelate"}, r"pictures\.faces"),
        ({"grow": 0.5}, r"pictures\.grow"),
        ({"names": True}, r"pictures\.names"),
        ({"regions": [{**BOTTOM, "y1": 0.5}]}, r"pictures\.regions\.0"),
    ],
)
def test_rules_that_are_wrong_are_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PictureRules.read(values)


def test_rules_say_what_they_are(tmp_path: Path) -> None:
    rules = PictureRules.read({"faces": "blur", "text": "fill"})
    assert (rules.looks_for, rules.weaker, rules.masks) == (("faces", "text"), ("faces",), True)
    assert rules.digest != PictureRules().digest
    assert json.loads(rules.model_dump_json())["unsure"] == "review"


class Finder:
    """Finds bright squares at known places, one a look, as a face behind a face."""

    def __init__(self, *boxes: Box, unsure: bool = False) -> None:
        self._boxes, self._unsure = boxes, unsure

    def __call__(self, shown: np.ndarray) -> Found:
        left = [b for b in self._boxes if shown[int(b.y0), int(b.x0)].max() > 0][:1]
        return Found((), tuple(left)) if self._unsure else Found(tuple(left))


def face(x: float, y: float) -> Box:
    return Box(kind="face", x0=x, y0=y, x1=x + 12, y1=y + 12, score=0.9)


def protected(
    rules: Mapping[str, object], finder: Finder
) -> tuple[dict[str, object], bytes | None]:
    made = Protection(rules=PictureRules.read(rules))
    made.__dict__["_detectors"] = [("fill", finder)]
    out = io.BytesIO()
    Image.new("RGB", (96, 64), "white").save(out, "PNG")
    return next(made(out.getvalue()))


def test_a_masked_picture_is_looked_at_again() -> None:
    """The second face shows only when the first is masked."""
    values, data = protected({"faces": "fill"}, Finder(face(10, 10), face(60, 30)))
    assert data is not None
    assert values["verdict"] == "found"
    shown = pixels(data)
    assert shown[10:22, 10:22].max() == shown[30:42, 60:72].max() == 0
    assert shown[50:, :40].min() == 255


@pytest.mark.parametrize(("unsure", "darkest"), [("review", 255), ("mask", 0)])
def test_what_is_unsure_is_listed_or_masked(unsure: str, darkest: int) -> None:
    values, data = protected({"faces": "fill", "unsure": unsure}, Finder(face(10, 10), unsure=True))
    assert data is not None
    assert values["verdict"] == "unsure"
    assert pixels(data)[10:22, 10:22].min() == darkest


def test_what_is_unsure_is_kept_back() -> None:
    rules = {"faces": "fill", "unsure": "withhold"}
    values, data = protected(rules, Finder(face(10, 10), unsure=True))
    assert (values["status"], values["reason"], data) == ("failed", "withheld", None)


def test_real_faces_are_masked(tmp_path: Path) -> None:
    """Of scikit-image's astronaut; the helmet and the badge are none."""
    if not is_there("centerface"):
        pytest.skip("needs the weights: pixelmine models get centerface")
    (tmp_path / "photos").mkdir()
    astronaut = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # it has no types
    Image.fromarray(astronaut).save(tmp_path / "photos" / "a.jpg", quality=95)
    rules = PictureRules.read({"faces": "fill"})
    done = protect(tmp_path / "photos", out=tmp_path / "out", rules=rules)
    assert done.found == {"faces": 1}
    before = pixels(tmp_path / "photos" / "a.jpg")
    after = pixels(next((tmp_path / "out" / "pictures").rglob("*.jpg")))
    assert after[110:150, 200:245].max() <= 6, "her face"
    np.testing.assert_array_equal(after[300:], before[300:])
    assert verify_protected(tmp_path / "out").found == {}


def test_the_pictures_of_a_study_stay_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever process rewrites them, and in the next run under the same key too."""
    pydicom = pytest.importorskip("pydicom")
    data = os.environ.get("PIXELMINE_TEST_DATA")
    if not data:
        pytest.skip("needs $PIXELMINE_TEST_DATA")
    whole = [p for p in sorted(Path(data, "dicom").rglob("*.dcm")) if p.name == "CT_small.dcm"]
    assert whole, "CT_small.dcm is one of pydicom's own"
    (tmp_path / "study").mkdir()
    for number in range(6):
        one = pydicom.dcmread(whole[0])
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.840.{number + 1}"
        one.save_as(tmp_path / "study" / f"{number}.dcm")
    monkeypatch.setenv("PIXELMINE_KEY", "0123456789abcdef" * 4)

    def uids(out: str) -> tuple[set[str], set[str]]:
        protect(tmp_path / "study", out=tmp_path / out)
        made = [pydicom.dcmread(path) for path in (tmp_path / out / "pictures").rglob("*.dcm")]
        return {str(d.StudyInstanceUID) for d in made}, {str(d.SOPInstanceUID) for d in made}

    studies, pictures = uids("a")
    assert (len(studies), len(pictures)) == (1, 6)
    assert str(pydicom.dcmread(whole[0]).StudyInstanceUID) not in studies
    assert uids("b") == (studies, pictures)
