"""Who a face is, as 128 numbers: two pictures of one person are near each other.

Used to try whether a masked face can still be recognised, and to compare faces where the user asked
for it. An embedding of a face is biometric data: keep it as carefully as the picture.
"""

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.models.weights.dlib_face import DIMENSIONS, SIDE

from .box import Box
from .session import run_weights

__all__ = ["SAME_PERSON", "align_face", "embed_faces", "face_distance"]

SAME_PERSON = 0.6
"""Distance below which two faces are taken for one person.

dlib's own, at which the network was right for 99.38 % of the pairs of Labeled Faces in the Wild
(dlib, `dnn_face_recognition_ex.cpp`, 2017). The weights here are the same in 8 bits.
"""

_PADDING = 0.25
"""Of the face, on each side: what dlib's `get_face_chip_details` gave the network in training."""

_POINTS = (
    (0.225492, 0.215990),
    (0.754761, 0.215990),
    (0.490127, 0.515625),
    (0.254149, 0.780233),
    (0.726104, 0.780233),
)
"""Eyes, nose and corners of the mouth of dlib's mean face (`interpolation.h`), in a square of 1.

The middle of an eye is the mean of its six points.
"""


def embed_faces(pixels: np.ndarray, boxes: "tuple[Box, ...] | list[Box]") -> np.ndarray:
    """Embed the faces of uint8 (H, W, 3), RGB. Returns float32 (N, 128), one row a box, in order.

    Raises ModelError where the weights `dlib-face` are not on this machine.
    """
    found = [run_weights("dlib-face", align_face(pixels, box)[None])[0][0] for box in boxes]
    return np.array(found, np.float32).reshape(-1, DIMENSIONS)


def face_distance(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Euclidean distances of (128,) to (N, 128): below SAME_PERSON it is probably one person."""
    distances: np.ndarray = np.linalg.norm(many - one, axis=-1)
    return distances


def align_face(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Cut a face out, turned upright and resized: uint8 (150, 150, 3).

    By its five landmarks, moved onto those of dlib's mean face by the similarity that fits best; of
    a box without landmarks its square is taken. What lies outside of the picture is black. Raises
    UsageError for a box with another number of landmarks.
    """
    import cv2

    if len(box.points) not in (0, 5):
        raise UsageError(f"A face has five landmarks or none. Got {len(box.points)} instead.")
    places = (np.array(_POINTS) + _PADDING) / (1 + 2 * _PADDING) * SIDE
    matrix = _similarity(np.array(box.points), places) if box.points else _square(box)
    shrinks = np.hypot(matrix[0, 0], matrix[1, 0])
    if shrinks < 0.5:  # many pixels become one: average them first
        small = cv2.resize(
            pixels, None, fx=2 * shrinks, fy=2 * shrinks, interpolation=cv2.INTER_AREA
        )
        ratio = np.array([small.shape[1] / pixels.shape[1], small.shape[0] / pixels.shape[0]])
        pixels, matrix = small, np.column_stack([matrix[:, :2] / ratio, matrix[:, 2]])
    face: np.ndarray = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return face


def _similarity(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The least-squares turn, scale and shift of (N, 2) points onto places, as (2, 3).

    Umeyama, IEEE PAMI 13(4), 1991, without mirroring; in the plane it is a product of complex
    numbers.
    """
    z, w = points @ (1, 1j), places @ (1, 1j)
    middle, goal = z.mean(), w.mean()
    factor = np.vdot(z - middle, w - goal) / max(np.vdot(z - middle, z - middle).real, 1e-9)
    shift = goal - factor * middle
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def _square(box: Box) -> np.ndarray:
    """The box's square, as large as its longer side, grown by the padding."""
    side = max(box.x1 - box.x0, box.y1 - box.y0) * (1 + _PADDING)
    scale = SIDE / side
    x, y = (box.x0 + box.x1 - side) / 2, (box.y0 + box.y1 - side) / 2
    return np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
