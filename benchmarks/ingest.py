"""How fast pictures come into a collection, beside a bare loop that only decodes them.

python benchmarks/ingest.py [FOLDER]

Both read the same files, which are in the page cache, and decode by the rule `scaled-256`, on as
many processors. They take turns. The bare loop reads and decodes in threads and keeps nothing; the
command does all the rest too: SHA-256, sizes, EXIF, PDQ, quality, decoding in processes of its own,
the listing, the tables. Then each stage alone on one core, on a sample.
"""

import hashlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import pyarrow as pa
import simplejpeg
from machine import keep

from pixelmine import input as source
from pixelmine.api.ingest import commit_inspected, inspect_stage
from pixelmine.api.sources import open_sources
from pixelmine.core import Limits
from pixelmine.core.processors import processors
from pixelmine.decoding import inspector
from pixelmine.engine import Isolated
from pixelmine.features import FEATURES
from pixelmine.input import SourceOptions
from pixelmine.looking import Look
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.preprocess.decode_jpeg import jpeg_scale
from pixelmine.store import Collection

TURNS = 3
SAMPLE = 500
REQUIRED, AIM = 0.35, 0.60
OPTIONS = {
    "decode": {"rule": "scaled-256", "colour": "rgb"},
    "features": ["pdq", "measures", "surface"],
}
CALL = """\
import sys, time
from pixelmine.api.ingest import ingest
start = time.perf_counter()
found = ingest([sys.argv[1]], sys.argv[2])
print(time.perf_counter() - start, time.process_time(), found.counts.rows)
"""


def decode_bare(path: Path) -> int:
    """Read and decode one file; gives how many bytes the pixels have."""
    data = path.read_bytes()
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    scale = jpeg_scale(width, height)
    least = (ceil(height / scale), ceil(width / scale)) if scale > 1 else (0, 0)
    pixels = simplejpeg.decode_jpeg(data, min_height=least[0], min_width=least[1])
    return int(pixels.nbytes)


def bare(paths: list[Path]) -> tuple[float, float]:
    """Seconds of the bare loop, and of the processor."""
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(processors()) as pool:
        for _ in pool.map(decode_bare, paths):
            pass
    return time.perf_counter() - start, time.process_time() - cpu


class Call(NamedTuple):
    """Seconds of `api.ingest`, of its whole process, of the processor in it and in its children."""

    call: float
    whole: float
    main_cpu: float
    children_cpu: float
    rows: int


def ingest(folder: Path) -> Call:
    """Call it in a new process."""
    with tempfile.TemporaryDirectory() as scratch:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-c", CALL, str(folder), f"{scratch}/c"]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        whole = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds, main_cpu, rows = found.stdout.split()
    return Call(float(seconds), whole, float(main_cpu), cpu - float(main_cpu), int(rows))


def stages(folder: Path) -> dict[str, float]:
    """Milliseconds a picture of each stage by itself, one after the other on one core."""
    cv2.setNumThreads(0)
    limits, options = Limits(), DecodeOptions(rule="scaled-256")
    batches = open_sources([folder], SourceOptions()).list()
    rows = list(itertools.islice((r for batch in batches for r in batch.to_pylist()), SAMPLE))
    data = [source.read(row, limits) for row in rows]
    good = [d for d in data if isinstance(d, bytes) and d[:2] == b"\xff\xd8"]
    pictures = [decode(d, options, limits) for d in good]
    pdq, measures, surface = (FEATURES.get(name)() for name in OPTIONS["features"])
    work = inspector({**OPTIONS, "limits": {}})
    answers = [list(work({"frames": "auto", "frame": 0}, d)) for d in data]
    texts = [json.dumps(a[0][0]) for a in answers]
    looks = [Look(*found) for found in zip(rows, ["0" * 64] * len(rows), answers, strict=True)]
    milliseconds = {
        "read": _each(lambda row: source.read(row, limits), rows),
        "sha256": _each(lambda d: hashlib.sha256(d).hexdigest(), data),
        "decode, bare, from memory": _each(_bare_from_memory, good),
        "decode": _each(lambda d: decode(d, options, limits), good),
        "pdq": _each(lambda p: pdq(p.pixels, p.width, p.height), pictures),
        "measures": _each(lambda p: measures(p.pixels, p.width, p.height), pictures),
        "surface": _each(lambda p: surface(p.pixels, p.width, p.height), pictures),
        "decode and features, as in a worker": _each(
            lambda d: list(work({"frames": "auto", "frame": 0}, d)), data
        ),
        "json there and back": _each(lambda a: json.dumps(a[0][0]), answers)
        + _each(json.loads, texts),
    }
    with tempfile.TemporaryDirectory() as scratch, Collection.create(scratch) as collection:
        schema = inspect_stage(collection, "auto", limits).schema
        dicts = [row for look in looks for row in look.rows()]
        milliseconds["rows to Arrow"] = _each(lambda look: list(look.rows()), looks) + _all(
            lambda: pa.RecordBatch.from_pylist(dicts, schema), len(dicts)
        )
        table = pa.Table.from_batches([pa.RecordBatch.from_pylist(dicts, schema)])
        start = time.perf_counter()
        commit_inspected(collection, table)
        milliseconds["commit of the sample, once"] = 1e3 * (time.perf_counter() - start) / len(rows)
    nothing = Isolated("pixelmine.decoding:inspector", {**OPTIONS, "limits": {}}, 1, limits)
    with nothing as isolated:  # what is no picture costs the way there and back, and little else
        isolated.submit({"frames": "auto", "frame": 0}, b"").result()
        trips = [bytes(len(d)) for d in good]
        milliseconds["to a worker and back, no picture"] = _each(
            lambda d: isolated.submit({"frames": "auto", "frame": 0}, d).result(), trips
        )
    return {name: round(value, 3) for name, value in milliseconds.items()}


def _bare_from_memory(data: bytes) -> None:
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    scale = jpeg_scale(width, height)
    least = (ceil(height / scale), ceil(width / scale)) if scale > 1 else (0, 0)
    simplejpeg.decode_jpeg(data, min_height=least[0], min_width=least[1])


def _each(work: Callable[[Any], Any], items: list[Any]) -> float:
    """Milliseconds an item, the median of TURNS."""

    def once() -> None:
        for item in items:
            work(item)

    return _all(once, len(items))


def _all(work: Callable[[], Any], items: int) -> float:
    times = []
    for _ in range(TURNS):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start) / items)
    return statistics.median(times)


def main() -> None:
    """Measure and keep."""
    test_data = Path(os.environ.get("PIXELMINE_TEST_DATA", "."))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else test_data / "clothing"
    paths = sorted(folder.rglob("*.jpg"))
    if not paths:
        raise SystemExit(f"There is no .jpg in {folder}. Name a folder of photographs.")
    for path in paths:
        path.read_bytes()
    loops, calls = [], []
    for _ in range(TURNS):
        loops.append(bare(paths))
        calls.append(ingest(folder))
    rows = calls[0].rows
    shares = [loop / call.call for (loop, _), call in zip(loops, calls, strict=True)]
    by_cpu = [
        cpu / (call.main_cpu + call.children_cpu)
        for (_, cpu), call in zip(loops, calls, strict=True)
    ]
    share = statistics.median(shares)
    result = {
        "pictures": len(paths),
        "rows": rows,
        "processors": processors(),
        "bare_decode_per_s": [round(len(paths) / s) for s, _ in loops],
        "ingest_per_s": [round(rows / call.call) for call in calls],
        "whole_process_per_s": [round(rows / call.whole) for call in calls],
        "median_bare_decode_per_s": round(len(paths) / statistics.median(s for s, _ in loops)),
        "median_ingest_per_s": round(rows / statistics.median(call.call for call in calls)),
        "cpu_ms_a_picture_in_the_bare_loop": [round(1e3 * cpu / len(paths), 2) for _, cpu in loops],
        "cpu_ms_a_picture_in_main": [round(1e3 * call.main_cpu / rows, 2) for call in calls],
        "cpu_ms_a_picture_in_children": [round(1e3 * c.children_cpu / rows, 2) for c in calls],
        "shares": [round(value, 3) for value in shares],
        "share": round(share, 3),
        "shares_by_processor_time": [round(value, 3) for value in by_cpu],
        "required": REQUIRED,
        "aim": AIM,
        "milliseconds_a_picture_on_one_core": stages(folder),
        "sample": SAMPLE,
    }
    keep(Path(__file__).stem, result)
    if share < REQUIRED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
