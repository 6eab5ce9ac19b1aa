"""The figures of each epoch as TensorBoard reads them: event files, without its package."""

import time
from pathlib import Path

import tensorflow

from pixelmine.core.errors import OutputError

from .history import Epoch

__all__ = ["write_epoch"]


def write_epoch(folder: Path, number: int, epoch: Epoch) -> None:
    """Write the figures of epoch `number`, from 0, under the names that Keras's callback gives.

    Into `train/` and `validation/`, one file each for an epoch, named after it: an epoch that is
    run again after a stop takes the place of the one that was lost. Raises OutputError.
    """
    parts = {
        "train": {"epoch_loss": epoch.loss, "epoch_accuracy": epoch.accuracy},
        "validation": {
            "epoch_loss": epoch.held_back_loss,
            "epoch_accuracy": epoch.held_back_accuracy,
        },
    }
    for part, figures in parts.items():
        try:
            (folder / part).mkdir(parents=True, exist_ok=True)
            path = folder / part / f"events.out.tfevents.{number:010d}.epoch"
            _write(path, number, figures)
        except (OSError, tensorflow.errors.OpError) as error:
            raise OutputError(
                f"Cannot write TensorBoard's files into {folder}: {error}."
            ) from error


def _write(path: Path, number: int, figures: dict[str, float]) -> None:
    v1 = tensorflow.compat.v1
    values = [v1.Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
    now = time.time()
    events = [
        v1.Event(wall_time=now, file_version="brain.Event:2"),
        v1.Event(wall_time=now, step=number, summary=v1.Summary(value=values)),
    ]
    with tensorflow.io.TFRecordWriter(str(path)) as file:
        for event in events:
            file.write(event.SerializeToString())
