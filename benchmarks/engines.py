"""Whether the engines local, native and ray give the same rows of the same mixed sources.

python benchmarks/engines.py [--count 500]

Of $PIXELMINE_TEST_DATA: a folder of photographs and of the broken files of `hostile/go-fuzz`, and a
tar. Seconds are those of whole commands, start and end included. `compare_*` are what the other
benchmarks ask too: what must be equal, and how nearly.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
from machine import keep

from pixelmine.models import DEFAULT, load_bundle
from pixelmine.store import Collection

TOLERANCE = 1e-3
"""Of probabilities: what batches of another size change."""
SHOWN = 10
LONG_S = 1800
PIXELMINE = ["-m", "pixelmine"]


def call(
    arguments: Iterable[str | Path],
    program: Iterable[str] = PIXELMINE,
    cwd: Path | None = None,
    wrong: Iterable[int] = (),
) -> tuple[dict[str, Any], float]:
    """Run a command with --json: its object and its seconds. `wrong`: exit codes to accept too."""
    start = time.perf_counter()
    command = [sys.executable, *program, *map(str, arguments), "--json"]
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, timeout=LONG_S
    )
    if found.returncode not in {0, *wrong}:
        raise SystemExit(f"{command[1:]}: {found.returncode}\n{found.stdout}{found.stderr[-3000:]}")
    return json.loads(found.stdout), time.perf_counter() - start


def compare_collections(one: Path, other: Path) -> list[str]:
    """What differs between two collections of the same pictures: each row, in every column.

    Of labels the time at which they were given is left out.
    """
    tables = [_tables(path) for path in (one, other)]
    found = [f"table {name} is not in both" for name in sorted(tables[0].keys() ^ tables[1].keys())]
    for name in sorted(tables[0].keys() & tables[1].keys()):
        found += [f"{name}: {text}" for text in _compare(*(table[name] for table in tables))]
    problems, _ = call(["collection", "verify", other], wrong=[1])
    return found + [f"verify: {text}" for text in problems["problems"]]


def compare_results(one: Path, other: Path) -> tuple[list[str], float]:
    """What differs between two JSON Lines files of results, and the largest difference seen.

    Equal are rows, statuses and reasons; probabilities of a label within TOLERANCE; labels and
    decisions where the values that decide are further apart than that.
    """
    rows = [_lines(path) for path in (one, other)]
    found = [text for path, lines in zip((one, other), rows, strict=True) for text in _order(path)]
    found += _names(rows[0].keys(), rows[1].keys())
    threshold, largest = load_bundle(DEFAULT).card.thresholds.decision, 0.0
    for name in sorted(rows[0].keys() & rows[1].keys()):
        was, now = rows[0][name], rows[1][name]
        for column in sorted((was.keys() | now.keys()) - {"top", "decision"}):
            if was.get(column) != now.get(column):
                found.append(f"{name} {column}: {was.get(column)!r}, {now.get(column)!r}")
        if was["top"] is None or now["top"] is None:
            if was["top"] != now["top"] or was["decision"] != now["decision"]:
                found.append(f"{name}: only one has an answer")
            continue
        apart = _apart(was["top"], now["top"])
        largest = max(largest, apart)
        if apart > TOLERANCE:
            found.append(f"{name}: probabilities differ by {apart:.2g}")
        if was["decision"] != now["decision"] and not _is_close(was["top"], threshold):
            found.append(f"{name} decision: {was['decision']}, {now['decision']}")
    return found, largest


def _tables(path: Path) -> dict[str, list[Any]]:
    with Collection.open(path) as collection:
        tables: dict[str, pa.Table] = {}
        for table in collection.tables():
            name = str(table.path.relative_to(path))
            tables[name] = pa.Table.from_batches(table.scan())
    if "labels.lance" in tables:
        tables["labels.lance"] = tables["labels.lance"].drop_columns(["time"])
    return {name: table.to_pylist() for name, table in tables.items()}


def _compare(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[str]:
    key = "row_id" if one and "row_id" in one[0] else "picture_id"
    twice = [name for name, n in Counter(row[key] for row in other).items() if n > 1]
    found = [f"{name} is there more than once" for name in twice]
    were, are = ({row[key]: row for row in rows} for rows in (one, other))
    found += _names(were.keys(), are.keys())
    for name in sorted(were.keys() & are.keys()):
        for column, value in were[name].items():
            now = are[name][column]
            if _plain(value) != _plain(now):
                found.append(f"{name} {column}: {value!r}, {now!r}")
    return found


def _plain(value: Any) -> Any:
    """A map has no order."""
    pairs = isinstance(value, list) and value and isinstance(value[0], tuple)
    return sorted(value) if pairs else value


def _names(one: Iterable[str], other: Iterable[str]) -> list[str]:
    one, other = set(one), set(other)
    lost = [f"{name} is lost" for name in sorted(one - other)]
    return lost + [f"{name} is new" for name in sorted(other - one)]


def _lines(path: Path) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {row["row_id"]: row for row in rows}


def _order(path: Path) -> list[str]:
    names = [json.loads(line)["row_id"] for line in path.read_text("utf-8").splitlines()]
    twice = [name for name, count in Counter(names).items() if count > 1]
    found = [f"{path.name}: {name} is there more than once" for name in twice]
    return found + ([] if names == sorted(names) else [f"{path.name} is not sorted by row_id"])


def _apart(one: list[Mapping[str, Any]], other: list[Mapping[str, Any]]) -> float:
    """The largest difference of a label's probability; one that only one has is at the end."""
    were, are = ({e["label"]: e["probability"] for e in top} for top in (one, other))
    ends = min(were.values()), min(are.values())
    apart = [abs(were[name] - are[name]) for name in were.keys() & are.keys()]
    apart += [were[name] - ends[1] for name in were.keys() - are.keys()]
    apart += [are[name] - ends[0] for name in are.keys() - were.keys()]
    return max(apart)


def _is_close(top: list[Mapping[str, Any]], threshold: float | None) -> bool:
    """Whether the values that decide are within what may differ."""
    first, second = (entry["probability"] for entry in top[:2])
    near = threshold is not None and abs(first - threshold) <= TOLERANCE
    return near or first - second <= TOLERANCE


def mixed(place: Path, test_data: Path, photographs: int, broken: int | None) -> list[Path]:
    """A folder of photographs and broken files (None: all), and a tar of ten photographs."""
    pictures = sorted((test_data / "clothing" / "images").iterdir())
    bad = sorted(p for p in (test_data / "hostile" / "go-fuzz").rglob("*") if p.is_file())
    if broken is not None:
        bad = bad[:: max(1, len(bad) // max(1, broken))][:broken]
    chosen = [("photographs", p) for p in pictures[:photographs]] + [("broken", p) for p in bad]
    for number, (name, path) in enumerate(chosen):
        target = place / "mixed" / name / f"{number:05d} {path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    with tarfile.open(place / "ten.tar", "w") as tar:
        for path in pictures[-10:]:
            tar.add(path, path.name)
    return [place / "mixed", place / "ten.tar"]


def compare_engines(sources: list[Path], scratch: Path, engines: Iterable[str]) -> dict[str, Any]:
    """Ingest and predict sources with each engine; the first is what the others are held to."""
    seconds: dict[str, dict[str, float]] = {"ingest": {}, "predict": {}}
    counts: dict[str, list[Any]] = {"ingest": [], "predict": []}
    differences: list[str] = []
    largest, first = 0.0, ""
    for name in engines:
        into = scratch / f"{name}.pixels"
        found, took = call(["ingest", *sources, "--into", into, "--engine", name])
        seconds["ingest"][name] = round(took, 1)
        counts["ingest"].append(found["new_or_changed"])
        if first:
            unlike = compare_collections(scratch / f"{first}.pixels", into)
            differences += [f"ingest {name}: {text}" for text in unlike]
        seconds["predict"][name] = 0.0
        for source in sources:
            out = scratch / f"{name} {source.name}.jsonl"
            found, took = call(["predict", source, "--out", out, "--engine", name])
            seconds["predict"][name] = round(seconds["predict"][name] + took, 1)
            if source == sources[0]:
                counts["predict"].append({k: found[k] for k in ("rows", "ok", "failed", "reasons")})
            if first:
                unlike, apart = compare_results(scratch / f"{first} {source.name}.jsonl", out)
                differences += [f"predict {name}: {text}" for text in unlike]
                largest = max(largest, apart)
        first = first or name
    return {
        "counts": {job: found[0] for job, found in counts.items()},
        "counts_are_equal": all(c == found[0] for found in counts.values() for c in found),
        "seconds": seconds,
        "largest_difference_of_a_probability": largest,
        "differences": len(differences),
        "first_differences": differences[:SHOWN],
    }


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="photographs")
    options = parser.parse_args()
    test_data = Path(os.environ.get("PIXELMINE_TEST_DATA", "."))
    if not (test_data / "clothing").is_dir():
        raise SystemExit("$PIXELMINE_TEST_DATA names no folder with `clothing` and `hostile`.")
    engines = ["local", "native", *(["ray"] if find_spec("ray") else [])]
    with tempfile.TemporaryDirectory() as name:
        sources = mixed(Path(name), test_data, options.count, None)
        result = compare_engines(sources, Path(name), engines)
    keep(Path(__file__).stem, {"engines": engines, **result})
    if result["differences"] or not result["counts_are_equal"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
