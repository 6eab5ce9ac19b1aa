"""The article's network in plain Keras, and its way into Pixelmine.

    python examples/article_in_keras.py [IDX-FOLDER] [--out FOLDER] [--epochs 10]

Trains on scikit-learn's 1,797 handwritten digits, or on an idx folder such as MNIST, saves
`my.keras` and `labels.txt`, and takes them in with `pixelmine models import`. Nothing of Pixelmine
is used up to there: this is what you have when you have followed the article on your own.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
from keras import layers


def enlarged_digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits: uint8 (N, 28, 28), 0 to 255, enlarged from 8x8; labels (N,)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    small = np.round(data.images * 255 / 16).astype(np.uint8)
    large = [cv2.resize(picture, (28, 28), interpolation=cv2.INTER_CUBIC) for picture in small]
    return np.stack(large), data.target


def idx_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The training part of an idx folder: uint8 (N, H, W) and labels (N,)."""
    from pixelmine.input import read_part

    part = read_part(folder, "train")
    return part.pixels, part.labels


def article_network(height: int, width: int, classes: int) -> keras.Model:
    """The article's layers, in its order."""
    network = keras.Sequential(
        [
            keras.Input((height, width, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def main() -> None:
    """Train, save, import."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", nargs="?", type=Path, help="an idx folder")
    options.add_argument("--out", type=Path, default=Path("article"))
    options.add_argument("--epochs", type=int, default=10)
    given = options.parse_args()

    pixels, labels = idx_digits(given.folder) if given.folder else enlarged_digits()
    classes = int(labels.max()) + 1
    keras.utils.set_random_seed(1)
    network = article_network(*pixels.shape[1:], classes)
    network.fit(
        pixels[..., None].astype("float32") / 255,  # the import says so too: --mean 0 --std 255
        labels,
        epochs=given.epochs,
        batch_size=32,
        validation_split=1 / 12,
        verbose=2,
    )

    given.out.mkdir(parents=True, exist_ok=True)
    network.save(given.out / "my.keras")
    names = "\n".join(str(label) for label in range(classes))
    (given.out / "labels.txt").write_text(names + "\n", "utf-8")
    command = ["models", "import", "my.keras", "--labels", "labels.txt", "--out", "my-bundle"]
    print("pixelmine", *command, flush=True)
    subprocess.run(
        [sys.executable, "-m", "pixelmine", *command, "--overwrite"], cwd=given.out, check=True
    )


if __name__ == "__main__":
    main()
