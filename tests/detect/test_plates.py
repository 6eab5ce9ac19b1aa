from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelmine.core.errors import UsageError
from pixelmine.detect.plate_rules import is_like_a_plate, normalised
from pixelmine.detect.plates import PlateDetector, PlateOptions

FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"


@pytest.mark.parametrize(
    "text",
    [
        *("AB12 CDE", "B-MW 1234", "7ABC123", "AA-229-AA", "1234 BCD", "W 12345 X", "ab12cde"),
        *("京A12345", "粤B·D12345", "沪AD1234F", "川A1234学", "苏E·05EV8"),
    ],
)
def test_numbers_of_plates(text: str) -> None:
    assert is_like_a_plate(text, 300, 70)


@pytest.mark.parametrize(
    "text",
    [
        *("", "EXIT", "Main Street", "12345", "+49 30 1234567", "A1", "ABCDEF", "ABCD1"),
        *("A1B2C3D4", "123456789AB", "京I12345", "龙A12345", "京A1234", "Room 214 B-Wing"),
    ],
)
def test_what_is_no_number_of_a_plate(text: str) -> None:
    assert not is_like_a_plate(text, 300, 70)


@pytest.mark.parametrize(("along", "across"), [(70, 70), (1000, 70), (10, 0)])
def test_what_has_not_the_shape_of_a_plate(along: float, across: float) -> None:
    assert not is_like_a_plate("AB12 CDE", along, across)


def test_what_stands_between_groups_does_not_matter() -> None:
    assert normalised("\uff41b-1\uff12 · c_d") == "AB12CD"


def drawn(text: str) -> np.ndarray:
    image = Image.new("RGB", (533, 400), (90, 100, 110))
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 180, 350, 226), fill=(240, 240, 240), outline=(10, 10, 10), width=2)
    draw.text((165, 186), text, fill=(10, 10, 10), font=ImageFont.truetype(str(FONT), 30))
    return np.asarray(image)


@pytest.fixture(scope="module")
def detector() -> PlateDetector:
    return PlateDetector()


def test_a_plate_is_named_as_such(detector: PlateDetector) -> None:
    (box,) = detector.detect(drawn("AB12 CDE")).boxes
    assert box.kind == "plate"
    assert box.text is not None
    assert normalised(box.text) == "AB12CDE"
    assert box.x0 < 175 < 320 < box.x1
    assert len(box.points) == 4


def test_a_sign_is_no_plate(detector: PlateDetector) -> None:
    assert detector.detect(drawn("BAKERY")).verdict == "none"


def test_a_plate_that_is_hard_to_read_is_for_a_person_to_look_at() -> None:
    strict = PlateDetector(PlateOptions(working=0.999, low=0.4))
    assert strict.detect(drawn("AB12 CDE")).verdict == "unsure"


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match="low must be at most working"):
        PlateOptions(working=0.5, low=0.6)
