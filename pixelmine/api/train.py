"""Training, and taking in trained networks: both in a child process that may load Keras."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from pixelmine.core import errors
from pixelmine.core.errors import SourceError, TrainError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.train.recipe import load_recipe

__all__ = ["Epoch", "export_keras", "import_model", "train_model"]

Epoch = Callable[[dict[str, Any]], None]
"""Takes what an epoch gave: `epoch`, `epochs`, `loss`, `accuracy`, `held_back_accuracy`, ..."""

_NEEDED = ("keras", "tensorflow", "tf2onnx", "h5py")
_NOT_INSTALLED = "Training needs Keras and TensorFlow: pip install 'pixelmine[train]'."


def train_model(
    source: str | Path,
    out: str | Path,
    *,
    recipe: str = "cnn-article",
    split: str | None = None,
    where: str | None = None,
    seed: int = 1,
    epochs: int | None = None,
    patience: int | None = None,
    minutes: float | None = None,
    overwrite: bool = False,
    allow_leaks: bool = False,
    coverage: float | None = None,
    error: float = 0.05,
    ood: float | None = None,
    tensorboard: str | Path | None = None,
    start_from: str | Path | None = None,
    multi_label: bool = False,
    balanced: bool = False,
    progress: Progress | None = None,
    on_epoch: Epoch | None = None,
) -> dict[str, Any]:
    """Train a recipe on a collection or an idx folder and write a bundle.

    `split`: `ID` or `ID:FOLD` of the collection. Part of the training pictures is held back to
    choose the epoch; the test part is never looked at. A split whose test pictures are in its
    training part too is refused, unless `allow_leaks`. Stopped or killed, the same call goes on
    from the last epoch. `coverage`: the share of the prediction sets that hold the truth. `error`:
    at most this share of what the model decides is wrong. `ood`: it does not decide on pictures
    odder than this share of the held-back ones. `tensorboard`: a folder for each epoch's figures.
    `start_from`: a bundle of the same recipe whose weights are gone on from; labels that it does
    not have are added. `multi_label`: a picture may have several labels, each decided on its own;
    else pictures with several are left out. `balanced`: every class counts the same, however few
    pictures it has. Returns what the last event said, with the `bundle`'s path. Raises TrainError
    and what else the child reports.
    """
    if not Path(source).exists():
        raise SourceError(f"There is no collection and no folder of idx files at {source}.")
    if load_recipe(recipe).keras:
        _check_installed()
    job = {
        "job": "train",
        "source": str(Path(source).absolute()),
        "out": str(Path(out).absolute()),
        "recipe": recipe,
        "split": split,
        "where": where,
        "seed": seed,
        "epochs": epochs,
        "patience": patience,
        "minutes": minutes,
        "overwrite": overwrite,
        "allow_leaks": allow_leaks,
        "coverage": coverage,
        "error": error,
        "ood": ood,
        "tensorboard": str(Path(tensorboard).absolute()) if tensorboard else None,
        "multi_label": multi_label,
        "balanced": balanced,
        "start": str(Path(start_from).absolute()) if start_from else None,
    }
    return _run(job, progress or SilentProgress(), on_epoch or (lambda _epoch: None))


def import_model(
    path: str | Path,
    out: str | Path,
    *,
    labels: str | Path | list[str],
    mean: float | list[float] | None = None,
    std: float | list[float] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Take in a network that Keras saved (.keras, .h5) as a bundle.

    The file is checked against an allow-list and opened in a guarded child process, never here and
    never when predicting. `labels`: names in the order of the outputs, or a text file with one a
    line. `mean`, `std`: what the network was trained with; a pixel p becomes (p - mean) / std.
    """
    _check_installed()
    job = {
        "job": "import",
        "model": str(Path(path).absolute()),
        "out": str(Path(out).absolute()),
        "labels": labels if isinstance(labels, list) else str(Path(labels).absolute()),
        "mean": mean,
        "std": std,
        "overwrite": overwrite,
    }
    return _run(job, progress or SilentProgress(), lambda _epoch: None)


def export_keras(
    model: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a bundle's network as a `.keras` file, in a child process that may load Keras.

    Only a bundle with `weights.safetensors` and its network's builder can be: one that a recipe
    with a network has made. Raises UsageError for another, TrainError.
    """
    _check_installed()
    job = {
        "job": "export-keras",
        "model": str(Path(model).absolute() if Path(model).exists() else model),
        "out": str(Path(out).absolute()),
        "overwrite": overwrite,
    }
    return _run(job, progress or SilentProgress(), lambda _epoch: None)


def _check_installed() -> None:
    if any(find_spec(name) is None for name in _NEEDED):
        raise TrainError(_NOT_INSTALLED)


def _run(job: dict[str, Any], progress: Progress, on_epoch: Epoch) -> dict[str, Any]:
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "pixelmine.train"],  # -P: nothing is imported from here
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,  # Ctrl-C reaches this process, which then asks the child to stop
    ) as child:
        noise = _Drain(child.stderr)
        try:
            return _follow(child, noise, job, progress, on_epoch)
        except BaseException:  # Ctrl-C too: the child is not left behind
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=20)
            raise
        finally:
            child.kill()
            child.wait()
            noise.text()
            progress.finish()


def _follow(
    child: "subprocess.Popen[bytes]",
    noise: "_Drain",
    job: dict[str, Any],
    progress: Progress,
    on_epoch: Epoch,
) -> dict[str, Any]:
    stdin, stdout = child.stdin, child.stdout
    if stdin is None or stdout is None:
        raise TrainError("The training process could not be started.")
    with suppress(BrokenPipeError):
        stdin.write(json.dumps(job).encode())
        stdin.close()
    done = 0
    for line in stdout:
        event = json.loads(line)
        match event.pop("event"):
            case "start":
                done = 0
                progress.start(event["phase"], event["total"])
            case "progress":
                progress.advance(event["done"] - done)
                done = event["done"]
            case "finish":
                progress.finish()
            case "epoch":
                on_epoch(event)
            case "note":
                progress.note(event["text"])
            case "error":
                _raise(event["kind"], event["message"])
            case "done":
                return dict(event)
    child.wait()
    _raise("TrainError", _why(child.returncode, noise.text()))


class _Drain:
    """Reads a pipe to its end in a thread, so that the child never waits for it."""

    _KEPT = 20_000

    def __init__(self, pipe: Any) -> None:
        from threading import Thread

        self._pipe, self._data = pipe, b""
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join(timeout=5)
        return self._data.decode("utf-8", "replace")

    def _read(self) -> None:
        for line in self._pipe:
            self._data = (self._data + line)[-self._KEPT :]


def _why(code: int, noise: str) -> str:
    last = (noise.strip().splitlines() or ["nothing was said"])[-1]
    if code < 0:
        name = signal.Signals(-code).name
        return f"The training process was ended by {name}; run the same command to go on."
    return f"The training process ended with code {code}: {last}"


def _raise(kind: str, message: str) -> NoReturn:
    if kind == "Interrupted":
        raise KeyboardInterrupt
    known = getattr(errors, kind, TrainError) if kind in errors.__all__ else TrainError
    raise known(message)
