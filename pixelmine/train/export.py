"""A Keras network to a model bundle. N pictures of (H, W, C), K classes, D dimensions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import TrainError
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Input, Metric, Training
from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
from pixelmine.preprocess import Preprocessing

from .peel import Peeled
from .to_onnx import Answers, ask_keras, check_same, to_onnx

__all__ = ["About", "Exported", "export", "make_bundle", "weights_file"]


@dataclass(frozen=True, kw_only=True)
class About:
    """What a card says that the network itself does not know. `files`: beside `model.onnx`."""

    name: str
    description: str
    licence: str
    source: str
    labels: list[str]
    preprocessing: Preprocessing
    metrics: dict[str, Metric] = field(default_factory=dict)
    training: Training | None = None
    builder: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """The ONNX bytes, golden pictures with the answers of Keras, and its answers to the others."""

    onnx: bytes
    golden: list[GoldenPicture]
    answers: Answers


def export(peeled: Peeled, preprocessing: Preprocessing, pixels: Iterable[np.ndarray]) -> Exported:
    """Export a network, and check it on batches of (N, H, W, C) float32 and the golden pictures.

    The golden answers are Keras's, from the pictures' bytes on, so that a bundle's own check does
    not lean on what it checks. Raises TrainError where Keras and ONNX Runtime differ.
    """
    onnx = to_onnx(peeled.network)
    ready = {name: _prepare(name, preprocessing) for name in SHIPPED}
    check_same(peeled.network, onnx, ready.values())
    golden = []
    for name, picture in ready.items():
        answers = ask_keras(peeled.network, picture)
        data = golden_bytes(name)
        golden.append(GoldenPicture(name, data, answers.logits[0], answers.embedding[0]))
    return Exported(onnx, golden, check_same(peeled.network, onnx, pixels))


def make_bundle(peeled: Peeled, exported: Exported, about: About) -> Bundle:
    """Put the bundle together and verify it. Raises ModelError."""
    _, height, width, channels = peeled.network.input_shape
    card = Card(
        name=about.name,
        description=about.description,
        licence=about.licence,
        source=about.source,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=Input(dtype="float32", height=height, width=width, channels=channels),
        embedding_dimensions=exported.golden[0].embedding.size,
        labels=about.labels,
        preprocessing=about.preprocessing.to_card(),
        metrics=about.metrics,
        training=about.training,
        builder=about.builder,
        files={},
    )
    return Bundle.make(card, {"model.onnx": exported.onnx, **about.files}, exported.golden)


def weights_file(network: Any) -> bytes:
    """`weights.safetensors`: each weight under its position and path, `003.network/layer/name`.

    A network of the same builder takes them by position, with `set_weights`.
    """
    data: bytes = to_safetensors(
        {
            f"{index:03d}.{variable.path}": np.asarray(variable.numpy(), order="C")
            for index, variable in enumerate(network.weights)
        }
    )
    return data


def _prepare(name: str, preprocessing: Preprocessing) -> np.ndarray:
    """One golden picture, (1, H, W, C) float32."""
    pixels = preprocessing.prepare(golden_bytes(name), Limits())
    if isinstance(pixels, Reason):
        raise TrainError(f"The golden picture {name} cannot be prepared: {pixels.meaning}")
    return pixels[None]
