"""How good a recipe gets on the clothing photographs: 17 labels, five folds by sender, pooled.

python benchmarks/clothing.py CLOTHING [--recipe transfer] [--folds 0,1,2,3,4]

Each fold is tested once, by a model that was trained on the other four. Two folds hold the same
photograph from two senders, so that their splits have to be taken with --allow-leaks.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from clothing_folds import main as write_folds
from machine import keep

from pixelmine.evaluate.interval import wilson


def pixelmine(*arguments: str) -> dict[str, Any]:
    """One command's JSON."""
    command = [sys.executable, "-m", "pixelmine", *arguments, "--json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(told.stdout))


def divided(clothing: Path, work: str) -> tuple[str, str]:
    """The collection and its split."""
    table, collection = str(clothing / "images.csv"), f"{work}/clothing.pixels"
    named = ("--labels", table, "--name-column", "image", "--label-column", "label")
    pixelmine("ingest", str(clothing), "--into", collection, *named, "--group-by", "sender_id")
    sys.argv = ["clothing_folds.py", table, f"{work}/folds.csv"]
    write_folds()
    found = pixelmine("split", collection, "--from", f"{work}/folds.csv")
    return collection, str(found["split"])


def one_fold(collection: str, split: str, recipe: str, work: str) -> dict[str, Any]:
    """Train on the others, test on this one."""
    bundle = f"{work}/{split[-1]}.bundle"
    start = time.perf_counter()
    how = ("--recipe", recipe, "--split", split, "--allow-leaks")
    trained = pixelmine("train", collection, *how, "--out", bundle)
    seconds = time.perf_counter() - start
    found = pixelmine("evaluate", bundle, collection, "--split", split, "--allow-leaks")
    return {"held_back_accuracy": trained["held_back_accuracy"], "seconds": seconds, **found}


def calibration_error(folds: list[dict[str, Any]]) -> float:
    """Over the pictures of all folds: the gap of confidence and accuracy in each bin, weighted."""
    bins: dict[float, list[float]] = {}
    for one in (one for fold in folds for one in fold["reliability"]):
        right = one["accuracy"]
        sums = bins.setdefault(round(one["low"], 6), [0.0, 0.0, 0.0])
        sums[0] += one["confidence"] * right["pictures"]
        sums[1] += right["value"] * right["pictures"]
        sums[2] += right["pictures"]
    return sum(abs(sure - right) for sure, right, _ in bins.values()) / sum(
        count for _, _, count in bins.values()
    )


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clothing", type=Path)
    parser.add_argument("--recipe", default="transfer")
    parser.add_argument("--folds", default="0,1,2,3,4")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        collection, split = divided(asked.clothing, work)
        folds = [
            one_fold(collection, f"{split}:{fold}", asked.recipe, work)
            for fold in asked.folds.split(",")
        ]
    pictures = sum(fold["accuracy"]["pictures"] for fold in folds)
    hits = sum(fold["accuracy"]["hits"] for fold in folds)
    covered = sum(fold["sets"]["coverage"]["hits"] for fold in folds if fold["sets"])
    keep(
        f"clothing-{asked.recipe}",
        {
            "recipe": asked.recipe,
            "folds": asked.folds,
            "pictures": pictures,
            "pooled_accuracy": hits / pictures,
            "interval": wilson(hits, pictures),
            "accuracy_by_fold": [fold["accuracy"]["value"] for fold in folds],
            "held_back_accuracy": [fold["held_back_accuracy"] for fold in folds],
            "pooled_calibration_error": calibration_error(folds),
            "share_of_sets_that_hold_the_truth": covered / pictures,
            "seconds_to_train": [round(fold["seconds"], 1) for fold in folds],
        },
    )


if __name__ == "__main__":
    main()
