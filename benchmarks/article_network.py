"""How good the article's network gets by `pixelmine train`, the epoch chosen on held-back pictures.

    python benchmarks/article_network.py MNIST-FOLDER FASHION-FOLDER

Without folders: `$PIXELMINE_TEST_DATA/mnist` and Debian's /usr/share/datasets/fashion-mnist, each
skipped, saying so, where it is absent. Seeds 1, 2 and 3; the test part is looked at once, after
training, by `pixelmine evaluate`. `$PIXELMINE_ARTICLE_SCRIPT` names the article's own code: with it
that is run too, once a set, for comparison; it reports its test part after each epoch.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import keep

SEEDS = (1, 2, 3)
AT_LEAST = {"mnist": 0.990, "fashion-mnist": 0.895}


def pixelmine(*arguments: str) -> dict[str, Any]:
    """One command's JSON."""
    command = [sys.executable, "-m", "pixelmine", *arguments, "--json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(told.stdout))


def one_seed(folder: Path, seed: int) -> dict[str, Any]:
    """Train, then evaluate on the test part."""
    with tempfile.TemporaryDirectory() as work:
        bundle = f"{work}/article.bundle"
        start = time.perf_counter()
        trained = pixelmine("train", str(folder), "--out", bundle, "--seed", str(seed))
        seconds = time.perf_counter() - start
        found = pixelmine("evaluate", bundle, str(folder))
    return {
        "seed": seed,
        "test_accuracy": found["accuracy"]["value"],
        "interval": [found["accuracy"]["low"], found["accuracy"]["high"]],
        "held_back_accuracy": trained["held_back_accuracy"],
        "best_epoch": trained["best_epoch"],
        "seconds": round(seconds, 1),
    }


def article(folder: Path) -> dict[str, Any] | None:
    """The article's own code on the same files."""
    script = os.environ.get("PIXELMINE_ARTICLE_SCRIPT")
    if not script:
        print("The article's script is skipped: $PIXELMINE_ARTICLE_SCRIPT names none.")
        return None
    told = subprocess.run(
        [sys.executable, script, str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    return dict(json.loads(told.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and keep."""
    test_data = os.environ.get("PIXELMINE_TEST_DATA", "")
    given = sys.argv[1:] or [f"{test_data}/mnist", "/usr/share/datasets/fashion-mnist"]
    result: dict[str, Any] = {}
    for name, folder in zip(AT_LEAST, map(Path, given), strict=True):
        if not folder.is_dir():
            print(f"{name} is skipped: there is no folder {folder}.")
            continue
        seeds = [one_seed(folder, seed) for seed in SEEDS]
        mean = statistics.mean(row["test_accuracy"] for row in seeds)
        result[name] = {
            "mean_test_accuracy": round(mean, 5),
            "at_least": AT_LEAST[name],
            "reached": mean >= AT_LEAST[name],
            "seeds": seeds,
            "article": article(folder),
        }
    keep(Path(__file__).stem, result)


if __name__ == "__main__":
    main()
