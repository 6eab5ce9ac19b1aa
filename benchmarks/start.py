"""How long it takes to begin: whole processes, median of several after one that is not counted.

python benchmarks/start.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from machine import keep

RUNS = 7
PICTURE = str(files("sklearn.datasets") / "images/china.jpg")
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import pixelmine'": ["-c", "import pixelmine"],
    "pixelmine --help": ["-m", "pixelmine", "--help"],
    "pixelmine predict one.jpg": ["-m", "pixelmine", "predict", PICTURE],
}


def seconds(arguments: list[str]) -> list[float]:
    """Wall times of RUNS runs."""
    found = []
    for run in range(RUNS + 1):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
            )
        if run:
            found.append(time.perf_counter() - start)
    return found


def main() -> None:
    """Measure and keep."""
    rows = {}
    for name, arguments in COMMANDS.items():
        times = seconds(arguments)
        rows[name] = {
            "median_s": round(statistics.median(times), 3),
            "min_s": round(min(times), 3),
            "max_s": round(max(times), 3),
        }
    keep(Path(__file__).stem, {"seconds": rows})


if __name__ == "__main__":
    main()
