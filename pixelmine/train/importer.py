"""The job `import`: a network that Keras saved, to a bundle."""

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pixelmine.core.errors import TrainError, UsageError
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Input
from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize

from .confine import confine
from .events import Events
from .guard import guarded_copy, read_model
from .jobs import ImportJob

__all__ = ["import_network", "read_labels"]

_OWN_SCALING = {"Rescaling", "Normalization"}
_EXAMPLES = 64
_MAX_LABELS_BYTES = 16 * 2**20


def import_network(job: ImportJob, events: Events) -> None:
    """Run the job; its last event is `done`.

    The file is checked before Keras is loaded, and this process's limits are lowered before that.
    """
    start = time.monotonic()
    labels = read_labels(job.labels)
    data = read_model(Path(job.model))
    events.start("check")
    confine()
    with TemporaryDirectory(prefix="pixelmine-import-") as folder:
        copy = guarded_copy(data, Path(folder))
        events.finish()
        events.start("load")
        network = _load(copy)
        events.finish()
    _check_fit(network, labels)
    preprocessing = _preprocessing(network, job, events)
    events.start("export")
    done = _export(network, preprocessing, labels, job, hashlib.sha256(data).hexdigest())
    events.finish()
    events.note(f"The logits are {done.pop('logits')} of the network.")
    events.send("done", **done, seconds=round(time.monotonic() - start, 1))


def read_labels(labels: list[str] | str) -> list[str]:
    """Names in the order of the outputs: as given, or one a line of a UTF-8 text file."""
    if isinstance(labels, str):
        try:
            with Path(labels).open("rb") as file:
                text = file.read(_MAX_LABELS_BYTES).decode("utf-8-sig")
        except OSError as error:
            raise UsageError(f"{labels} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{labels} must be UTF-8 text, one label a line.") from error
        labels = text.splitlines()
    names = [name.strip() for name in labels if name.strip()]
    if len(names) < 2 or len(set(names)) != len(names):
        raise UsageError(
            f"labels must be at least 2 different names. Got {len(names)}, "
            f"{len(set(names))} of them different, instead."
        )
    return names


def _load(copy: Path) -> Any:
    import keras

    from .backend import check_backend

    check_backend()
    try:
        return keras.models.load_model(copy, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever a file provokes
        first = (str(error).splitlines() or [""])[0]
        raise TrainError(
            f"Keras {keras.__version__} cannot load the network: {type(error).__name__}: {first}"
        ) from error


def _check_fit(network: Any, labels: list[str]) -> None:
    """Raise TrainError for what no card can describe, UsageError where the labels do not fit."""
    if not network.built:
        raise TrainError(
            "The network was saved before it knew the size of its pictures. Give it an Input layer "
            "or train it, save it again, and import that file."
        )
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise TrainError(
            f"A network must have one input and one output. This one has {len(network.inputs)} "
            f"and {len(network.outputs)}."
        )
    taken, given = tuple(network.inputs[0].shape), tuple(network.outputs[0].shape)
    if len(taken) != 4 or None in taken[1:3] or taken[3] not in (1, 3):
        raise TrainError(
            "A network must take pictures of one size, (N, height, width, 1 or 3). "
            f"This one takes {taken}."
        )
    if len(given) != 2:
        raise TrainError(f"A network must give one number a class, (N, K). This one gives {given}.")
    if given[1] != len(labels):
        raise UsageError(
            f"The network tells {given[1]} classes apart, and there are {len(labels)} labels. "
            "Give one for each, in the order of its outputs."
        )
    policies = {layer.compute_dtype for layer in network.layers}
    if policies != {"float32"}:
        raise TrainError(
            f"The network computes in {', '.join(sorted(policies))}. Build it under the policy "
            "float32, take over the weights, save that, and import it."
        )


def _preprocessing(network: Any, job: ImportJob, events: Events) -> Preprocessing:
    _, height, width, channels = network.inputs[0].shape
    own = _classes(network) & _OWN_SCALING
    mean = 0.0 if job.mean is None else job.mean
    std = (1.0 if own else 255.0) if job.std is None else job.std
    for name, value in (("mean", mean), ("std", std)):
        if isinstance(value, list) and len(value) != channels:
            raise UsageError(f"{name} must be one value or {channels}. Got {len(value)} instead.")
    why = f", since the network has its own {' and '.join(sorted(own))}" if own else ""
    chosen = f" (by default{why})" if None in (job.mean, job.std) else ""
    events.note(
        f"A pixel p, from 0 to 255, becomes (p - {_said(mean)}) / {_said(std)}{chosen}. That must "
        "be what the network was trained on: where it is not, import again with --mean and --std."
    )
    return Preprocessing(
        decode=DecodeOptions(colour="grey" if channels == 1 else "rgb"),
        steps=(
            Resize(height=height, width=width),
            Normalise(mean=_number(mean), std=_number(std)),
        ),
    )


def _said(value: float | list[float]) -> str:
    return str(value) if isinstance(value, list) else f"{value:g}"


def _number(value: float | list[float]) -> float | tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, list) else float(value)


def _classes(network: Any) -> set[str]:
    """The class names of all layers, however deep."""
    found = set()
    for layer in network.layers:
        found |= {type(layer).__name__} | (_classes(layer) if hasattr(layer, "layers") else set())
    return found


def _export(
    network: Any, preprocessing: Preprocessing, labels: list[str], job: ImportJob, sha256: str
) -> dict[str, Any]:
    """Write the bundle; what to say of it."""
    from .export import export
    from .peel import peel

    peeled = peel(network)
    height, width, channels = network.inputs[0].shape[1:]
    noise = _random_pictures((height, width, channels), preprocessing)
    exported = export(peeled, preprocessing, noise)
    card = Card(
        name=job.name or Path(job.out).stem,
        description=f"Imported from {Path(job.model).name}, a network saved by Keras.",
        licence="as the imported network's",
        source=f"{Path(job.model).name}, SHA-256 {sha256}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=Input(dtype="float32", height=height, width=width, channels=channels),
        embedding_dimensions=exported.golden[0].embedding.size,
        labels=labels,
        preprocessing=preprocessing.to_card(),
        files={},
    )
    bundle = Bundle.make(card, {"model.onnx": exported.onnx}, exported.golden)
    bundle.save(Path(job.out))
    return {
        "bundle": str(Path(job.out).absolute()),
        "digest": bundle.card.digest,
        "labels": labels,
        "parameters": int(network.count_params()),
        "logits": peeled.how,
        "mean": preprocessing.to_card()["steps"][-1]["mean"],
        "std": preprocessing.to_card()["steps"][-1]["std"],
    }


def _random_pictures(shape: tuple[int, ...], preprocessing: Preprocessing) -> Iterator[np.ndarray]:
    """Noise of every brightness: what a network does with it has no reason to agree by chance."""
    pixels = np.random.default_rng(0).integers(0, 256, (_EXAMPLES, *shape), np.uint8)
    yield np.stack([preprocessing(picture) for picture in pixels])
