"""An 8-bit bundle of a model, and how well it agrees with the model that it was made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine import features
from pixelmine.classify import Head
from pixelmine.core import Limits, Reason
from pixelmine.core.checks import check_positive
from pixelmine.core.errors import ModelError, UsageError
from pixelmine.core.processors import processors
from pixelmine.core.progress import Progress
from pixelmine.evaluate.interval import Rate
from pixelmine.models import Bundle
from pixelmine.models.card import Metric
from pixelmine.models.golden import GoldenPicture
from pixelmine.models.quantise import quantise
from pixelmine.preprocess import Preprocessing
from pixelmine.runtime import Network, Outputs, open_network

from .drawn_pictures import Drawn, draw

__all__ = ["QuantiseOptions", "Quantised", "quantise_bundle"]

LEAST = 24
"""Pictures: fewer show neither what values come nor whether the answers are the same."""

_BATCH = 16


@dataclass(frozen=True, kw_only=True)
class QuantiseOptions:
    """How many pictures show the ranges, and what the result must come up to.

    `calibrate`: pictures that show the range of each value; a hundred or two do, and of a small
    source a third. `check`: other pictures of the source, on which both models answer; 1,000 give
    an interval of a percent or two. `agreement`: the least share of the same answers, 0 to 1.
    """

    calibrate: int = 200
    check: int = 1000
    agreement: float = 0.95

    def __post_init__(self) -> None:
        check_positive("calibrate", self.calibrate, at_most=10_000)
        check_positive("check", self.check, at_most=100_000)
        if not 0 <= self.agreement <= 1:
            raise UsageError(f"agreement must be from 0 to 1. Got {self.agreement:g} instead.")


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """An 8-bit bundle. `accuracy`, `accuracy_before`: None where the pictures have no labels."""

    bundle: Bundle
    calibrated: int
    agreement: Rate
    accuracy: Rate | None
    accuracy_before: Rate | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rates = ("agreement", "accuracy", "accuracy_before")
        found = {name: getattr(self, name) for name in rates}
        return {
            "calibrated": self.calibrated,
            **{name: rate.to_dict() if rate else None for name, rate in found.items()},
        }


def quantise_bundle(
    bundle: Bundle, pictures: str | Path, options: QuantiseOptions, progress: Progress
) -> Quantised:
    """Make an 8-bit bundle with pictures like those that it will see.

    `pictures`: a collection, an idx folder, or any other source; see `draw` for which are taken.
    Both models answer on ONNX Runtime in float32, the golden answers of the new one too. Raises
    ModelError where they agree too seldom, UsageError where there are too few pictures.
    """
    _check_kind(bundle)
    drawn = draw(bundle, pictures, options.calibrate + options.check, progress)
    if len(drawn) < LEAST:
        raise UsageError(
            f"Quantising needs {LEAST} different pictures at least, better "
            f"{options.calibrate + options.check}. {pictures} has {len(drawn)}."
        )
    calibrate = min(options.calibrate, len(drawn) // 3)
    shown, checked = drawn.part(0, calibrate), drawn.part(calibrate)
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    progress.start("quantise")
    network = quantise(bundle.files["model.onnx"], _batches(shown.pixels, steps))
    progress.finish()
    before, after = _open(bundle.files["model.onnx"]), _open(network)
    progress.start("compare", len(checked))
    answers = [_logits(one, checked.pixels, steps) for one in (before, after)]
    progress.finish()
    agreement = _agreement(bundle, *answers)
    _check_agreement(agreement, options.agreement)
    rates = [_accuracy(bundle, logits, checked.labels) for logits in answers]
    name = Path(pictures).name
    card = _card(bundle, _metrics(bundle, agreement, rates, name), calibrate, name)
    made = Bundle.make(card, _files(bundle, network, shown), _golden(bundle, after, steps))
    return Quantised(
        bundle=made,
        calibrated=calibrate,
        agreement=agreement,
        accuracy=rates[1],
        accuracy_before=rates[0],
    )


def _check_kind(bundle: Bundle) -> None:
    if bundle.card.features is not None:
        raise UsageError(
            f"{bundle.card.name} takes designed features: its network is small already, and only "
            "networks that take pixels are quantised."
        )
    if any(picture.precision == "int8" for picture in bundle.golden):
        raise UsageError(f"{bundle.card.name} is an 8-bit model already.")


def _check_agreement(found: Rate, least: float) -> None:
    if found.value < least:
        raise ModelError(
            f"The 8-bit network gives the same answer to {found.value:.3f} of {found.pictures:,} "
            f"pictures ({found.low:.3f} to {found.high:.3f}), and {least:g} is the least allowed. "
            "Give --pictures more like those that it will see, or allow less with --agreement."
        )


def _open(network: bytes) -> Network:
    return open_network(network, "onnxruntime", "f32", processors())


def _batches(pixels: np.ndarray, steps: Preprocessing) -> Iterator[np.ndarray]:
    for at in range(0, len(pixels), _BATCH):
        batch = steps.normalise(pixels[at : at + _BATCH])
        yield batch.reshape(-1, *batch.shape[-3:])


def _logits(network: Network, pixels: np.ndarray, steps: Preprocessing) -> np.ndarray:
    found = features.extract(pixels, network, steps.normalise, steps.views)
    return found.logits if found else np.empty((0, 0), np.float32)


def _agreement(bundle: Bundle, before: np.ndarray, after: np.ndarray) -> Rate:
    """Of one label a picture, whether it is the same; of many, whether all are."""
    if bundle.card.task == "multi":
        head = Head.from_bundle(bundle)
        ones, others = (head.chosen(head.probabilities(logits)) for logits in (before, after))
        same = (ones == others).all(axis=1)
    else:
        same = before.argmax(axis=1) == after.argmax(axis=1)
    return Rate(hits=int(same.sum()), pictures=len(same))


def _accuracy(bundle: Bundle, logits: np.ndarray, labels: list[str | None]) -> Rate | None:
    """On those of the pictures that have one label, which the model knows."""
    number = {label: index for index, label in enumerate(bundle.card.labels)}
    known = [(row, number[name]) for row, name in enumerate(labels) if name in number]
    if not known or bundle.card.task == "multi":
        return None
    rows, truth = np.array(known).T
    return Rate(hits=int((logits[rows].argmax(axis=1) == truth).sum()), pictures=len(rows))


def _metrics(
    bundle: Bundle, agreement: Rate, rates: list[Rate | None], source: str
) -> dict[str, Metric]:
    """The model's own, said to be of before, and the new ones."""
    before = {f"{name}, before quantising": metric for name, metric in bundle.card.metrics.items()}
    found = {
        "agreement with the float32 network": agreement,
        "accuracy on drawn pictures": rates[1],
        "accuracy on drawn pictures, before quantising": rates[0],
    }
    where = f"pictures drawn from {source}, others than those that showed the ranges"
    return before | {name: _metric(rate, where) for name, rate in found.items() if rate}


def _metric(rate: Rate, where: str) -> Metric:
    return Metric(
        value=rate.value, low=rate.low, high=rate.high, pictures=rate.pictures, data=where
    )


def _card(bundle: Bundle, metrics: dict[str, Metric], calibrated: int, source: str) -> Any:
    card = bundle.card
    return card.model_copy(
        update={
            "name": f"{card.name}-int8",
            "description": (
                f"{card.description} Quantised to 8 bits, the ranges shown by {calibrated} "
                f"pictures of {source}."
            ),
            "source": f"{card.source}; of the bundle {card.digest}",
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "metrics": metrics,
            "builder": None,
            "files": {},
            "seal": "",
        }
    )


def _files(bundle: Bundle, network: bytes, shown: Drawn) -> dict[str, bytes]:
    """What the bundle holds beside; the pictures that showed the ranges count as seen."""
    left = ("model.onnx", "weights.safetensors", "seen.bin")
    kept = {
        name: data
        for name, data in bundle.files.items()
        if name not in left and not name.startswith("golden/")
    }
    new = np.frombuffer(Bundle.seen(shown.picture_ids), ">u8")
    old = np.frombuffer(bundle.files.get("seen.bin", b""), ">u8")
    seen = np.union1d(old, new).astype(">u8").tobytes()
    return {**kept, "model.onnx": network, "seen.bin": seen}


def _golden(bundle: Bundle, network: Network, steps: Preprocessing) -> Iterator[GoldenPicture]:
    """The same pictures, with the answers of the 8-bit network."""
    for picture in bundle.golden:
        pixels = steps.prepare_uint8(picture.data, Limits())
        if isinstance(pixels, Reason):
            raise ModelError(f"The golden picture {picture.name} cannot be prepared.")
        ready = steps.normalise(pixels)
        found: Outputs = network.run(ready if steps.views > 1 else ready[None])
        answer = (found.logits.mean(0), found.embedding.mean(0))
        yield GoldenPicture(picture.name, picture.data, *answer, precision="int8")
