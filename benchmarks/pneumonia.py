"""How well chest X-rays of pneumonia are told from others: the ROC AUC on their own test part.

    python benchmarks/pneumonia.py PNEUMONIAMNIST.npz [--recipe cnn-article --epochs 40] [--seeds 1]

Training and validation pictures are the file's own; the test part is looked at once a seed, after
training, by `pixelmine evaluate`. A few pictures are in two of the file's parts, so that its split
is taken with --allow-leaks; how many is printed and kept.
"""

import argparse
import csv
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import keep
from networks import SEEDS, pixelmine

from pixelmine.store.collection import Collection


def divided(file: Path, work: str) -> tuple[str, dict[str, Any]]:
    """The collection, and the split into the file's own parts."""
    collection, table = f"{work}/pneumonia.pixels", Path(work) / "parts.csv"
    pixelmine("ingest", str(file), "--into", collection)
    with Collection.open(Path(collection)) as opened, table.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("row_id", "part"))
        for row in opened.images.read(["row_id", "meta"]).to_pylist():
            writer.writerow((row["row_id"], dict(row["meta"])["part"]))
    return collection, pixelmine("split", collection, "--from", str(table))


def one_seed(collection: str, how: tuple[str, ...], seed: int, work: str) -> dict[str, Any]:
    """Train as said, then evaluate on the test part."""
    bundle, split = f"{work}/{seed}.bundle", how[:3]
    start = time.perf_counter()
    trained = pixelmine("train", collection, *how, "--seed", str(seed), "--out", bundle)
    seconds = round(time.perf_counter() - start, 1)
    found = pixelmine("evaluate", bundle, collection, *split)
    return {
        "seed": seed,
        "auc": found["ranking"]["auc"],
        "accuracy": found["accuracy"]["value"],
        "held_back_accuracy": trained["held_back_accuracy"],
        "seconds": seconds,
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--recipe", default="transfer")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    asked = parser.parse_args()
    epochs = ("--epochs", str(asked.epochs)) if asked.epochs else ()
    with tempfile.TemporaryDirectory() as work:
        collection, split = divided(asked.file, work)
        how = ("--split", split["split"], "--allow-leaks", "--recipe", asked.recipe, *epochs)
        seeds = [one_seed(collection, how, seed, work) for seed in map(int, asked.seeds.split(","))]
    keep(
        f"pneumonia-{asked.recipe}",
        {
            "recipe": asked.recipe,
            "epochs": asked.epochs,
            "parts": split["parts"],
            "leaks": split["leaks"],
            "mean_auc": round(statistics.mean(one["auc"]["value"] for one in seeds), 5),
            "at_least": 0.95,
            "seeds": seeds,
        },
    )


if __name__ == "__main__":
    main()
