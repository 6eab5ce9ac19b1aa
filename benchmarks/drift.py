"""How often random halves are called drift, and whether a planted shift is found and named.

python benchmarks/drift.py [COLLECTION]

The pictures are those of the clothing set (or of a collection that is there already). A hundred
times they are divided into halves at random, at a level of .05: more than 9 called drift would
happen by chance in 3 of 100 runs. The same for a kept reference of one half and a window of the
other. Then a tenth of one half is replaced by pictures that were kept aside: of one class, or of
one cluster of a clustering of its own, by another seed and number than what drift looks with. Found
means: called drift; named means: the cluster that grew most surely is named for their class (of a
cluster: the label that tells it from the rest), or most of its pictures are planted ones.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.drift_pile import make_pile
from pixelmine.api.mine.pile import MODEL
from pixelmine.core.progress import SilentProgress
from pixelmine.input.labels import LabelOptions
from pixelmine.mine.drift import Drift, DriftOptions, compare
from pixelmine.mine.drift_counts import Pile
from pixelmine.mine.drift_reference import DriftReference
from pixelmine.mine.drift_space import cell_names, make_space
from pixelmine.store import Collection

TRIES, ALLOWED = 100, 9
SHIFT = 0.1
CLASSES = ("T-Shirt", "Longsleeve", "Pants", "Shoes", "Shirt", "Dress", "Outwear", "Shorts")
CLUSTERS = 25


def halves(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of two random halves."""
    order = np.random.default_rng(seed).permutation(count)
    return order[: count // 2], order[count // 2 :]


def random_halves(pile: Pile) -> dict[str, Any]:
    """How many of TRIES are called drift, by which parts; and the same by a kept reference."""
    space = make_space(pile.vectors, None, 1)
    called, by_part, by_reference = [], dict[str, int](), []
    for seed in range(TRIES):
        old, new = (pile.take(places) for places in halves(len(pile), seed))
        found = compare(old, new, DriftOptions(seed=seed), space=space)
        called.append(found.drifted)
        for one in found.parts:
            low = one.p_value < found.level
            by_part[one.name] = by_part.get(one.name, 0) + low
        reference = DriftReference.make(old, "model")
        by_reference.append(reference.test(new, DriftOptions(seed=seed)).drifted)
    return {
        "tries": TRIES,
        "called_drift": sum(called),
        "by_a_reference": sum(by_reference),
        "allowed": ALLOWED,
        "parts_below_the_level_uncorrected": by_part,
    }


def planted(pile: Pile, what: str, mask: np.ndarray, seed: int) -> dict[str, Any]:
    """A tenth of one half replaced by pictures of `mask` that were kept aside for it."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.flatnonzero(mask))
    aside = chosen[: len(chosen) // 2]
    rest = rng.permutation(np.setdiff1d(np.arange(len(pile)), aside))
    size = min(len(rest) // 2, int(len(aside) / SHIFT))
    old, new = rest[:size], rest[size : 2 * size]
    new = np.concatenate([new[int(size * SHIFT) :], aside[: int(size * SHIFT)]])
    is_planted = np.isin(np.sort(new), aside)
    old_pile, new_pile = pile.take(np.sort(old)), pile.take(np.sort(new))
    start = time.perf_counter()
    found = compare(old_pile, new_pile)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    kept = DriftReference.from_json(DriftReference.make(old_pile, "model").to_json())
    made = time.perf_counter()
    later = kept.test(new_pile)
    return {
        "planted": what,
        "pictures_a_side": size,
        "replaced": int(size * SHIFT),
        "auc": round(found.classifier.auc, 3),
        "seconds": round(seconds, 2),
        **told(found, is_planted, what),
        "by_a_reference": told(later, is_planted, what),
        "reference_made_s": round(made - start, 2),
        "window_tested_s": round(time.perf_counter() - made, 2),
    }


def told(found: Drift, is_planted: np.ndarray, what: str) -> dict[str, Any]:
    """Whether it is called drift, and whether the cell that grew most surely is the right one."""
    grew = [one for one in found.changed if one.part == "clusters" and one.grew]
    right = False
    if grew:
        inside = np.isin(found.cells, grew[0].cells)
        right = what in grew[0].name or (inside & is_planted).sum() > inside.sum() / 2
    return {
        "drift": found.drifted,
        "p_value": found.p_value,
        "clusters_that_grew": [one.name for one in grew],
        "named": bool(right),
    }


def main() -> None:
    """Measure and keep."""
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            folder = Path(os.environ["PIXELMINE_TEST_DATA"]) / "clothing"
            path = Path(scratch) / "clothing.pixels"
            table = LabelOptions(
                labels=str(folder / "images.csv"), name_column="image", group_by="sender_id"
            )
            ingest([folder], path, labels=table)
        with Collection.open(path) as collection:
            pile = make_pile(collection, MODEL, None, (), SilentProgress())[0].pile
    chance = random_halves(pile)
    labels = next(one for one in pile.attributes if one.name == "label").values
    classes = [
        planted(pile, name, np.array([name in label for label in labels]), seed)
        for seed, name in enumerate(CLASSES)
    ]
    others = make_space(pile.vectors, CLUSTERS, 99)
    cells = others.cells(others.project(pile.vectors))[0]
    names = cell_names(cells, CLUSTERS, [labels])
    clusters = [
        planted(pile, names[at], cells == at, int(at))
        for at in np.argsort(-np.bincount(cells))[: len(CLASSES)]
    ]
    found = [*classes, *clusters]
    result = {
        "pictures": len(pile),
        "random_halves": chance,
        "tries": len(CLASSES),
        "classes": summed(classes),
        "clusters": summed(clusters),
        "planted": found,
    }
    keep(Path(__file__).stem, result)
    wrong = max(chance["called_drift"], chance["by_a_reference"]) > ALLOWED
    if wrong or not all(one["drift"] for one in found) or not all(c["named"] for c in classes):
        raise SystemExit(1)


def summed(runs: list[dict[str, Any]]) -> dict[str, int]:
    """How many were found and named."""
    return {
        "found": sum(one["drift"] for one in runs),
        "named": sum(one["named"] for one in runs),
        "found_by_a_reference": sum(one["by_a_reference"]["drift"] for one in runs),
        "named_by_a_reference": sum(one["by_a_reference"]["named"] for one in runs),
    }


if __name__ == "__main__":
    main()
