"""Where in a picture a model sees a label.

A picture is uint8 (H, W, C); a map is float32 (H, W), 0 to 1. Where a network ends with F features
at h x w places whose mean goes through one linear layer, each place's part in the logit of the
label is known: B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning deep features for
discriminative localization", CVPR 2016. Of any other model it is measured, by hiding one place
after the other: M. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV
2014.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.runtime import Network

from .answer import Head

if TYPE_CHECKING:
    from onnx import GraphProto

__all__ = ["Explainable", "activation_map", "explain", "occlusion_map"]

_BATCH = 16
_PATCHES = 6
_SAME = 1e-3


class Explainable(Protocol):
    """A loaded model."""

    @property
    def network(self) -> Network:
        """Takes what `take` gives."""
        ...

    @property
    def head(self) -> Head:
        """Knows the labels."""
        ...

    def take(self, pixels: np.ndarray) -> np.ndarray:
        """One picture, uint8 (H, W, C) or its views (V, H, W, C), to (V, ...)."""
        ...


def explain(
    model: Explainable, pixels: np.ndarray, label: str, onnx: bytes | None = None
) -> np.ndarray:
    """Where a prepared picture shows the label to the model, (H, W); all 0 where nowhere.

    `pixels`: uint8 (H, W, C) as the preprocessing gives it before `normalise`; of several views
    (V, H, W, C) the last is explained, which of `FiveCrop` is the middle. `onnx`: the network's
    file, to look inside; without it places are hidden. Raises UsageError for a label that the model
    does not know.
    """
    if label not in model.head.labels:
        raise UsageError(f"The label must be one that the model knows. Got {label!r} instead.")
    index = model.head.labels.index(label)
    if onnx is not None and pixels.ndim == 3:
        found = activation_map(onnx, model.take(pixels), index)
        if found is not None:
            return _scaled(cv2.resize(found, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    return _scaled(occlusion_map(model, pixels, index))


def activation_map(onnx: bytes, inputs: np.ndarray, label: int) -> np.ndarray | None:
    """Each place's part in the logit of the label, float32 (h, w), any sign.

    `inputs`: (1, H, W, C) as the network takes it. Looked at is the output `activation`, (N, h, w,
    F), or without one what the network's last mean over places takes. None where the logits are not
    a linear layer of that mean, which is tried on the picture and changed copies.
    """
    import onnxruntime
    from onnx import load_model_from_string

    network = load_model_from_string(onnx)
    name, order = _last_places(network.graph)
    if not name:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(network.SerializeToString(), options)
    given = {session.get_inputs()[0].name: np.concatenate([inputs, *_changed(inputs)])}
    activation, logits = session.run([name, "logits"], given)
    if activation.ndim != 4:
        return None
    activation = activation.transpose(order)
    means = activation.mean(axis=(1, 2))
    for weights in _matrices(network.graph, means.shape[1], logits.shape[1]):
        bias = logits - means @ weights
        if np.ptp(bias, axis=0).max() <= _SAME * max(1.0, float(np.ptp(logits, axis=0).max())):
            return np.asarray(activation[0] @ weights[:, label], np.float32)
    return None


def occlusion_map(model: Explainable, pixels: np.ndarray, label: int) -> np.ndarray:
    """How much ln p(label) falls, in nats, where a place is hidden: the mean over what hides it.

    Patches of a sixth of the picture, half over each other, show a blurred copy: where nothing is,
    nothing changes. float32 (H, W), any sign. About 120 runs of the network.
    """
    view = pixels if pixels.ndim == 3 else pixels[-1]
    blurred = _blurred(view)
    places = list(_places(*view.shape[:2]))
    start = _log_odds(model, [pixels], label)[0]
    fall, times = np.zeros(view.shape[:2]), np.zeros(view.shape[:2])
    for at in range(0, len(places), _BATCH):
        some = places[at : at + _BATCH]
        hidden = [_hidden(pixels, blurred, place) for place in some]
        for place, value in zip(some, _log_odds(model, hidden, label), strict=True):
            fall[place] += start - value
            times[place] += 1
    spread = _side(*fall.shape) / 2
    return np.asarray(cv2.GaussianBlur(fall / times, (0, 0), spread), np.float32)


def _log_odds(model: Explainable, pictures: list[np.ndarray], label: int) -> np.ndarray:
    """Natural log of p(label) of each, before calibration, (n,) float64."""
    inputs = [model.take(picture) for picture in pictures]
    logits = model.network.run(np.concatenate(inputs)).logits.astype(np.float64)
    logits = logits.reshape(len(pictures), -1, logits.shape[1]).mean(axis=1)
    if model.head.task == "multi":
        logits = np.stack([np.zeros(len(logits)), logits[:, label]], axis=1)
        label = 1
    return np.asarray(logits[:, label] - np.logaddexp.reduce(logits, axis=1))


def _hidden(pixels: np.ndarray, blurred: np.ndarray, place: tuple[slice, slice]) -> np.ndarray:
    copy = pixels.copy()
    view = copy if copy.ndim == 3 else copy[-1]
    view[place] = blurred[place]
    return copy


def _places(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Patches that cover a picture."""
    side = _side(height, width)
    step = max(1, side // 2)
    for y in range(0, height - side + step, step):
        for x in range(0, width - side + step, step):
            yield slice(y, y + side), slice(x, x + side)


def _side(height: int, width: int) -> int:
    return max(1, round(min(height, width) / _PATCHES))


def _blurred(view: np.ndarray) -> np.ndarray:
    found = cv2.GaussianBlur(view, (0, 0), min(view.shape[:2]) / _PATCHES)
    return np.asarray(found if found.ndim == 3 else found[..., None])


def _changed(inputs: np.ndarray) -> list[np.ndarray]:
    """Other pictures, to see how the logits follow: at half the values, and cut off."""
    half = (inputs / 2).astype(inputs.dtype)
    cut = inputs.copy()
    cut[:, : inputs.shape[1] // 2] = 0
    return [half, cut]


def _last_places(graph: "GraphProto") -> tuple[str, tuple[int, ...]]:
    """The tensor before the last mean over places, made an output, and its axes' order as NHWC."""
    if "activation" in [output.name for output in graph.output]:
        return "activation", (0, 1, 2, 3)
    means = [node for node in graph.node if node.op_type in ("GlobalAveragePool", "ReduceMean")]
    if not means:
        return "", ()
    name = means[-1].input[0]
    graph.output.add().name = name
    return name, (0, 2, 3, 1) if means[-1].op_type == "GlobalAveragePool" else (0, 1, 2, 3)


def _matrices(graph: "GraphProto", rows: int, columns: int) -> Iterator[np.ndarray]:
    """The tensors that could be the last layer's weights, float32 (rows, columns)."""
    from onnx import numpy_helper

    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.shape == (rows, columns):
            yield value.astype(np.float32)
        if value.shape == (columns, rows):
            yield value.T.astype(np.float32)


def _scaled(values: np.ndarray) -> np.ndarray:
    """What speaks for the label, in parts of the most that does."""
    kept = np.maximum(values, 0)
    return np.asarray(kept / max(float(kept.max()), 1e-9), np.float32)
