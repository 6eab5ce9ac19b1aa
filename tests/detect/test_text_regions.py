import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.detect.text_regions import Region, cut_out, regions_of


def rectangle(width: float, height: float, angle: float) -> np.ndarray:
    """Corners of one around (200, 200): upper left, upper right, lower right, lower left."""
    turn = np.radians(angle)
    along = np.array([np.cos(turn), np.sin(turn)]) * width / 2
    across = np.array([-np.sin(turn), np.cos(turn)]) * height / 2
    centre = np.array([200.0, 200.0])
    return np.array([centre - along - across, centre + along - across, centre + along + across,
                     centre - along + across])  # fmt: skip


def filled(corners: np.ndarray, value: int = 255) -> np.ndarray:
    drawn = np.zeros((400, 400), np.uint8)
    cv2.fillPoly(drawn, corners.round().astype(np.int32)[None], value)
    return drawn


def test_a_marked_line_gets_its_edges_back() -> None:
    probability = np.zeros((100, 200), np.uint8)
    probability[40:60, 50:150] = 255
    (line,) = regions_of(probability, 0.5)
    grown = 100 * 20 * 0.8 / 240  # area x ratio / perimeter, on each side
    x0, y0, x1, y1 = next(iter(line.boxes("text"))).edges
    assert (x0, y0) == pytest.approx((50 - grown, 40 - grown), abs=1.5)
    assert (x1, y1) == pytest.approx((150 + grown, 60 + grown), abs=1.5)
    assert line.score > 0.9


def test_the_score_is_the_mean_inside_and_low_ones_are_left_out() -> None:
    probability = filled(rectangle(100, 20, 0), 150)
    (line,) = regions_of(probability, 0.5)
    assert line.score == pytest.approx(150 / 255, abs=0.05)  # its box is a pixel wider
    assert regions_of(probability, 0.7) == []


def test_specks_are_no_lines() -> None:
    probability = np.zeros((50, 50), np.uint8)
    probability[20, 20] = 255
    assert regions_of(probability, 0.1) == []


@settings(max_examples=60, deadline=None)
@given(st.floats(20, 150), st.floats(8, 40), st.floats(-44, 44))
def test_boxes_cover_the_whole_of_a_slanted_line(width: float, height: float, angle: float) -> None:
    corners = rectangle(width, height, angle)
    covered = np.zeros((400, 400), bool)
    boxes = list(Region(corners=corners, score=0.9, text="A").boxes("text"))
    for box in boxes:
        x0, y0, x1, y1 = box.edges
        covered[
            int(np.floor(y0)) : int(np.ceil(y1)) + 1, int(np.floor(x0)) : int(np.ceil(x1)) + 1
        ] = 1
    assert covered[filled(corners) == 255].all()
    assert [box.text for box in boxes] == ["A", *[None] * (len(boxes) - 1)]
    assert {box.kind for box in boxes} == {"text"}


def test_boxes_of_a_slanted_line_cover_little_else() -> None:
    corners = rectangle(200, 20, 20)
    covered = np.zeros((400, 400), bool)
    for box in Region(corners=corners, score=0.9).boxes("text"):
        x0, y0, x1, y1 = map(round, box.edges)
        covered[y0:y1, x0:x1] = True
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    assert covered.sum() < 2 * 200 * 20 < (x1 - x0) * (y1 - y0) / 3 * 1.5


@pytest.mark.parametrize("angle", [0, 90])
def test_a_level_or_upright_line_is_one_box(angle: float) -> None:
    assert len(list(Region(corners=rectangle(200, 20, angle), score=0.9).boxes("text"))) == 1


def test_a_slanted_line_is_cut_out_level() -> None:
    corners = rectangle(100, 20, 30)
    picture = np.repeat(filled(corners)[..., None], 3, axis=2)
    line = cut_out(picture, Region(corners=corners, score=0.9))
    assert line.shape == (28, 108, 3)  # a fifth of its height more on each side
    assert line[6:-6, 6:-6].min() == 255
    assert max(line[:2].max(), line[:, :2].max()) < 16


def test_an_upright_line_is_cut_out_level() -> None:
    corners = np.array([[100, 100], [120, 100], [120, 200], [100, 200]], np.float64)
    region = Region(corners=corners, score=0.9)
    assert cut_out(np.zeros((400, 400, 3), np.uint8), region).shape == (28, 108, 3)
    assert region.size == (100, 20)
