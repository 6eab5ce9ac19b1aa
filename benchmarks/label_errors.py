"""How many of the labels that are suspected first were made wrong on purpose: MNIST.

    python benchmarks/label_errors.py MNIST-FOLDER [--rates 0.05,0.2] [--seeds 1] [--features auto]

The idx folder becomes a collection; of each share a seed draws the labels that become another one,
each with the same chance; then `mine label-errors` looks for them. Precision is of as many as were
made wrong, the first by rank.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from machine import keep

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.label_errors import LabelErrorOptions, mine_label_errors
from pixelmine.core.schema import LABELS
from pixelmine.store import Collection


def flipped(labels: dict[str, str], rate: float, seed: int) -> dict[str, str]:
    """Of that share of the rows another label."""
    random = np.random.default_rng(seed)
    names, rows = sorted(set(labels.values())), sorted(labels)
    chosen = random.permutation(len(rows))[: round(rate * len(rows))]
    away = random.integers(1, len(names), len(chosen))
    return {
        rows[place]: names[(names.index(labels[rows[place]]) + step) % len(names)]
        for place, step in zip(chosen.tolist(), away.tolist(), strict=True)
    }


def give(collection: Collection, labels: dict[str, str]) -> None:
    """Write these labels, the latest."""
    same = {"source": "benchmark", "who": "benchmark", "time": datetime.now(UTC)}
    rows = [{"row_id": row, "labels": [label], **same} for row, label in labels.items()]
    collection.labels.append(pa.Table.from_pylist(rows, LABELS))


def one(path: Path, rate: float, seed: int, features: str) -> dict[str, Any]:
    """Make labels wrong, look for them, and make them right again."""
    with Collection.open(path) as collection:
        current = collection.current_labels()
        rows, several = current["row_id"].to_pylist(), current["labels"].to_pylist()
        truth = {row: labels[0] for row, labels in zip(rows, several, strict=True)}
        wrong = flipped(truth, rate, seed)
        give(collection, wrong)
        start = time.perf_counter()
        found = mine_label_errors(path, LabelErrorOptions(features=features))  # type: ignore[arg-type]  # checked there
        seconds = time.perf_counter() - start
        give(collection, {row: truth[row] for row in wrong})
    ranked = found.rows["row_id"].to_pylist()
    hits = np.array([row in wrong for row in ranked])
    suspected = found.rows["suspected"].to_numpy()
    right = [
        suggested == truth[row]
        for row, suggested in zip(ranked, found.rows["suggested"].to_pylist(), strict=True)
        if row in wrong
    ]
    return {
        "rate": rate,
        "seed": seed,
        "pictures": len(ranked),
        "flipped": len(wrong),
        "precision_at_flipped": float(hits[: len(wrong)].mean()),
        "estimated": found.found.summary["estimated"],
        "suspected": int(suspected.sum()),
        "precision": float(hits[suspected].mean()),
        "recall": float(suspected[hits].mean()),
        "right_suggestion": float(np.mean(right)),
        "features": found.found.summary["features"],
        "tried": found.found.summary["tried"],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rates", default="0.05,0.2")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--features", default="auto")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "mnist.pixels"
        start = time.perf_counter()
        ingest([asked.folder], into=path)
        ingesting = round(time.perf_counter() - start, 1)
        results = [
            one(path, rate, seed, asked.features)
            for rate in map(float, asked.rates.split(","))
            for seed in map(int, asked.seeds.split(","))
        ]
    at_least = {"0.05": 0.95, "0.2": 0.97}
    keep("label-errors", {"ingest_seconds": ingesting, "at_least": at_least, "results": results})


if __name__ == "__main__":
    main()
