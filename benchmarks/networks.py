"""How good a network gets by `pixelmine train`, the epoch chosen on held-back pictures.

    python benchmarks/networks.py [--recipe cnn-article] [MNIST-FOLDER FASHION-FOLDER]
    python benchmarks/networks.py --recipe cnn-strong --minutes 44 [FASHION-FOLDER]

Without folders: `$PIXELMINE_TEST_DATA/mnist` and Debian's /usr/share/datasets/fashion-mnist, each
skipped, saying so, where it is absent. Seeds 1, 2 and 3; the test part is looked at once, after
training, by `pixelmine evaluate`. `$PIXELMINE_ARTICLE_SCRIPT` names the article's own code: with it
that is run too, in turn with each seed, and the whole processes are timed, start to model written;
it reports its test part after each epoch. With --minutes seed 1 alone is trained for so long, on
Fashion-MNIST, and nothing is compared; start-up, export and calibration take half a minute more.
"""

import argparse
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
AT_LEAST = {
    "cnn-article": {"mnist": 0.990, "fashion-mnist": 0.895},
    "cnn-strong": {"mnist": 0.9955, "fashion-mnist": 0.925},
}
AT_LEAST_IN_TIME = {"fashion-mnist": 0.945}


def pixelmine(*arguments: str) -> dict[str, Any]:
    """One command's JSON."""
    command = [sys.executable, "-m", "pixelmine", *arguments, "--json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(told.stdout))


def one_seed(folder: Path, recipe: str, seed: int, *options: str) -> dict[str, Any]:
    """Train, then evaluate on the test part."""
    with tempfile.TemporaryDirectory() as work:
        bundle = f"{work}/network.bundle"
        start = time.perf_counter()
        trained = pixelmine(
            *("train", str(folder), "--recipe", recipe, "--out", bundle, "--seed", str(seed)),
            *options,
        )
        seconds = time.perf_counter() - start
        found = pixelmine("evaluate", bundle, str(folder))
    return {
        "seed": seed,
        "test_accuracy": found["accuracy"]["value"],
        "interval": [found["accuracy"]["low"], found["accuracy"]["high"]],
        "held_back_accuracy": trained["held_back_accuracy"],
        "best_epoch": trained["best_epoch"],
        "epochs": trained["epochs"],
        "seconds": round(seconds, 1),
    }


def article(folder: Path) -> dict[str, Any] | None:
    """The article's own code on the same files."""
    script = os.environ.get("PIXELMINE_ARTICLE_SCRIPT")
    if not script:
        print("The article's script is skipped: $PIXELMINE_ARTICLE_SCRIPT names none.")
        return None
    start = time.perf_counter()
    told = subprocess.run(
        [sys.executable, script, str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds = round(time.perf_counter() - start, 1)
    return {**json.loads(told.stdout.splitlines()[-1]), "process_s": seconds}


def in_time(asked: argparse.Namespace) -> None:
    """One training of so many minutes."""
    folder = Path((asked.folders or ["/usr/share/datasets/fashion-mnist"])[0])
    least = AT_LEAST_IN_TIME["fashion-mnist"]
    found = one_seed(folder, asked.recipe, 1, "--minutes", str(asked.minutes))
    reached = {"at_least": least, "reached": found["test_accuracy"] >= least}
    about = {"recipe": asked.recipe, "minutes": asked.minutes}
    keep(f"networks-{asked.recipe}-minutes", {**about, "fashion-mnist": {**reached, **found}})


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--recipe", choices=AT_LEAST, default="cnn-article")
    parser.add_argument("--minutes", type=float)
    asked = parser.parse_args()
    if asked.minutes:
        in_time(asked)
        return
    test_data = os.environ.get("PIXELMINE_TEST_DATA", "")
    given = asked.folders or [f"{test_data}/mnist", "/usr/share/datasets/fashion-mnist"]
    result: dict[str, Any] = {"recipe": asked.recipe}
    for (name, least), folder in zip(AT_LEAST[asked.recipe].items(), map(Path, given), strict=True):
        if not folder.is_dir():
            print(f"{name} is skipped: there is no folder {folder}.")
            continue
        turns = [(one_seed(folder, asked.recipe, seed), article(folder)) for seed in SEEDS]
        mean = statistics.mean(ours["test_accuracy"] for ours, _ in turns)
        result[name] = {
            "mean_test_accuracy": round(mean, 5),
            "at_least": least,
            "reached": mean >= least,
            "seeds": [ours for ours, _ in turns],
            "article": [theirs for _, theirs in turns],
            "median_seconds": statistics.median(ours["seconds"] for ours, _ in turns),
            "median_seconds_of_the_article": statistics.median(
                theirs["process_s"] for _, theirs in turns if theirs
            )
            if turns[0][1]
            else None,
        }
        keep(f"{Path(__file__).stem}-{asked.recipe}", result)


if __name__ == "__main__":
    main()
