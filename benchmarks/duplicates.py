"""How many planted copies are found, and how many pairs are wrong, by edit.

python benchmarks/duplicates.py FOLDER [--originals 1000] [--seed 20261128]

FOLDER: pictures, as the `clothing` set. They are ingested, copies of some are planted by twelve
edits each (`pixelmine.mine.planted`), and `pixelmine mine duplicates` looks for all, with what it
does unless told otherwise. Recall: copies in one group with their original. Precision: of the pairs
of one group with a planted copy; pairs of two originals that were in one group before are apart.
"""

import argparse
import tempfile
import time
from pathlib import Path

from machine import keep

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.planted import measure_planted
from pixelmine.core.progress import SilentProgress

HARD = ("crop-30", "flip", "turn-90")
REQUIRED = {"precision": 0.99, "recall": 0.95, "recall of the hard": 0.90}


class Phases(SilentProgress):
    """Says what is being done."""

    def start(self, phase: str, total: int | None = None) -> None:
        """One line a phase."""
        print(f"{time.strftime('%H:%M:%S')} {phase} {total or ''}", flush=True)


def main() -> None:
    """Ingest, plant, find, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--originals", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261128)
    asked = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        collection = Path(temporary) / "collection"
        ingest([asked.folder], into=collection)
        measured = measure_planted(
            collection, originals=asked.originals, seed=asked.seed, progress=Phases()
        )
    found = {one.edit: one for one in measured.edits}
    passes = found["all"].precision >= REQUIRED["precision"] and all(
        one.recall >= REQUIRED["recall of the hard" if one.edit in HARD else "recall"]
        for one in measured.edits[1:]
    )
    seconds = round(time.perf_counter() - start, 1)
    result = {"required": REQUIRED, "passes": passes, "seconds": seconds, **measured.to_dict()}
    keep("duplicates", {"pictures": asked.folder.name, "seed": asked.seed, **result})


if __name__ == "__main__":
    main()
