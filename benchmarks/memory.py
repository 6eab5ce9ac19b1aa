"""Whether memory grows with the collection: the peak while 12,000 and 120,000 pictures come in.

python benchmarks/memory.py [--few 12000] [--many 120000]

The pictures are those of MNIST and Fashion-MNIST, each a PNG file. What is measured is the
proportional set size (PSS: pages that n processes share count 1/n in each) of the command and all
its child processes, added up, several times a second.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from machine import keep

from pixelmine.input.idx import read_part

EVERY_S = 0.2
REQUIRED = 1.10
A_FOLDER = 1000
MB = 2**20


@dataclass(frozen=True)
class Sample:
    """PSS in bytes `seconds` after the start, with the number of child processes."""

    seconds: float
    main: int
    children: int
    count: int

    @property
    def all(self) -> int:
        """Main and children."""
        return self.main + self.children


def write_pictures(folder: Path, pictures: Iterable[np.ndarray], count: int) -> None:
    """`count` PNG files in folders of A_FOLDER each."""
    for number, pixels in zip(range(count), pictures, strict=False):
        path = folder / f"{number // A_FOLDER:04d}" / f"{number:06d}.png"
        if number % A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def digits_and_clothes(test_data: Path, fashion: Path) -> Iterable[np.ndarray]:
    """140,000 pictures, uint8 (28, 28)."""
    folders = [folder for folder in (test_data / "mnist", fashion) if folder.is_dir()]
    return chain.from_iterable(
        read_part(folder, part).pixels for folder in folders for part in ("train", "test")
    )


def watched(command: list[str]) -> tuple[dict[str, Any], list[Sample], float]:
    """Run a command with --json: what it said, its memory, its seconds."""
    start = time.perf_counter()
    samples: list[Sample] = []
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen([sys.executable, *command, "--json"], stdout=out, stderr=err)
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            sizes = _sizes(tree)
            if sizes:
                seconds = time.perf_counter() - start
                samples.append(Sample(seconds, sizes[0], sum(sizes[1:]), len(sizes) - 1))
            time.sleep(EVERY_S)
        seconds = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise SystemExit(f"{command}: {process.returncode}\n{out.read()}{err.read()[-3000:]}")
        return json.loads(out.read()), samples, seconds


def _sizes(tree: psutil.Process) -> list[int]:
    """PSS of a process and of each of its descendants, in bytes; nothing where it has ended."""
    sizes = []
    try:
        for process in [tree, *tree.children(recursive=True)]:
            try:
                sizes.append(process.memory_full_info().pss)
            except psutil.NoSuchProcess:
                if process is tree:
                    return []
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
    return sizes


def ingest(folders: list[Path], into: Path, program: list[str]) -> dict[str, Any]:
    """Ingest into a new collection, watched."""
    command = [*program, "ingest", *map(str, folders), "--into", str(into)]
    said, samples, seconds = watched(command)
    peak = max(samples, key=lambda sample: sample.all)
    rows = said["new_or_changed"]["rows"]
    return {
        "rows": rows,
        "failed": said["new_or_changed"]["failed"],
        "peak_mb": round(peak.all / MB, 1),
        "main_mb_at_the_peak": round(peak.main / MB, 1),
        "children_mb_at_the_peak": round(peak.children / MB, 1),
        "children_at_the_peak": peak.count,
        "peak_after_s": round(peak.seconds, 1),
        "main_peak_mb": round(max(sample.main for sample in samples) / MB, 1),
        "children_peak_mb": round(max(sample.children for sample in samples) / MB, 1),
        "over_time_mb": [
            [round(s.seconds), round(s.main / MB), round(s.children / MB)]
            for s in samples[:: max(1, len(samples) // 30)]
        ],
        "seconds": round(seconds, 1),
        "per_s": round(rows / seconds),
    }


def compare(
    folder: Path, scratch: Path, few: int, many: int, program: list[str] | None = None
) -> dict[str, Any]:
    """Ingest the first `few` and the first `many` pictures of `write_pictures`."""
    program = program or ["-m", "pixelmine"]
    parts = sorted(folder.iterdir())
    found = {}
    for count in (few, many):
        chosen = parts[: -(-count // A_FOLDER)]
        found[count] = ingest(chosen, scratch / f"{count}.pixels", program)
    ratio = found[many]["peak_mb"] / found[few]["peak_mb"]
    return {
        "few": found[few],
        "many": found[many],
        "ratio": round(ratio, 3),
        "ratio_of_main": round(found[many]["main_peak_mb"] / found[few]["main_peak_mb"], 3),
        "bytes_a_picture_more": round(
            MB * (found[many]["peak_mb"] - found[few]["peak_mb"]) / (many - few)
        ),
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=12_000)
    parser.add_argument("--many", type=int, default=120_000)
    parser.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    options = parser.parse_args()
    test_data = Path(os.environ.get("PIXELMINE_TEST_DATA", "."))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pictures"
        write_pictures(folder, digits_and_clothes(test_data, options.fashion), options.many)
        result = compare(folder, Path(name), options.few, options.many)
    for one, count in (("few", options.few), ("many", options.many)):
        if result[one]["rows"] != count:
            raise SystemExit(f"{count} pictures were wanted and {result[one]['rows']} came.")
    keep(Path(__file__).stem, {**result, "required": REQUIRED})
    if result["ratio"] > REQUIRED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
