"""Small pictures, the training process, and Keras, each made once for this folder's tests."""

import json
import os
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from pixelmine.train.events import Events


@dataclass(frozen=True)
class Ran:
    """A training process that has ended."""

    status: int
    events: list[dict[str, Any]]
    errors: str

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == kind]


def start(job: dict[str, Any]) -> subprocess.Popen[bytes]:
    """A training process with its job already written to it."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pixelmine.train"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(job).encode())
    child.stdin.close()
    child.stdin = None
    return child


@pytest.fixture(scope="session")
def start_job() -> Callable[[dict[str, Any]], subprocess.Popen[bytes]]:
    return start


@pytest.fixture(scope="session")
def run_job() -> Callable[..., Ran]:
    def run(kind: str, **options: Any) -> Ran:
        with start({"job": kind, **{k: _plain(v) for k, v in options.items()}}) as child:
            try:
                out, errors = child.communicate(timeout=600)
            finally:
                child.kill()
        events = [json.loads(line) for line in out.splitlines()]
        return Ran(child.returncode, events, errors.decode())

    return run


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """500 handwritten digits, uint8 (N, 28, 28), enlarged from 8x8, and their labels (N,)."""
    data = load_digits()
    small = (data.images[:500] / 16 * 255).astype(np.uint8)
    large = [cv2.resize(p, (28, 28), interpolation=cv2.INTER_CUBIC) for p in small]
    return np.stack(large), data.target[:500].astype(np.uint8)


@pytest.fixture(scope="session")
def idx_folder(idx_folder_of: Any) -> Path:
    """The digits as the four idx files: 400 to train on, 100 to test."""
    folder: Path = idx_folder_of(np.arange(400))
    return folder


@pytest.fixture(scope="session")
def idx_folder_of(digits: tuple[np.ndarray, np.ndarray], tmp_path_factory: Any) -> Any:
    """Makes an idx folder to train on some rows of the digits, and to test on the last 100."""

    def make(rows: np.ndarray) -> Path:
        folder: Path = tmp_path_factory.mktemp("digits")
        for name, chosen in (("train", rows), ("t10k", np.arange(400, 500))):
            for part, array in zip(("images-idx3", "labels-idx1"), digits, strict=True):
                _write_idx(folder / f"{name}-{part}-ubyte", array[chosen])
        return folder

    return make


def _write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


@pytest.fixture
def events(tmp_path: Path) -> Iterator[Events]:
    made = Events(os.open(tmp_path / "events", os.O_WRONLY | os.O_CREAT))
    yield made
    made.close()


@pytest.fixture(scope="session")
def keras() -> Iterator[ModuleType]:
    """Keras in this process. What it warns of in its own code is not ours to fail on."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        yield keras


@pytest.fixture(scope="session")
def save() -> Callable[[Any, Path], Path]:
    """Saves a Keras model, without what Keras warns of on the way."""

    def save_quietly(model: Any, path: Path) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of HDF5 as a format, which is on purpose
            method = model.save_weights if path.name.endswith(".weights.h5") else model.save
            method(path)
        return path

    return save_quietly


@pytest.fixture(scope="session")
def article_model(keras: ModuleType, digits: tuple[np.ndarray, np.ndarray]) -> Any:
    """What someone has who follows the article with plain Keras, after one epoch."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.models.Sequential()
    model.add(keras.Input((28, 28, 1)))
    model.add(layers.Conv2D(32, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    pixels, labels = digits
    model.fit(pixels[..., None].astype("float32") / 255, labels, batch_size=32, verbose=0)
    return model
