"""Golden answers of what was not trained by Keras."""

from collections.abc import Callable, Mapping

import numpy as np
import onnxruntime

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import TrainError
from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
from pixelmine.preprocess import Preprocessing

__all__ = ["TOLERANCE", "golden_answers", "golden_pixels"]

TOLERANCE = 1e-3
"""Largest difference of a logit, in units of the largest where that is above 1, between the
trainer, which computes in float64 in part, and the exported float32 network."""

_BATCH = 256


def golden_pixels(preprocessing: Preprocessing) -> dict[str, np.ndarray]:
    """The shipped pictures, uint8 (H, W, C), before they are normalised."""
    found = {name: preprocessing.prepare_uint8(golden_bytes(name), Limits()) for name in SHIPPED}
    for name, pixels in found.items():
        if isinstance(pixels, Reason):
            raise TrainError(f"The golden picture {name} cannot be prepared: {pixels.meaning}")
    return {name: np.asarray(pixels) for name, pixels in found.items()}


def golden_answers(
    onnx: bytes,
    ask: Callable[[np.ndarray], np.ndarray],
    golden: Mapping[str, np.ndarray],
    inputs: np.ndarray,
) -> tuple[list[GoldenPicture], np.ndarray]:
    """The golden pictures with the trainer's logits, and the embedding (N, D) of `inputs`.

    `ask`: the trainer's own answers to what the network takes. `golden`: one input each, by name.
    Raises TrainError where the exported network answers differently, to these or to the first of
    `inputs`.
    """
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, embedding = session.run(["logits", "embedding"], {name: batch})
        return logits, embedding

    pictures = []
    for picture, taken in golden.items():
        logits, embedding = run(taken)
        wanted = ask(taken)
        _compare(wanted, logits)
        pictures.append(GoldenPicture(picture, golden_bytes(picture), wanted[0], embedding[0]))
    first = inputs[:_BATCH]
    _compare(ask(first), run(first)[0])
    batches = [run(inputs[at : at + _BATCH])[1] for at in range(0, len(inputs), _BATCH)]
    return pictures, np.concatenate(batches)


def _compare(wanted: np.ndarray, found: np.ndarray) -> None:
    difference = float(np.abs(wanted - found).max())
    allowed = TOLERANCE * max(1.0, float(np.abs(wanted).max()))
    if not difference <= allowed:
        raise TrainError(
            f"The exported network is not the fitted one: logits differ by {difference:.2g} "
            f"(allowed {allowed:.2g}) on ONNX Runtime. Nothing was written."
        )
