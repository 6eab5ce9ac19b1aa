"""Search among a million vectors: how many of the ten nearest are found, how fast, at what cost.

    python benchmarks/search.py CLOTHING.pixels [--count 1000000]

The vectors are the embeddings of the collection's photographs by EfficientNet-Lite0, reduced to 256
dimensions by their principal components and of length 1, each taken over and over with seeded
Gaussian noise of length .5 in the mean (1/32 a dimension), then of length 1 again: two noisy copies
of one photograph are as alike (cosine .8) as a photograph and its nearest neighbour in the
collection. The queries are other noisy copies, none of them in the table. The truth is the exact
search of faiss over all vectors.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import lance
import numpy as np
import pyarrow as pa
from machine import keep

from pixelmine.api.mine.pile import embed
from pixelmine.core.progress import SilentProgress
from pixelmine.core.schema import features_schema
from pixelmine.index.vectors import VectorIndex
from pixelmine.store import Collection, Table
from pixelmine.store.lock import WriteLock

DIMENSIONS, NOISE, QUERIES, K = 256, 0.5, 1_000, 10
BLOCK = 50_000


def originals(collection: Path) -> np.ndarray:
    """The photographs' embeddings in 256 dimensions, float32, of length 1."""
    with Collection.open(collection) as opened:
        vectors = embed(opened, progress=SilentProgress()).vectors.astype(np.float64)
    _, turn = np.linalg.eigh(vectors.T @ vectors)
    return unit(vectors @ turn[:, ::-1][:, :DIMENSIONS])


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def noisy(base: np.ndarray, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noisy copies of those places."""
    noise = rng.standard_normal((len(places), base.shape[1]), dtype=np.float32)
    return unit(base[places] + np.float32(NOISE / np.sqrt(base.shape[1])) * noise)


@contextmanager
def peak() -> Iterator[dict[str, float]]:
    """The most memory of this process's own (not mapped files), in MB, while something runs."""
    found, done = {"mb": 0.0}, threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            lines = Path("/proc/self/status").read_text().splitlines()
            held = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
            found["mb"] = max(found["mb"], round(held / 1024, 1))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def write(table: Table, base: np.ndarray, count: int, rng: np.random.Generator) -> None:
    """Fill the table block by block, as adding pictures does."""
    for start in range(0, count, BLOCK):
        places = np.arange(start, min(start + BLOCK, count))
        values = noisy(base, places % len(base), rng)
        flat = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
        names = pa.array([f"{place:064x}" for place in places])
        table.append(pa.table([names, flat], schema=table.schema))


def exact(path: Path, queries: np.ndarray) -> np.ndarray:
    """The true places of the nearest, block by block."""
    heap, start = faiss.ResultHeap(len(queries), K, keep_max=True), 0
    for batch in lance.dataset(str(path)).to_batches(columns=["values"], batch_size=BLOCK):
        values = batch["values"].flatten().to_numpy().reshape(batch.num_rows, -1)
        block = faiss.IndexFlatIP(values.shape[1])
        block.add(np.ascontiguousarray(values))
        cosines, places = block.search(queries, K)
        heap.add_result(cosines, places + start)
        start += batch.num_rows
    heap.finalize()
    return np.asarray(heap.I)


def asked(near: VectorIndex, queries: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Recall and time of one query after the other."""
    seconds, shares = [], []
    for query, want in zip(queries, truth, strict=True):
        start = time.perf_counter()
        found = near.nearest(query, K)
        seconds.append(time.perf_counter() - start)
        shares.append(len({int(name, 16) for name in found.pictures} & set(want.tolist())) / K)
    return {
        "recall_at_10": round(float(np.mean(shares)), 5),
        "first_query_ms": round(1000 * seconds[0], 1),
        "median_query_ms": round(1000 * float(np.median(seconds)), 2),
        "p95_query_ms": round(1000 * float(np.quantile(seconds, 0.95)), 2),
        "queries": len(queries),
    }


def added(near: VectorIndex, base: np.ndarray, count: int, rng: np.random.Generator) -> Any:
    """What adding a fifteenth costs: found before it is in the index, and putting it there."""
    more = count // 15
    values = noisy(base, np.arange(more) % len(base), rng)
    flat = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    names = pa.array([f"{place:064x}" for place in range(count, count + more)])
    near.table.append(pa.table([names, flat], schema=near.table.schema))
    at_once, seconds = 0, []
    for place in range(0, more, max(1, more // 100)):
        start = time.perf_counter()
        found = near.nearest(values[place], 1).pictures
        seconds.append(time.perf_counter() - start)
        at_once += found == [f"{count + place:064x}"]
    start = time.perf_counter()
    state = near.refresh(2)
    if state is None or state.rows != count + more:
        raise SystemExit("What was added is not in the index.")
    return {
        "vectors": more,
        "recall": state.recall.value,
        "found_before_indexed": round(at_once / len(seconds), 4),
        "median_query_ms_before": round(1000 * float(np.median(seconds)), 2),
        "extend_and_measure_s": round(time.perf_counter() - start, 1),
    }


def among(near: VectorIndex, query: np.ndarray, count: int) -> list[dict[str, Any]]:
    """Time of a search among some."""
    found = []
    for share in (0.001, 0.02, 0.1, 0.5):
        rng = np.random.default_rng(0)
        places = rng.choice(count, round(share * count), replace=False)
        wanted = pa.array([f"{place:064x}" for place in places])
        start = time.perf_counter()
        answer = near.among(query, K, wanted)
        seconds = round(time.perf_counter() - start, 3)
        found.append({"share": share, "seconds": seconds, "exact": answer.exact})
    return found


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("collection", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    given = parser.parse_args()
    base, rng = originals(given.collection), np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "vectors.lance"
        lock = WriteLock(Path(work) / ".lock")
        table = Table(path, features_schema(DIMENSIONS), ["picture_id"], lock)
        write(table, base, given.count, rng)
        places = rng.choice(len(base), min(QUERIES, len(base)), replace=False)
        queries = noisy(base, places, rng)
        truth = exact(path, queries)
        near = VectorIndex(table)
        start = time.perf_counter()
        near.nearest(queries[0], K)
        without = round(1000 * (time.perf_counter() - start), 1)
        with peak() as memory:
            state = near.refresh(1)
        if state is None:
            raise SystemExit("So few are searched without an index.")
        files = (file for file in (path / "_indices").rglob("*") if file.is_file())
        size = sum(file.stat().st_size for file in files)
        with peak() as searching:
            answers = asked(near, queries, truth)
        result = {
            "vectors": given.count,
            "dimensions": DIMENSIONS,
            "noise_length": NOISE,
            **answers,
            "query_without_index_ms": without,
            "index": state.to_dict(),
            "index_mb": round(size / 1e6, 1),
            "peak_memory_mb": {"build": memory["mb"], "search": searching["mb"]},
            "among": among(near, queries[0], given.count),
            "added": added(near, base, given.count, rng),
            "at_least": 0.95,
        }
    keep("search", result)


if __name__ == "__main__":
    main()
