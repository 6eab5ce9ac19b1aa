"""How long clusters take, and how well they match labels: 5,755 photographs, 10^5 and 10^6 vectors.

    python benchmarks/clusters.py CLOTHING.pixels [--counts 100000,1000000]

The larger sets are those of `search.py`: noisy copies of the photographs' embeddings in 256
dimensions; a cluster of theirs should hold copies of photographs of one label. The match is the
adjusted mutual information with the labels (without `Not sure`, `Skip` and `Other`, which say
nothing), of those in clusters and of all by the nearest cluster.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep
from search import BLOCK, DIMENSIONS, NOISE, noisy, originals, peak
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from pixelmine.api.mine.pile import embed
from pixelmine.core.progress import SilentProgress
from pixelmine.mine.clusters import find_clusters
from pixelmine.mine.plane import plane
from pixelmine.store import Collection

VAGUE = ("", "Not sure", "Skip", "Other")


def measured(vectors: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Divide, place on the map, compare."""
    steps: list[tuple[str, float]] = []
    with peak() as memory:
        start = time.perf_counter()
        found = find_clusters(vectors, told=lambda name: steps.append((name, time.perf_counter())))
        steps.append(("map", time.perf_counter()))
        plane(found.space)
        ends = [*(at for _, at in steps[1:]), time.perf_counter()]
    known = ~np.isin(labels, VAGUE)
    inside = known & (found.cluster >= 0)
    result = {
        "vectors": len(vectors),
        "dimensions": vectors.shape[1],
        "seconds": round(ends[-1] - start, 1),
        "steps_s": {name: round(end - at, 1) for (name, at), end in zip(steps, ends, strict=True)},
        "peak_memory_mb": memory["mb"],
        "clusters": sum(node.level == 2 for node in found.nodes),
        "groups": sum(node.level == 1 for node in found.nodes),
        "odd_share": round(float((found.cluster < 0).mean()), 4),
        "ami_of_those_in_clusters": ami(labels[inside], found.cluster[inside]),
        "ami_of_all": ami(labels[known], found.nearest[known]),
    }
    print(result, flush=True)
    return result


def ami(labels: np.ndarray, clusters: np.ndarray) -> float:
    return round(float(adjusted_mutual_info_score(labels, clusters)), 4)


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("collection", type=Path)
    parser.add_argument("--counts", default="100000,1000000")
    given = parser.parse_args()
    with Collection.open(given.collection) as opened:
        seen = embed(opened, progress=SilentProgress())
    labels = np.array([(one or [""])[0] for one in seen.rows["labels"].to_pylist()])
    runs = [measured(seen.vectors, labels)]
    known = ~np.isin(labels, VAGUE)
    means = KMeans(runs[0]["clusters"], n_init=3, random_state=0).fit_predict(seen.vectors)
    base, rng = originals(given.collection), np.random.default_rng(1)
    for count in [int(one) for one in given.counts.split(",") if one]:
        places = np.arange(count) % len(base)
        vectors = np.empty((count, DIMENSIONS), np.float32)
        for start in range(0, count, BLOCK):
            vectors[start : start + BLOCK] = noisy(base, places[start : start + BLOCK], rng)
        runs.append(measured(vectors, labels[places]))
    keep(
        "clusters",
        {
            "noise_length": NOISE,
            "k_means_of_as_many_ami_of_all": ami(labels[known], means[known]),
            "runs": runs,
        },
    )


if __name__ == "__main__":
    main()
