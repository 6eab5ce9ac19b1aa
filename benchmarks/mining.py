"""Mining photographs from nothing, beside cleanvision and fastdup, in turn on the same machine.

python benchmarks/mining.py FOLDER [--turns 3] [--peers PYTHON]

FOLDER: photographs, as the `clothing` set. PYTHON: of an environment with `cleanvision` and
`fastdup`, which are compared with and are no dependency; without it they are left out. What is
timed are whole processes, from starting Python to the findings on the disk:

- hashes: `ingest` (decode, hash, measures), `mine quality`, `mine duplicates --no-edited`;
  cleanvision's `find_issues()` finds the same: exact and near duplicates, and odd pictures.
- embeddings: `ingest`, `mine quality`, `mine duplicates --no-edited --scene`, `mine outliers`;
  fastdup's `run()` finds the same: statistics of pictures, embeddings, duplicates, outliers, and
  components, which are groups of a similar scene.
- all: `ingest` and `mine report`: everything there is, with the page.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import keep

OURS = [sys.executable, "-m", "pixelmine"]
HASHES = [
    ["mine", "quality", "{c}"],
    ["mine", "duplicates", "{c}", "--no-edited", "--no-turned"],
]
EMBEDDINGS = [
    ["mine", "quality", "{c}"],
    ["mine", "duplicates", "{c}", "--no-edited", "--scene", "0.9", "--no-turned"],
    ["mine", "outliers", "{c}"],
]
ALL = [["mine", "report", "{c}", "--report", "{t}/mining.html"]]
CLEANVISION = """
from cleanvision import Imagelab
lab = Imagelab(data_path={folder!r})
lab.find_issues(verbose=False)
lab.save({out!r})
"""
FASTDUP = """
import fastdup
found = fastdup.create(work_dir={out!r}, input_dir={folder!r})
found.run(overwrite=True, ccthreshold=0.9)
found.outliers()
found.connected_components()
"""


def ours(folder: Path, commands: list[list[str]], temporary: Path) -> None:
    """`ingest`, then the commands."""
    collection = temporary / "photos.pixels"
    places = {"c": str(collection), "t": str(temporary)}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run([*OURS, "ingest", str(folder), "--into", str(collection)], **quiet)
    for command in commands:
        subprocess.run([*OURS, *(part.format(**places) for part in command)], **quiet)


def peer(python: Path, script: str, folder: Path, temporary: Path) -> None:
    """A peer's own way, in a process of its own."""
    code = script.format(folder=str(folder), out=str(temporary / "out"))
    environment = {**os.environ, "SENTRY_OPT_OUT": "1", "DO_NOT_TRACK": "1"}
    subprocess.run(
        [python, "-c", code],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    """Each in turn, as often as is asked; medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peers", type=Path)
    asked = parser.parse_args()
    pictures = sum(1 for path in asked.folder.rglob("*.jpg"))
    jobs: dict[str, Callable[[Path], None]] = {
        "hashes": lambda t: ours(asked.folder, HASHES, t),
        "embeddings": lambda t: ours(asked.folder, EMBEDDINGS, t),
        "all": lambda t: ours(asked.folder, ALL, t),
    }
    if asked.peers is not None:
        jobs |= {
            "cleanvision": lambda t: peer(asked.peers, CLEANVISION, asked.folder, t),
            "fastdup": lambda t: peer(asked.peers, FASTDUP, asked.folder, t),
        }
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(asked.turns):
        for name, job in jobs.items():
            temporary = Path(tempfile.mkdtemp(prefix="pixelmine-mining-"))
            start = time.perf_counter()
            job(temporary)
            seconds[name].append(round(time.perf_counter() - start, 1))
            shutil.rmtree(temporary)
            print(f"turn {turn + 1}: {name} {seconds[name][-1]} s", flush=True)
    median = {name: statistics.median(found) for name, found in seconds.items()}
    ratios = {}
    if asked.peers is not None:
        ratios = {
            "times as fast as cleanvision": round(median["cleanvision"] / median["hashes"], 2),
            "times as fast as fastdup": round(median["fastdup"] / median["embeddings"], 2),
        }
    rates = {name: round(pictures / found, 1) for name, found in median.items()}
    result = {"seconds": seconds, "median_s": median, "pictures_a_second": rates, **ratios}
    keep("mining", {"folder": asked.folder.name, "pictures": pictures, **result})


if __name__ == "__main__":
    main()
