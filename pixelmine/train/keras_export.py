"""The job `export`: a bundle's network, as a file that Keras loads."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import load as from_safetensors

from pixelmine.core import Limits, Reason
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import ModelError, OutputError, TrainError, UsageError
from pixelmine.models import Bundle, load_bundle
from pixelmine.models.steps_text import steps_text
from pixelmine.preprocess import Preprocessing

from .events import Events

__all__ = ["export_keras"]


def export_keras(model: str, out: str, events: Events) -> None:
    """Build the network that the card names, give it the bundle's weights, and save it.

    `model`: a bundle or a model's name. `out`: a path that ends in `.keras`. The golden pictures
    must come out as the bundle says, or nothing is written. The last event is `done`. Raises
    UsageError for a bundle without weights, TrainError where they do not fit, OutputError.
    """
    start = time.monotonic()
    path = Path(out)
    if path.suffix != ".keras":
        raise UsageError(f"--out must end in .keras, as Keras wants it. Got {path.name!r} instead.")
    bundle = load_bundle(model)
    card = bundle.card
    if card.builder is None or "weights.safetensors" not in bundle.files:
        raise UsageError(
            f"{card.name} cannot become a Keras file: only a bundle with weights.safetensors and "
            "the name of its network's builder can, as training a network writes it."
        )
    events.start("export")
    network = _build(bundle, card.builder)
    _check(bundle, network)
    _save(network, path)
    events.finish()
    for step in _needed(bundle):
        events.note(step)
    parameters = int(network.count_params())
    seconds = round(time.monotonic() - start, 1)
    events.send(
        "done",
        model=card.name,
        digest=card.digest,
        out=str(path.absolute()),
        format="keras",
        precision="f32",
        parameters=parameters,
        seconds=seconds,
    )


def _build(bundle: Bundle, builder: str) -> Any:
    from .backend import check_backend
    from .networks import built, for_task

    check_backend()
    height, width, channels = bundle.card.input.shape
    network = built(builder, height, width, channels, len(bundle.card.labels))
    network = for_task(network, bundle.card.task)
    weights = from_safetensors(bundle.files["weights.safetensors"])
    try:
        network.set_weights([weights[name] for name in sorted(weights)])
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise TrainError(
            f"The weights of {bundle.card.name} are not those of a {builder}: {first}"
        ) from error
    return network


def _check(bundle: Bundle, network: Any) -> None:
    """Raise TrainError where the network does not answer as the bundle does."""
    from .peel import peel
    from .to_onnx import ask_keras

    peeled = peel(network, several=bundle.card.task == "multi").network
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    for picture in bundle.golden:
        pixels = steps.prepare(picture.data, Limits())
        if isinstance(pixels, Reason):
            raise TrainError(f"The golden picture {picture.name} cannot be prepared.")
        found = ask_keras(peeled, pixels[None].astype(np.float32))
        try:
            picture.compare(found.logits[0], found.embedding[0], "f32")
        except ModelError as error:
            raise TrainError(
                f"The Keras network does not answer as {bundle.card.name} does: {error} Nothing "
                "was written."
            ) from error


def _save(network: Any, path: Path) -> None:
    try:
        with TemporaryDirectory(prefix="pixelmine-") as folder:
            saved = Path(folder) / "network.keras"
            network.save(saved)
            with replace_file(path) as temporary:
                temporary.write_bytes(saved.read_bytes())
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}.") from error


def _needed(bundle: Bundle) -> list[str]:
    """What a Keras file does not carry."""
    steps = steps_text(bundle.card.preprocessing)
    notes = ["The file holds the network alone. What a picture must go through before it:"]
    notes += [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    if bundle.card.calibration.method != "none":
        notes.append("Its probabilities are those before calibration.")
    return notes
