"""What decoding in processes of their own costs: pictures a second, against threads in this one.

python benchmarks/isolation.py [FOLDER OF PICTURES]

Both decode the same pictures from memory by the rule `scaled-256`, resized to 224x224x3, with
as many threads or processes as there are processors. They take turns, and what counts is the median
of the ratios of neighbours: a machine that is busy with something else is so for both.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import keep

from pixelmine.core import Limits, Reason
from pixelmine.core.processors import processors
from pixelmine.engine.isolation import Isolated
from pixelmine.preprocess import DecodeOptions, decode

PICTURES = 2000
TURNS = 5
AHEAD = 64
SIDE = 224
CHECKED = 50


def decoding(_options: dict[str, Any]) -> Callable[[dict[str, Any], bytes], list[Any]]:
    """The work, as `Isolated` takes it."""
    options, limits = DecodeOptions(rule="scaled-256"), Limits()

    def work(_header: dict[str, Any], data: bytes) -> list[Any]:
        picture = decode(data, options, limits)
        if isinstance(picture, Reason):
            return [({"reason": picture}, None)]
        pixels = cv2.resize(picture.pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return [({"width": picture.width, "height": picture.height}, pixels)]

    return work


def rate(submit: Callable[..., Any], pictures: list[bytes]) -> float:
    """Pictures a second, with a batch of AHEAD on its way at a time, and all answers seen."""
    start = time.perf_counter()
    waiting = [submit({}, data) for data in pictures[:AHEAD]]
    for data in pictures[AHEAD:]:
        waiting.append(submit({}, data))
        waiting.pop(0).result()
    for future in waiting:
        future.result()
    return len(pictures) / (time.perf_counter() - start)


def main() -> None:
    """Measure and keep."""
    test_data = Path(os.environ.get("PIXELMINE_TEST_DATA", "."))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else test_data / "clothing"
    pictures = [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))[:PICTURES]]
    if not pictures:
        raise SystemExit(f"There is no .jpg in {folder}. Name a folder of photographs.")
    cv2.setNumThreads(0)
    sys.path.insert(0, str(Path(__file__).parent))
    threads, processes, count = [], [], processors()
    with (
        Isolated("isolation:decoding", {}, count, Limits()) as isolated,
        ThreadPoolExecutor(count) as pool,
    ):
        work = decoding({})
        for data in pictures[:CHECKED]:
            ((values, pixels),) = isolated.submit({}, data).result()
            ((expected, same),) = work({}, data)
            if values != expected or not np.array_equal(pixels, same):
                raise SystemExit("The two do not give the same pixels.")
        for _ in range(TURNS):
            threads.append(rate(lambda *request: pool.submit(work, *request), pictures))
            processes.append(rate(isolated.submit, pictures))
    ratios = [there / here for there, here in zip(processes, threads, strict=True)]
    result = {
        "pictures": len(pictures),
        "mean_bytes": round(statistics.mean(map(len, pictures))),
        "workers": count,
        "threads_per_s": [round(value) for value in threads],
        "isolated_per_s": [round(value) for value in processes],
        "ratios": [round(value, 3) for value in ratios],
        "median_ratio": round(statistics.median(ratios), 3),
    }
    keep(Path(__file__).stem, result)


if __name__ == "__main__":
    main()
