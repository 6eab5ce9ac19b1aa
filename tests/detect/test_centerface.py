import numpy as np
import pytest

from pixelmine.detect import centerface
from pixelmine.detect.centerface import look

MAPS = (1, 2, 2, 10)


def maps(height: int, width: int) -> list[np.ndarray]:
    return [np.zeros((2, channels, height // 4, width // 4), np.float32) for channels in MAPS]


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What the network answers to 64 x 96 pixels; the second of its batch is the mirrored view."""
    found = maps(64, 96)
    monkeypatch.setattr(centerface, "run_weights", lambda name, pixels, threads: found)
    return found


def place(outputs: list[np.ndarray], view: int, row: int, column: int, score: float) -> None:
    heat, size, offset, points = (one[view] for one in outputs)
    heat[0, row, column] = score
    size[:, row, column] = np.log([5, 3])
    offset[:, row, column] = 0.25, -0.5
    points[:, row, column] = [0.4, 0.2, 0.4, 0.8, 0.6, 0.5, 0.8, 0.3, 0.8, 0.7]


PIXELS = np.zeros((64, 96, 3), np.uint8)


def test_a_place_is_read_as_the_paper_says(outputs: list[np.ndarray]) -> None:
    place(outputs, 0, 7, 10, 0.9)
    (row,) = look(PIXELS, 0.5)
    # The middle: x = (10 - .5 + .5) * 4, y = (7 + .25 + .5) * 4; 12 wide and 20 high.
    np.testing.assert_allclose(row[:5], [34, 21, 46, 41, 0.9], rtol=1e-6)
    np.testing.assert_allclose(
        row[5:].reshape(5, 2),
        [[36.4, 29], [43.6, 29], [40, 33], [37.6, 37], [42.4, 37]],
        rtol=1e-6,
    )


def test_the_mirrored_view_is_turned_back(outputs: list[np.ndarray]) -> None:
    place(outputs, 1, 7, 10, 0.9)
    (row,) = look(PIXELS, 0.5)
    np.testing.assert_allclose(row[:5], [50, 21, 62, 41, 0.9], rtol=1e-6)
    left, right, nose, mouth_left, mouth_right = row[5:].reshape(5, 2)
    assert left[0] < nose[0] < right[0]
    assert mouth_left[0] < mouth_right[0]
    np.testing.assert_allclose(left, [96 - 43.6, 29], rtol=1e-6)


def test_of_neighbouring_places_the_best_is_taken(outputs: list[np.ndarray]) -> None:
    place(outputs, 0, 7, 10, 0.9)
    place(outputs, 0, 8, 11, 0.8)
    place(outputs, 0, 7, 12, 0.7)
    assert look(PIXELS, 0.5)[:, 4] == pytest.approx([0.9])
    place(outputs, 0, 2, 2, 0.4)
    assert look(PIXELS, 0.4)[:, 4] == pytest.approx([0.9, 0.4])


def test_a_crowd_has_an_end(outputs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centerface, "_MOST", 3)
    for k in range(8):
        place(outputs, 0, 2, 2 * k, 0.5 + k / 100)
    assert look(PIXELS, 0.5)[:, 4] == pytest.approx([0.57, 0.56, 0.55])
