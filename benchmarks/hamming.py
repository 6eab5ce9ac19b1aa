"""The exact join of 256-bit hashes at radius 31: all planted pairs found, seconds, memory.

python benchmarks/hamming.py [--sizes 100000 1000000 10000000] [--planted 10000] [--radius 31]

Hashes are random, but that as many as are planted are copies of others with 0 to 31 bits turned.
Random hashes are never so near (1e7 hashes: 5e13 pairs, each with a chance below 1e-33). Each size
runs in a process of its own, whose peak of resident memory, hashes included, is given. `growth`:
how many times as long for ten times the hashes.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
from machine import keep

from pixelmine.index import near_pair_blocks

SEED = 20261128


def planted(size: int, count: int, radius: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uint8 (size, 32) hashes, int64 (count, 2) planted pairs in order, and distances."""
    random = np.random.default_rng(SEED)
    hashes = random.integers(0, 256, (size, 32), dtype=np.uint8)
    places = random.choice(size, 2 * count, replace=False).reshape(count, 2)
    apart = random.integers(0, radius + 1, count)
    hashes[places[:, 1]] = hashes[places[:, 0]]
    for (_, copy), bits in zip(places, apart, strict=True):
        turned = random.choice(256, bits, replace=False)
        np.bitwise_xor.at(hashes[copy], turned // 8, (128 >> (turned % 8)).astype(np.uint8))
    return hashes, np.sort(places, axis=1), apart


def join(size: int, count: int, radius: int) -> dict[str, Any]:
    """Join once; every pair must be a planted one, at its distance."""
    near_pair_blocks_once(radius)
    hashes, pairs, apart = planted(size, count, radius)
    start = time.perf_counter()
    blocks = list(near_pair_blocks(hashes, radius))
    seconds = time.perf_counter() - start
    found = {
        tuple(p): int(d) for some, far in blocks for p, d in zip(some.tolist(), far, strict=True)
    }
    known = {tuple(p): int(d) for p, d in zip(pairs.tolist(), apart, strict=True)}
    return {
        "hashes": size,
        "planted": count,
        "found": sum(found.get(pair) == far for pair, far in known.items()),
        "others": len(found.keys() - known.keys()),
        "seconds": round(seconds, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def near_pair_blocks_once(radius: int) -> None:
    """Compile before the clock runs."""
    few = np.random.default_rng(0).integers(0, 256, (4096, 32), dtype=np.uint8)
    list(near_pair_blocks(few, radius))


def main() -> None:
    """Each size in its own process, since memory once taken is not given back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--planted", type=int, default=10_000)
    parser.add_argument("--radius", type=int, default=31)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(join(asked.sizes[0], asked.planted, asked.radius)))
        return
    runs = []
    for size in asked.sizes:
        command = [sys.executable, __file__, "--one", "--sizes", str(size)]
        command += ["--planted", str(asked.planted), "--radius", str(asked.radius)]
        runs.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
        print(runs[-1], flush=True)
    growth = [
        {
            "hashes": f"{before['hashes']:,} to {after['hashes']:,}",
            "times": round(after["seconds"] / before["seconds"], 1),
        }
        for before, after in pairwise(runs)
    ]
    keep("hamming", {"radius": asked.radius, "runs": runs, "growth": growth})


if __name__ == "__main__":
    main()
