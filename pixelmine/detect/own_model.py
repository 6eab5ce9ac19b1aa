"""A user's own detector: one ONNX file, and beside it a TOML file that says how to use it."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.models.onnx_check import MAX_BYTES, check_parts

from .box import Box, Found
from .open_session import open_session
from .own_description import Description

__all__ = ["OwnDetector"]

_MOST_ROWS = 200_000
"""Candidates of one picture: twenty times those of the largest detectors in common use."""

_MOST_KEPT = 2000
"""Candidates, best first, that are compared with each other: the cost grows with their square."""


class OwnDetector:
    """Finds what an ONNX network of the user's finds. `threads`: None for all processors.

    `path`: the ONNX file; its description has the same name with the ending .toml
    (`own_description`). The file is data from a stranger: read once, with ONNX's own operators and
    all tensors inside of it, or refused. Raises ModelError.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        beside = path.with_suffix(".toml")
        self.description = Description.parse(_read(beside), beside.name)
        data = _read(path)
        _check(data, path.name, self.description)
        self._session = open_session(data, threads, path.name)
        self._name = path.name
        self._input = self._session.get_inputs()[0].name
        self._output = self._one_output()

    def detect(self, pixels: np.ndarray) -> Found:
        """Boxes of the described kind in a picture, uint8 (H, W, 3) RGB, after orientation.

        Raises UsageError for other pixels, and ModelError where the network gives something else
        than its description says.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise UsageError(
                f"A detector takes uint8 pixels of shape (H, W, 3). Got {pixels.dtype} of shape "
                f"{pixels.shape} instead."
            )
        scale = self._scale(*pixels.shape[:2])
        try:
            given = self._session.run([self._output], {self._input: self._prepared(pixels, scale)})
        except Exception as error:  # its exceptions have no common base
            raise ModelError(f"{self._name} failed on a picture: {error}.") from error
        edges, scores = self._candidates(given[0])
        edges = edges / np.tile(scale, 2)
        output = self.description.output
        kept = _apart(edges, scores, output.overlap)
        boxes = [self._box(edges[index], float(scores[index])) for index in kept]
        return Found.split(boxes, working=output.working, low=output.low)

    def _one_output(self) -> str:
        names = [output.name for output in self._session.get_outputs()]
        asked = self.description.output.name
        if asked is None and len(names) == 1:
            return str(names[0])
        if asked is None or asked not in names:
            raise ModelError(
                f"{self._name} has the outputs {', '.join(names)}: output.name in its description "
                f"must be one of them. Got {asked!r} instead."
            )
        return asked

    def _scale(self, height: int, width: int) -> npt.NDArray[np.float64]:
        """Pixels of the input over pixels of the picture: x, y."""
        takes = self.description.input
        x, y = takes.width / width, takes.height / height
        return np.array([x, y] if takes.resize == "stretch" else [min(x, y)] * 2)

    def _prepared(self, pixels: np.ndarray, scale: npt.NDArray[np.float64]) -> np.ndarray:
        """What the network takes: the picture in the upper left corner, filled up below it."""
        takes = self.description.input
        height, width = pixels.shape[:2]
        size = (
            min(max(1, round(width * scale[0])), takes.width),
            min(max(1, round(height * scale[1])), takes.height),
        )
        way = cv2.INTER_AREA if min(scale) < 1 else cv2.INTER_LINEAR
        filled = np.full((takes.height, takes.width, 3), takes.fill, np.uint8)
        filled[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=way)
        batch: np.ndarray = filled
        if takes.dtype == "float32":
            batch = (filled - np.array(takes.mean, np.float32)) / np.array(
                takes.deviation, np.float32
            )
        if takes.colours == "bgr":
            batch = batch[..., ::-1]
        if takes.layout == "NCHW":
            batch = batch.transpose(2, 0, 1)
        return np.ascontiguousarray(batch[None])

    def _candidates(self, given: np.ndarray) -> tuple[npt.NDArray[np.float64], np.ndarray]:
        """Edges (N, 4), in pixels of the input, and scores (N,), with score `low` or more."""
        output, takes = self.description.output, self.description.input
        rows = given[0] if given.ndim == 3 and len(given) == 1 else given
        rows = rows.T if output.rows == "columns" else rows
        fewest = 6 if output.objectness else 5
        if rows.ndim != 2 or rows.shape[1] < fewest or len(rows) > _MOST_ROWS:
            shape = f"(1, N, {fewest}+)" if output.rows == "rows" else f"(1, {fewest}+, N)"
            raise ModelError(
                f"{self._name} must give {shape}, N at most {_MOST_ROWS}, as its description says. "
                f"Got {given.shape} instead."
            )
        rows = rows.astype(np.float64)
        scores = self._scores(rows)
        if not np.isfinite(rows).all() or scores.min(initial=0) < 0 or scores.max(initial=0) > 1:
            raise ModelError(
                f"{self._name} gives scores that are not from 0 to 1, or values that are not "
                "finite: its description says which columns are scores, and it may lack a sigmoid."
            )
        likely = np.flatnonzero(scores >= output.low)
        likely = likely[np.argsort(-scores[likely], kind="stable")][:_MOST_KEPT]
        edges = _edges(rows[likely, :4], output.box)
        if output.units == "fraction":
            edges = edges * np.tile([takes.width, takes.height], 2)
        whole = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        return edges[whole], scores[likely][whole]

    def _scores(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        output = self.description.output
        first = 5 if output.objectness else 4
        classes = rows[:, first:]
        if output.classes is not None:
            if max(output.classes) >= classes.shape[1]:
                raise ModelError(
                    f"{self._name} gives scores of {classes.shape[1]} classes: output.classes in "
                    f"its description must be below that. Got {output.classes} instead."
                )
            classes = classes[:, output.classes]
        best: npt.NDArray[np.float64] = classes.max(axis=1)
        return best * rows[:, 4] if output.objectness else best

    def _box(self, edges: npt.NDArray[np.float64], score: float) -> Box:
        x0, y0, x1, y1 = map(float, edges)
        return Box(kind=self.description.kind, x0=x0, y0=y0, x1=x1, y1=y1, score=score)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path} is larger than {MAX_BYTES} bytes.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no {path}. A detector is an ONNX file, and beside it a TOML file of the "
            "same name that says what it takes and gives."
        ) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error


def _check(data: bytes, name: str, description: Description) -> None:
    if description.sha256 not in (None, hashlib.sha256(data).hexdigest()):
        raise ModelError(
            f"{name} is not the file that its description names (SHA-256 {description.sha256})."
        )
    try:
        model = onnx.load_model_from_string(data)
        check_parts(model)
        onnx.checker.check_model(model)
    except ModelError as error:
        raise ModelError(str(error).replace("model.onnx", name, 1)) from error
    except Exception as error:  # protobuf and onnx raise whatever they like
        raise ModelError(f"{name} is not a valid ONNX model: {error}.") from error
    initial = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initial]
    takes = description.input
    dtype = onnx.TensorProto.FLOAT if takes.dtype == "float32" else onnx.TensorProto.UINT8
    fits = len(inputs) == 1 and inputs[0].type.tensor_type.elem_type == dtype
    if fits:
        sides = inputs[0].type.tensor_type.shape.dim
        fits = len(sides) == 4 and all(
            not side.HasField("dim_value") or side.dim_value in (0, wanted)
            for side, wanted in zip(sides, takes.shape, strict=True)
        )
    if not fits:
        raise ModelError(
            f"{name} must take one input, {takes.dtype} of shape {takes.shape}, as its description "
            "says; it takes another."
        )


def _edges(given: npt.NDArray[np.float64], form: str) -> npt.NDArray[np.float64]:
    """x0, y0, x1, y1 of each row."""
    if form == "xyxy":
        return given
    first, size = given[:, :2], given[:, 2:]
    if form == "cxcywh":
        first = first - size / 2
    return np.concatenate([first, first + size], axis=1)


def _apart(edges: npt.NDArray[np.float64], scores: np.ndarray, overlap: float) -> list[int]:
    """Of boxes, best first, those that share at most `overlap` (IoU) with each better one."""
    left = np.argsort(-scores, kind="stable")
    areas = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(edges[left, :2], edges[best, :2])
        high = np.minimum(edges[left, 2:], edges[best, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        left = left[shared <= overlap * (areas[left] + areas[best] - shared)]
    return kept
