"""The five folds by sender that results on the clothing photographs are given in, as a CSV file.

python benchmarks/clothing_folds.py CLOTHING/images.csv folds.csv

fold = int(sha256(sender_id).hexdigest(), 16) % 5. The labels "Not sure", "Skip" and "Other" say
nothing about a picture and are left out: its rows are in no fold.
"""

import csv
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

FOLDS = 5
LEFT_OUT = {"Not sure", "Skip", "Other"}


def folds(images: Path) -> list[tuple[str, str]]:
    """(name, part) of every picture with one of the 17 labels."""
    with images.open(encoding="utf-8", newline="") as file:
        return [
            (row["image"], f"fold-{int(sha256(row['sender_id'].encode()).hexdigest(), 16) % FOLDS}")
            for row in csv.DictReader(file)
            if row["label"] not in LEFT_OUT
        ]


def main() -> None:
    """Write the file and say how many pictures each fold has."""
    images, out = map(Path, sys.argv[1:])
    rows = folds(images)
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "part"), *rows])
    print(
        ", ".join(
            f"{part} {count:,}" for part, count in sorted(Counter(p for _, p in rows).items())
        )
    )


if __name__ == "__main__":
    main()
