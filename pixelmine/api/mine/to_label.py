"""Which pictures of a collection to label next, and what each round of labels brought."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.labels import user_name
from pixelmine.core import PassPolicy, Policy
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import LABELS
from pixelmine.engine import EngineOptions
from pixelmine.mine.rounds import Hits, Trial, accuracy_now, simulate
from pixelmine.mine.to_label import Chosen, choose_next
from pixelmine.models import load_bundle
from pixelmine.store import Collection, find_split, good_images, split_parts

from .found import Found, cleared, find
from .label_rounds import accuracy, read_rounds, remember
from .labelled import one_label, tied
from .pile import MODEL, Embedded, embed, read_pictures

__all__ = [
    "FINDING",
    "NEXT",
    "Next",
    "mine_next",
    "simulate_rounds",
    "take_labels",
]

FINDING = "next"

NEXT = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("suggested", pa.string()),
        pa.field("probability", pa.float32()),
        pa.field("uncertainty", pa.float32()),
        pa.field("disagreement", pa.float32()),
    ]
)
"""A row for each picture to label, by `rank`, 1 first. `suggested`: the most probable label, with
its `probability`, 0 to 1. `uncertainty`: one minus the margin to the second, 0 to 1.
`disagreement`: the part of the probability that the head and the neighbours give to different
labels, 0 to 1. All four are null where there are no labels to learn from yet."""


@dataclass(frozen=True, kw_only=True)
class Next:
    """`rows`: of NEXT, through the release gate. `out`: the CSV, where one was written."""

    found: Found
    rows: pa.Table = field(repr=False)
    rounds: list[dict[str, Any]]
    out: Path | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.found.summary,
            "rounds": self.rounds,
            "out": str(self.out) if self.out else None,
            "next": self.rows.to_pylist(),
        }

    def notes(self) -> list[str]:
        """What a user should know."""
        return list(self.found.summary["notes"])


def mine_next(
    path: str | Path,
    count: int = 100,
    *,
    model: str = MODEL,
    where: str | None = None,
    split: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    policy: Policy | None = None,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Next:
    """Choose pictures to label; the finding is `next`, and the round is remembered.

    `where`: SQL over the images table. `split`: `ID` or `ID:FOLD`, on whose test part the accuracy
    is measured: nothing is learnt of it, nor of its copies and groups, and none of these is chosen.
    `out`: a CSV with the columns `file`, `row_id`, `suggested` and an empty `label`, which
    `take_labels` takes back. Raises UsageError, CollectionError, OutputError.
    """
    if count < 1:
        raise UsageError(f"--count must be at least 1. Got {count} instead.")
    if out is not None and Path(out).exists():
        raise UsageError(f"{out} is there already, perhaps filled in by now. Give another --out.")
    progress = progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        if split is not None:
            name, _, fold = split.partition(":")
            split = find_split(collection, name) + (f":{fold}" if fold else "")
        asked = {
            "schema": str(NEXT),
            "count": count,
            "model": load_bundle(model).card.embedding_digest,
            "where": where,
            "split": split,
            "seed": seed,
            "images": collection.images.version,
            "labels": collection.labels.version,
            "splits": collection.splits.version,
        }

        def make() -> tuple[dict[str, Any], pa.Table]:
            found = embed(collection, model, where=where, engine=engine, progress=progress)
            held = _held(collection, found, split) if split else None
            progress.start("choose", None)
            made, hits = _make(collection, found, held, count, seed)
            progress.finish()
            remember(collection, made[0]["labelled"], hits, (split, where, model))
            return made

        found = find(collection, FINDING, asked, make)
        rounds = read_rounds(collection)
    rows = cleared(found.rows, policy or PassPolicy())
    if out is not None:
        _write(rows, Path(out))
    return Next(found=found, rows=rows, rounds=rounds, out=Path(out) if out else None)


def simulate_rounds(
    path: str | Path,
    rounds: int,
    count: int = 100,
    *,
    seeds: int = 3,
    model: str = MODEL,
    where: str | None = None,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Try the choice against chance on labels that are there already; nothing is written.

    A fifth of the labelled pictures, groups and near-duplicates whole, is held back for each of
    `seeds`. Raises UsageError where there are too few labels, CollectionError.
    """
    if min(rounds, count, seeds) < 1:
        raise UsageError("Rounds, --count and --seeds must be at least 1.")
    progress = progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        labelled = one_label(collection, read_pictures(collection, where), 2)
        found = embed(collection, model, where=where, engine=engine, progress=progress)
        at = pc.index_in(
            labelled.rows["picture_id"], value_set=found.rows["picture_id"].combine_chunks()
        )
        there = np.flatnonzero(pc.is_valid(at).to_numpy())
        labelled = labelled.take(there)
        vectors = found.vectors[pc.drop_null(at).to_numpy()]
        copies = tied(collection, labelled.rows, groups=False)
        progress.start("simulate", None)
        trial = simulate(
            vectors,
            labelled.y,
            labelled.units,
            copies,
            rounds=rounds,
            count=count,
            seeds=seeds,
        )
        progress.finish()
    return trial


def take_labels(path: str | Path, file: str | Path, *, who: str | None = None) -> int:
    """Write the labels of a CSV that `mine_next` wrote and a person filled in; how many there were.

    It needs the columns `row_id` and `label`; rows without a label are passed over. Raises
    SourceError for a file that cannot be read, UsageError for a row that is not in the collection.
    """
    given = _given(Path(file))
    with Collection.open(Path(path)) as collection:
        known = set(collection.images.read(["row_id"])["row_id"].to_pylist())
        if strange := [row for row in given if row not in known]:
            raise UsageError(
                f"{len(strange)} rows of {file} are not in {path}: {strange[0]!r} is the first."
            )
        same = {"source": FINDING, "who": who or user_name(), "time": datetime.now(UTC)}
        rows = [{"row_id": row, "labels": [label], **same} for row, label in given.items()]
        if rows:
            collection.labels.append(pa.Table.from_pylist(rows, LABELS))
    return len(given)


def _given(file: Path) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            table = csv.DictReader(opened)
            if missing := {"row_id", "label"} - set(table.fieldnames or ()):
                raise UsageError(f"{file} has no column {min(missing)}: it is none of ours.")
            rows = [(row["row_id"] or "", (row["label"] or "").strip()) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"The labels {file} cannot be read: {error}.") from error
    return {row: label for row, label in rows if label}


def _make(
    collection: Collection,
    found: Embedded,
    held: tuple[np.ndarray, np.ndarray] | None,
    count: int,
    seed: int,
) -> tuple[tuple[dict[str, Any], pa.Table], Hits | None]:
    y, names, several = _labels(found.rows)
    copies = tied(collection, found.rows, groups=False)
    test, barred = held if held is not None else (None, np.zeros(len(y), bool))
    inside = np.flatnonzero(~barred & (y > -2))
    if not (y[inside] == -1).any():
        beside = " beside the test part, its copies and its groups" if barred.any() else ""
        raise UsageError(f"Every picture{beside} has a label already: there is none to label next.")
    chosen = choose_next(
        found.vectors[inside], y[inside], copies[inside], count, classes=len(names), seed=seed
    )
    places = inside[chosen.places]
    units = tied(collection, found.rows) if test is None else barred.astype(np.int64)
    hits = accuracy_now(found.vectors, np.maximum(y, -1), units, test, len(names))
    summary = {
        "pictures": found.rows.num_rows,
        "labelled": int((y >= 0).sum()),
        "unlabelled": int((y == -1).sum()),
        "labels": len(names),
        "chosen": len(places),
        "by": "diversity" if np.isnan(chosen.uncertainty).all() else "uncertainty and diversity",
        "accuracy": accuracy(hits),
        "notes": _notes(found, several, held, hits),
    }
    return (summary, _rows(found.rows, places, chosen, names)), hits


def _labels(rows: pa.Table) -> tuple[np.ndarray, list[str], int]:
    """Codes (N,), -1 without a label and -2 with several; their names; how many have several."""
    labels = rows["labels"].to_pylist()
    several = sum(len(some) > 1 for some in labels if some)
    labelled = sum(bool(some) for some in labels)
    if several > labelled / 2:
        raise UsageError(
            f"{several:,} of {labelled:,} labelled pictures have several labels. What to label "
            "next is only known of collections with one label a picture."
        )
    names = sorted({some[0] for some in labels if some and len(some) == 1})
    code = {name: number for number, name in enumerate(names)}
    codes = [-1 if not some else code[some[0]] if len(some) == 1 else -2 for some in labels]
    return np.array(codes, np.int64), names, several


def _held(collection: Collection, found: Embedded, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures are of the test part, bool (N,), and which of it, its copies or its groups.

    Also of what is of the test part and not among these pictures.
    """
    parts = split_parts(collection, split)
    test = parts.filter(pc.equal(parts["part"], "test"))["row_id"].combine_chunks()
    images = good_images(collection, ["row_id", "picture_id", "group"])
    own = images.filter(pc.is_in(images["row_id"], value_set=test))
    groups = pc.unique(own["group"].filter(pc.not_equal(own["group"], "")))
    touched = images.filter(
        pc.or_(
            pc.is_in(images["picture_id"], value_set=own["picture_id"].combine_chunks()),
            pc.is_in(images["group"], value_set=groups, skip_nulls=True),
        )
    )
    every = read_pictures(collection)
    units = tied(collection, every)
    at = _among(every, touched)
    barred = every.filter(pa.array(np.isin(units, units[at])))
    judged = _among(found.rows, own)
    if not judged.any():
        raise UsageError(f"The split {split} has no test part among these pictures.")
    return judged, _among(found.rows, barred)


def _among(rows: pa.Table, others: pa.Table) -> np.ndarray:
    """Bool (N,): whether the picture of each row is one of the others."""
    names = others["picture_id"].combine_chunks()
    found = pc.is_in(rows["picture_id"].combine_chunks(), value_set=names)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _notes(
    found: Embedded,
    several: int,
    held: tuple[np.ndarray, np.ndarray] | None,
    hits: Hits | None,
) -> list[str]:
    notes = []
    if several:
        notes.append(f"Pictures with several labels, of which nothing is learnt: {several:,}.")
    if found.failed:
        notes.append(f"Pictures that could not be looked at: {found.failed:,}.")
    if held is not None and (beside := int((held[1] & ~held[0]).sum())):
        notes.append(
            f"Copies and group mates of the test part, which are neither learnt nor chosen: "
            f"{beside:,}."
        )
    if held is None and hits is not None:
        notes.append(
            "The accuracy is that of the labelled pictures, which may have been chosen for being "
            "hard. --split measures every round on the same pictures."
        )
    return notes


def _rows(rows: pa.Table, places: np.ndarray, chosen: Chosen, names: Sequence[str]) -> pa.Table:
    of = rows.select(["row_id", "picture_id", "uri", "member", "frame"]).take(pa.array(places))
    columns = {
        "rank": pa.array(np.arange(1, len(places) + 1), pa.int32()),
        "suggested": pa.array(
            [names[code] if code >= 0 else None for code in chosen.suggested.tolist()], pa.string()
        ),
        "probability": pa.array(chosen.probability, from_pandas=True),
        "uncertainty": pa.array(chosen.uncertainty, from_pandas=True),
        "disagreement": pa.array(chosen.disagreement, from_pandas=True),
    }
    for name, values in columns.items():
        of = of.append_column(name, values)
    return of.cast(NEXT)


def _write(rows: pa.Table, out: Path) -> None:
    with replace_file(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "row_id", "suggested", "label"])
        for row in rows.to_pylist():
            name = row["member"] or row["uri"].rsplit("/", 1)[-1]
            writer.writerow([name, row["row_id"], row["suggested"] or "", ""])
