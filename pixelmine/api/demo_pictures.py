"""The demo's pictures: real ones from installed packages, and a mess planted among them."""

import csv
import shutil
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np

__all__ = ["Mess", "copy_photographs", "write_digits"]

_PHOTOGRAPHS = (
    ("sklearn.datasets", "images/china.jpg"),
    ("sklearn.datasets", "images/flower.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ("pixelmine.models", "golden_set/drawn.jpg"),
    ("pixelmine.models", "golden_set/drawn.png"),
    ("skimage.data", "chelsea.png"),
    ("skimage.data", "coffee.png"),
    ("skimage.data", "rocket.jpg"),
    ("skimage.data", "astronaut.png"),
)
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Mess:
    """What was planted. `truth`: file name to its right label."""

    pictures: int
    copies: int
    broken: int
    wrong: tuple[str, ...]
    truth: dict[str, str]


def copy_photographs(into: Path) -> int:
    """Copy the photographs that installed packages carry; scikit-image's only where it is there."""
    into.mkdir(parents=True, exist_ok=True)
    count = 0
    for package, name in _PHOTOGRAPHS:
        if find_spec(package.split(".")[0]) is None:
            continue
        source = Path(str(files(package) / name))
        if source.is_file():
            shutil.copyfile(source, into / source.name)
            count += 1
    return count


def write_digits(into: Path, seed: int = 1) -> Mess:
    """Write scikit-learn's 1,797 handwritten digits as 28x28 PNG files with `labels.csv` beside.

    Planted: 90 copies under other names, 30 broken files of three kinds, 54 wrong labels (3 %).
    The digits are 8x8 (Alpaydin and Kaynak, 1998, CC BY 4.0), here enlarged: the article's network
    needs at least 10x10.
    """
    import cv2
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    data = load_digits()
    into.mkdir(parents=True, exist_ok=True)
    labels: dict[str, str] = {}
    for index, (pixels, digit) in enumerate(zip(data.images, data.target, strict=True)):
        large = cv2.resize(
            (pixels * 255 / 16).astype(np.uint8), (28, 28), None, 0, 0, cv2.INTER_CUBIC
        )
        cv2.imwrite(str(into / f"digit-{index:04d}.png"), large)
        labels[f"digit-{index:04d}.png"] = _NAMES[digit]
    names = list(labels)
    for number, name in enumerate(rng.choice(names, 90, replace=False)):
        shutil.copyfile(into / name, into / f"copy-{number:02d}.png")
        labels[f"copy-{number:02d}.png"] = labels[name]
    truth = dict(labels)
    wrong = [str(name) for name in rng.choice(names, 54, replace=False)]
    for name in wrong:
        labels[name] = str(rng.choice([label for label in _NAMES if label != truth[name]]))
    broken = _write_broken(
        into, [str(name) for name in rng.choice(names, 30, replace=False)], labels
    )
    with (into.parent / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["file", "label"])
        out.writerows(sorted(labels.items()))
    return Mess(len(names), 90, broken, tuple(wrong), truth)


def _write_broken(into: Path, names: list[str], labels: dict[str, str]) -> int:
    """Ten files cut short, ten with a page of HTML in them, ten with nothing."""
    for number, name in enumerate(names):
        data = (into / name).read_bytes()
        content = (data[: len(data) // 2], b"<html>404 Not Found</html>\n", b"")[number % 3]
        (into / f"broken-{number:02d}.png").write_bytes(content)
        labels[f"broken-{number:02d}.png"] = labels[name]
    return len(names)
