"""What privacy costs: pictures a second with and without each step, beside `deface`.

python benchmarks/protect.py FOLDER [--pictures 300] [--turns 3] [--deface PROGRAM]

FOLDER: photographs, as the `clothing` set. Timed are whole processes over the same pictures, in
turn: a copy of the files, metadata alone, a region, faces, plates, text, all of them, and faces
with pixels made anew. PROGRAM: `deface` in an environment of its own, which is compared with and is
no dependency; its detector is the same, and it takes metadata out only by encoding anew.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import keep

OURS = [sys.executable, "-m", "pixelmine", "protect"]
STEPS = {
    "metadata": [],
    "region": ["--region", "0,0.9,1,1"],
    "faces": ["--faces"],
    "faces, mosaic": ["--faces", "--style", "mosaic"],
    "plates": ["--plates"],
    "text": ["--text"],
    "faces, plates and text": ["--faces", "--plates", "--text"],
}


def ours(folder: Path, out: Path, options: list[str]) -> None:
    """One `protect`."""
    command = [*OURS, str(folder), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)


def theirs(program: Path, folder: Path, out: Path) -> None:
    """`deface` with its own defaults and solid boxes, all pictures in one process."""
    out.mkdir()
    paths = [str(path) for path in sorted(folder.iterdir())]
    command = [str(program), *paths, "--replacewith", "solid"]
    subprocess.run(command, check=True, capture_output=True, cwd=out)
    for path in folder.glob("*_anonymized*"):
        path.unlink()


def main() -> None:
    """Each in turn, as often as is asked; medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--deface", type=Path)
    asked = parser.parse_args()
    jobs: dict[str, Callable[[Path, Path], None]] = {
        "copy": lambda folder, out: shutil.copytree(folder, out) and None,
        **{
            name: lambda folder, out, options=options: ours(folder, out, options)
            for name, options in STEPS.items()
        },
    }
    if asked.deface is not None:
        jobs["deface"] = lambda folder, out: theirs(asked.deface, folder, out)
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "photos"
        folder.mkdir()
        paths = sorted(asked.folder.rglob("*.jpg"))
        for path in random.Random(1).sample(paths, min(asked.pictures, len(paths))):
            shutil.copy(path, folder / path.name)
        for turn in range(asked.turns):
            for name, job in jobs.items():
                out = Path(temporary) / "out"
                start = time.perf_counter()
                job(folder, out)
                seconds[name].append(round(time.perf_counter() - start, 2))
                shutil.rmtree(out, ignore_errors=True)
                print(f"turn {turn + 1}: {name} {seconds[name][-1]} s", flush=True)
        pictures = len(list(folder.iterdir()))
    median = {name: statistics.median(found) for name, found in seconds.items()}
    rates = {name: round(pictures / found, 1) for name, found in median.items()}
    result = {"seconds": seconds, "median_s": median, "pictures_a_second": rates}
    keep("protect", {"folder": asked.folder.name, "pictures": pictures, **result})


if __name__ == "__main__":
    main()
