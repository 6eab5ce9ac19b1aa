"""The networks that find and read text, out of their installed package.

They are PP-OCRv6 (small), converted to ONNX, in the package `rapidocr`; both are under Apache-2.0.
Only its files are read: the package itself, which can fetch other models, is never imported.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import openvino as ov

from pixelmine.core.errors import ModelError
from pixelmine.core.processors import processors

from .open_session import open_session

__all__ = ["FindingNetwork", "ReadingNetwork"]

_PACKAGE = "rapidocr"


@dataclass(frozen=True)
class _Packaged:
    """A file of the package, and the SHA-256 it was checked with."""

    path: str
    sha256: str

    def read(self) -> bytes:
        """Raise ModelError where the package is missing, or its file is another one."""
        try:
            found = Path(str(distribution(_PACKAGE).locate_file(self.path)))
        except PackageNotFoundError as error:
            raise ModelError(
                "Finding text and plates needs the networks that come with the package "
                f"{_PACKAGE}, which is not installed: pip install 'pixelmine[text]'."
            ) from error
        data = found.read_bytes() if found.is_file() else b""
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ModelError(
                f"{self.path} is not the file that was checked (SHA-256 {self.sha256}); it is not "
                "loaded. Install the version that fits: pip install --force-reinstall "
                "'pixelmine[text]'."
            )
        return data


_FINDS = _Packaged(
    "rapidocr/models/PP-OCRv6_det_small.onnx",
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
)

_READS = _Packaged(
    "rapidocr/models/PP-OCRv6_rec_small.onnx",
    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
)


class FindingNetwork:
    """Where there is text, on OpenVINO in float32: it needs a third of ONNX Runtime's time for it.

    `threads`: None for all processors of this process. Any number of threads may call `run`. Raises
    ModelError.
    """

    def __init__(self, threads: int | None = None) -> None:
        core = ov.Core()
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads or processors(),
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }
        try:
            self._model = core.compile_model(core.read_model(_FINDS.read()), "CPU", settings)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[-1]
            raise ModelError(f"OpenVINO cannot load {_FINDS.path}: {first}.") from error

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Probability of text, float32 (H, W), of uint8 (H, W, 3) RGB, sides multiples of 32."""
        found = self._model.create_infer_request().infer([_prepared(pixels)])
        probability: np.ndarray = found[0][0, 0]
        return probability


class ReadingNetwork:
    """What a line says, on ONNX Runtime in float32: as fast, and lines of a new width cost no more.

    `threads`: None for all processors of this process. Any number of threads may call `run`. Raises
    ModelError.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._session = open_session(_READS.read(), threads, _READS.path)
        self._input = self._session.get_inputs()[0].name
        said = self._session.get_modelmeta().custom_metadata_map
        self.characters: list[str] = ["", *said["character"].split("\n"), " "]
        """Of each column of what `run` gives; the first is the blank of CTC."""

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Probability of each character, float32 (T, 18710), of uint8 (48, W, 3) RGB."""
        probability: np.ndarray = self._session.run(None, {self._input: _prepared(pixels)})[0][0]
        return probability


def _prepared(pixels: np.ndarray) -> np.ndarray:
    """As both were trained: (1, 3, H, W), BGR, from -1 to 1."""
    scaled = pixels[..., ::-1].astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))[None]
