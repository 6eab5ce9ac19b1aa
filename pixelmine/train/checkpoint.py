"""The state of a training between two epochs: one safetensors file, whole or not there at all.

network/000...      every variable of the network, in the network's order
optimizer/000...    every variable of the optimizer, its step count among them
best/000...         the network's variables after the best epoch so far
metadata            the job's digest, and the history as JSON
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError, RunError

from .history import History

__all__ = ["Checkpoint", "forget", "load", "save"]

_NAME = "checkpoint.safetensors"
_GROUPS = ("network", "optimizer", "best")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything a training needs to go on as if it had never stopped."""

    job: str
    history: History
    network: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint in place of the one before. Raises OutputError."""
    tensors = {
        f"{group}/{index:03d}": np.asarray(array, order="C")
        for group in _GROUPS
        for index, array in enumerate(getattr(checkpoint, group))
    }
    about = {"job": checkpoint.job, "history": json.dumps(checkpoint.history.columns())}
    try:
        with replace_file(folder / _NAME) as temporary:
            save_file(tensors, temporary, about)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"Cannot write the checkpoint {folder / _NAME}: {error}.") from error


def load(folder: Path, job: str, overwrite: bool) -> Checkpoint | None:
    """The checkpoint of this job; None where there is none.

    One of another job raises RunError; with `overwrite` it is passed over, and lost at the next
    `save`.
    """
    path = folder / _NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="np") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        history = History.from_columns(json.loads(about["history"]))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"The checkpoint {path} cannot be read: {error}. Delete it.") from error
    if about["job"] != job:
        if overwrite:
            return None
        raise RunError(
            f"{path} belongs to a training with other pictures or options. Run that command again "
            "to go on with it, or give --overwrite to begin anew."
        )
    groups = {g: [t for n, t in tensors.items() if n.startswith(f"{g}/")] for g in _GROUPS}
    return Checkpoint(job=job, history=history, **groups)


def forget(folder: Path) -> None:
    """Delete the checkpoint, those of its phases, and their folders if nothing else is in them."""
    for phase in folder.glob("phase*"):
        forget(phase)
    (folder / _NAME).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
