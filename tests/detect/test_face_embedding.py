from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from pixelmine.core.errors import UsageError
from pixelmine.detect import Box, FaceDetector
from pixelmine.detect.face_embedding import (
    _POINTS,
    SAME_PERSON,
    align_face,
    embed_faces,
    face_distance,
)

uses_weights = pytest.mark.usefixtures("centerface", "dlib_face")


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    pixels: np.ndarray = data.astronaut()
    return pixels


@pytest.fixture(scope="module")
def hopper() -> np.ndarray:
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "mpl-data/sample_data/grace_hopper.jpg"
    return np.asarray(Image.open(path).convert("RGB"))


def embed(pixels: np.ndarray) -> np.ndarray:
    vector: np.ndarray = embed_faces(pixels, FaceDetector().detect(pixels).boxes[:1])[0]
    return vector


def changed(pixels: np.ndarray) -> dict[str, np.ndarray]:
    import cv2

    small = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    matrix = cv2.getRotationMatrix2D((225, 120), 20, 1)
    return {
        "mirrored": np.ascontiguousarray(pixels[:, ::-1]),
        "small": small,
        "dark": (pixels * 0.6).astype(np.uint8),
        "turned": cv2.warpAffine(pixels, matrix, pixels.shape[1::-1]),
    }


@uses_weights
def test_one_person_is_near_herself_and_far_from_another(
    astronaut: np.ndarray, hopper: np.ndarray
) -> None:
    collins = embed(astronaut)
    assert collins.dtype == np.float32
    assert collins.shape == (128,)
    others = np.array([embed(pixels) for pixels in changed(astronaut).values()])
    assert (face_distance(collins, others) < SAME_PERSON).all()
    assert face_distance(collins, embed(hopper)[None])[0] > SAME_PERSON


@uses_weights
def test_faces_are_embedded_one_by_one_in_order(astronaut: np.ndarray) -> None:
    (box,) = FaceDetector().detect(astronaut).boxes
    other = Box(kind="face", x0=300, y0=200, x1=400, y1=300, score=0.5)
    both = embed_faces(astronaut, [other, box])
    np.testing.assert_array_equal(both[1], embed_faces(astronaut, [box])[0])
    np.testing.assert_array_equal(both[0], embed_faces(astronaut, [other])[0])
    assert embed_faces(astronaut, []).shape == (0, 128)


def face_box(points: np.ndarray) -> Box:
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    pairs = tuple((float(x), float(y)) for x, y in points)
    return Box(kind="face", x0=x0, y0=y0, x1=x1, y1=y1, score=1, points=pairs)


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.5])
@pytest.mark.parametrize("scale", [40.0, 90.0, 300.0])
def test_landmarks_come_to_lie_where_the_network_expects_them(angle: float, scale: float) -> None:
    """A spot of light at each landmark, of any turn and size, shows in its place in the crop."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mean = np.array(_POINTS)
    points = (mean - mean.mean(0)) @ turn.T * scale + 500
    y, x = np.mgrid[:1000, :1000]
    for index, (px, py) in enumerate(points):
        spot = 255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (scale / 15) ** 2)
        pixels = np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2)
        face = align_face(pixels, face_box(points)).astype(float)[..., 0]
        rows, columns = np.mgrid[:150, :150]
        found = [(columns * face).sum() / face.sum(), (rows * face).sum() / face.sum()]
        np.testing.assert_allclose(found, (mean[index] + 0.25) / 1.5 * 150, atol=1.5)


def test_a_box_without_landmarks_is_cut_as_its_square() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[40:60, 30:70] = 255
    face = align_face(pixels, Box(kind="face", x0=30, y0=40, x1=70, y1=60, score=1))
    assert face.shape == (150, 150, 3)
    lit = np.nonzero(face[75, :, 0] > 127)[0]
    assert lit[0] == pytest.approx(15, abs=2)
    assert lit[-1] == pytest.approx(135, abs=2)


def test_many_pixels_that_become_one_are_averaged() -> None:
    pixels = np.zeros((1200, 1200, 3), np.uint8)
    pixels[:, ::2] = 255
    face = align_face(pixels, Box(kind="face", x0=200, y0=200, x1=1000, y1=1000, score=1))
    assert face.min() > 100
    assert face.max() < 155


def test_a_face_beyond_the_border_is_black_there() -> None:
    face = align_face(
        np.full((50, 50, 3), 200, np.uint8), Box(kind="face", x0=25, y0=0, x1=75, y1=50, score=1)
    )
    assert (face[75, :60] == 200).all()
    assert not face[75, 90:].any()


def test_another_number_of_landmarks_is_refused(astronaut: np.ndarray) -> None:
    box = Box(kind="face", x0=0, y0=0, x1=9, y1=9, score=1, points=((1, 1),))
    with pytest.raises(UsageError, match="five landmarks or none"):
        align_face(astronaut, box)
