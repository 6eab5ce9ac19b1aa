import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.detect import FaceDetector
from pixelmine.detect import faces as module
from pixelmine.detect.merge import overlaps

COLLINS = np.array([179, 46, 269, 177.0])
"""Eileen Collins's face in scikit-image's `astronaut`, drawn by hand."""

uses_weights = pytest.mark.usefixtures("centerface")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    pixels: np.ndarray = data.astronaut()
    return pixels


def union(a: np.ndarray, b: np.ndarray) -> float:
    return float(overlaps(a, b[None])[0][0])


@uses_weights
def test_a_face_is_found_with_its_landmarks(astronaut: np.ndarray) -> None:
    found = FaceDetector().detect(astronaut)
    assert found.verdict == "found"
    (box,) = found.boxes
    assert union(COLLINS, found.edges[0]) > 0.7
    assert box.kind == "face"
    left, right, nose, mouth_left, mouth_right = box.points
    assert box.x0 < left[0] < nose[0] < right[0] < box.x1
    assert box.y0 < left[1] < nose[1] < mouth_left[1] < box.y1
    assert mouth_left[0] < mouth_right[0]


@uses_weights
def test_a_mirrored_picture_has_the_mirrored_face(astronaut: np.ndarray) -> None:
    (box,) = FaceDetector().detect(astronaut).boxes
    (mirrored,) = FaceDetector().detect(np.ascontiguousarray(astronaut[:, ::-1])).boxes
    assert mirrored.x0 == pytest.approx(512 - box.x1, abs=1)
    assert mirrored.points[0][0] == pytest.approx(512 - box.points[1][0], abs=1)


@uses_weights
def test_a_picture_has_the_same_boxes_whatever_came_before(astronaut: np.ndarray) -> None:
    pictures = [astronaut, astronaut[:200, 100:300], data.coffee(), astronaut[::2, ::2]]
    pictures += [np.tile(astronaut[:300], (1, 2, 1)), data.cat()]
    detector = FaceDetector()
    order = [detector.detect(pixels) for pixels in pictures]
    assert any(found.boxes for found in order)
    assert [detector.detect(pixels) for pixels in pictures[::-1]] == order[::-1]
    again = [FaceDetector().detect(pictures[k]) for k in (3, 0, 4, 1, 5, 2)]
    assert again == [order[k] for k in (3, 0, 4, 1, 5, 2)]


@uses_weights
def test_where_there_is_no_face_the_verdict_is_none() -> None:
    for pixels in (np.zeros((1, 1, 3), np.uint8), np.full((300, 900, 3), 200, np.uint8)):
        assert FaceDetector().detect(pixels).verdict == "none"


@uses_weights
def test_a_candidate_between_the_thresholds_is_for_a_person_to_look_at(
    astronaut: np.ndarray,
) -> None:
    (box,) = FaceDetector().detect(astronaut).boxes
    strict = FaceDetector(working=box.score + 0.01).detect(astronaut)
    assert strict.verdict == "unsure"
    assert strict.boxes == ()
    assert strict.unsure[0] == box


@uses_weights
def test_faces_of_a_large_picture_are_found_small_ones_and_one_larger_than_a_tile(
    astronaut: np.ndarray,
) -> None:
    import cv2

    face = astronaut[10:250, 110:340]
    pixels = np.full((1700, 1500, 3), 128, np.uint8)
    pixels[:1440, :1380] = cv2.resize(face, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(face, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    pixels[1560 : 1560 + len(small), 600 : 600 + small.shape[1]] = small
    true = COLLINS - [110, 10, 110, 10]
    large, little = true * 6, true * 0.4 + [600, 1560, 600, 1560]
    found = FaceDetector().detect(pixels).edges
    assert max(union(large, edges) for edges in found) > 0.5
    assert max(union(little, edges) for edges in found) > 0.5
    assert len(found) == 2


def test_a_face_on_the_border_of_tiles_is_one_box(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tiles see it where it lies in them; one says so, in the pixels of the picture."""
    face = np.array([590, 300, 650, 380.0])

    def see(pixels: np.ndarray, low: float, threads: int | None) -> np.ndarray:
        rows, columns = np.nonzero(pixels[:, :, 0])
        if not len(rows):
            return np.empty((0, 15))
        x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        return np.array([[x0, y0, x1, y1, 0.9, *[x0, y0] * 5]], float)

    monkeypatch.setattr(module, "look", see)
    pixels = np.zeros((700, 1200, 3), np.uint8)
    x0, y0, x1, y1 = face.astype(int)
    pixels[y0:y1, x0:x1] = 255
    found = FaceDetector().detect(pixels)
    assert len(found.boxes) == 1
    np.testing.assert_allclose(found.edges[0], face, atol=2)
    np.testing.assert_allclose(found.boxes[0].points, [face[:2]] * 5, atol=2)


def test_a_detector_is_a_description_that_travels_without_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = FaceDetector(working=0.6)
    again = pickle.loads(pickle.dumps(detector))
    assert again == detector
    assert len(pickle.dumps(detector)) < 500


def test_without_weights_the_command_is_said(tmp_path: Path) -> None:
    code = (
        "import numpy as np\n"
        "from pixelmine.detect import FaceDetector\n"
        "FaceDetector().detect(np.zeros((9, 9, 3), np.uint8))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PIXELMINE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert "pixelmine models get centerface" in done.stderr.splitlines()[-1]
    assert ModelError.__name__ in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"uint8 \(H, W, 3\)"):
        FaceDetector().detect(pixels)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"working": 0.2, "low": 0.3}, "at most working"),
        ({"working": 1.0}, "between 0 and 1"),
        ({"side": 600}, "multiple of 160"),
        ({"side": 0}, "above 0"),
        ({"overlap": 500}, "at most 320"),
        ({"threads": 0}, "threads must be above 0"),
    ],
)
def test_options_are_checked_when_made(options: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        FaceDetector(**options)  # type: ignore[arg-type]  # as a user may give them
