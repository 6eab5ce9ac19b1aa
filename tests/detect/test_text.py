from importlib.metadata import PackageNotFoundError
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.detect import Found, text_network
from pixelmine.detect.text import TextDetector, TextOptions

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"


def written(
    *texts: tuple[str, int, int], size: int = 24, shape: tuple[int, int] = (400, 533)
) -> np.ndarray:
    """Black on grey: each text with its left and upper edge in pixels."""
    image = Image.new("RGB", (shape[1], shape[0]), (170, 175, 180))
    face = ImageFont.truetype(str(FONT), size)
    for text, x, y in texts:
        ImageDraw.Draw(image).text((x, y), text, fill=(20, 20, 20), font=face)
    return np.asarray(image)


def ink(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels.max(axis=2) < 100)


def covered(pixels: np.ndarray, found: Found) -> float:
    """Part of the ink under boxes."""
    under = np.zeros(pixels.shape[:2], bool)
    for x0, y0, x1, y1 in np.clip(found.edges, 0, None).round().astype(int):
        under[y0:y1, x0:x1] = True
    return float(under[ink(pixels)].mean())


@pytest.fixture(scope="module")
def detector() -> TextDetector:
    return TextDetector()


@pytest.mark.parametrize("size", [16, 24, 60])
def test_text_is_found_and_read(detector: TextDetector, size: int) -> None:
    pixels = written(("Anna Miller", 60, 150), size=size)
    found = detector.detect(pixels, read=True)
    assert found.verdict == "found"
    assert covered(pixels, found) > 0.98
    assert "".join(box.text or "" for box in found.boxes).replace(" ", "") == "AnnaMiller"
    assert {box.kind for box in found.boxes} == {"text"}
    assert (found.edges[:, 2:] - found.edges[:, :2]).prod(axis=1).sum() < 0.25 * pixels[..., 0].size


def test_nothing_is_found_in_a_picture_without_text(detector: TextDetector) -> None:
    assert detector.detect(written()).verdict == "none"


def test_a_line_as_high_as_a_third_of_the_picture_is_found(detector: TextDetector) -> None:
    pixels = written(("Big", 100, 100), size=190)
    assert covered(pixels, detector.detect(pixels)) > 0.9


def test_a_shirt_is_no_letter(detector: TextDetector, test_data: Path) -> None:
    paths = sorted((test_data / "clothing" / "images").glob("*.jpg"))[1::170][:5]
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        found = detector.detect(pixels)
        assert covered(np.zeros_like(pixels), found) < 0.2, path.name
        assert not found.unsure


def test_text_is_not_read_unless_asked(detector: TextDetector) -> None:
    assert all(box.text is None for box in detector.detect(written(("EXIT", 60, 150))).boxes)


def test_the_order_of_pictures_does_not_matter(detector: TextDetector, test_data: Path) -> None:
    paths = sorted((test_data / "clothing" / "images").glob("*.jpg"))[:3]
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    pictures.append(written(("Main Street 12", 40, 90), shape=(300, 420)))
    there = [detector.detect(pixels) for pixels in pictures]
    back = [TextDetector().detect(pixels) for pixels in reversed(pictures)]
    assert there == back[::-1]
    assert there[-1].boxes


def test_a_large_picture_is_looked_at_in_tiles_and_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = TextDetector(TextOptions(tile=512, short_side=320))
    seen: list[tuple[int, ...]] = []

    def everywhere(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels.shape[:2])
        return np.ones(pixels.shape[:2], np.float32)

    monkeypatch.setattr(detector._network, "run", everywhere)
    pixels = written(("Text", 30, 40), shape=(900, 1100))
    detector.regions(pixels)
    assert seen == [(512, 512)] * 9 + [(320, 416)]  # 3 x 3 tiles, and .36 of its size
    assert (detector._probability(pixels) == 255).all()  # no pixel was left out


def test_text_at_the_edges_of_tiles_is_found() -> None:
    detector = TextDetector(TextOptions(tile=512, short_side=320))
    small = [("Small print", x, y) for x, y in ((30, 40), (440, 350), (900, 780), (470, 700))]
    pixels = written(*small, size=18, shape=(900, 1100))
    assert covered(pixels, detector.detect(pixels)) > 0.98


def test_grey_pictures_of_one_channel_are_taken(detector: TextDetector) -> None:
    pixels = written(("Gate C7", 60, 150))[..., :1]
    assert detector.detect(np.ascontiguousarray(pixels)).verdict == "found"


def test_what_is_likely_but_not_sure_is_for_a_person_to_look_at(
    detector: TextDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = np.zeros((736, 992), np.float32)
    given[300:340, 200:500] = 0.45
    monkeypatch.setattr(detector._network, "run", lambda pixels: given)
    found = detector.detect(np.indices((400, 533, 3))[1].astype(np.uint8))
    assert found.verdict == "unsure"
    assert found.boxes == ()
    assert found.unsure[0].score == pytest.approx(0.45, abs=0.03)


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))]
)
def test_other_pixels_are_refused(detector: TextDetector, pixels: np.ndarray) -> None:
    with pytest.raises(UsageError, match="uint8 pixels of shape"):
        detector.detect(pixels)


@pytest.mark.parametrize("values", [{"working": 1.5}, {"low": 0.9}, {"tile": 700}, {"tile": 64}])
def test_options_are_checked(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        TextOptions(**values)  # type: ignore[arg-type]  # wrong on purpose


def test_a_missing_package_is_one_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(text_network, "distribution", missing)
    with pytest.raises(ModelError, match=r"pip install 'pixelmine\[text\]'"):
        TextDetector()


def test_another_file_in_the_package_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Changed:
        def locate_file(self, path: str) -> Path:
            (tmp_path / "changed.onnx").write_bytes(b"changed")
            return tmp_path / "changed.onnx"

    monkeypatch.setattr(text_network, "distribution", lambda name: Changed())
    with pytest.raises(ModelError, match="is not the file that was checked"):
        TextDetector()
