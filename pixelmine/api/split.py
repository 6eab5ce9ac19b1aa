"""Dividing a collection's labelled pictures into parts, and taking over a division."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.evaluate import (
    Leak,
    SplitOptions,
    Ties,
    find_leaks,
    leak_notes,
    make_split,
    read_hashes,
    split_from_csv,
    tie,
    tie_notes,
)
from pixelmine.evaluate.interval import wilson
from pixelmine.store import Collection, labelled_pictures

__all__ = ["TakenSplit", "split", "split_given"]

_FEW = 300
"""Test pictures below which an accuracy is known to more than 3 points up or down."""

_SHOWN = 100
"""Leaks that are written out; all are counted."""


@dataclass(frozen=True)
class TakenSplit:
    """A split that a CSV gave. `parts`: rows of each. `kept`: false where it leaks and must not.

    `leaks`: what lies in more than one part. `unmatched`: names in the file that no picture has.
    """

    split_id: str
    parts: dict[str, int]
    leaks: list[Leak]
    unmatched: tuple[str, ...]
    kept: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON: leaks counted by kind, and the first of them."""
        return {
            "split": self.split_id,
            "kept": self.kept,
            "parts": self.parts,
            "leaks": dict(Counter(leak.what for leak in self.leaks)),
            "first_leaks": [asdict(leak) for leak in self.leaks[:_SHOWN]],
            "unmatched": len(self.unmatched),
        }

    def notes(self) -> list[str]:
        """What a user should know."""
        notes = leak_notes(self.leaks)
        if self.unmatched:
            shown = ", ".join(self.unmatched[:3])
            notes.append(f"{len(self.unmatched)} names of the file match no picture: {shown} ...")
        if not self.kept:
            notes.append("The split is not kept (--strict).")
        return notes


def split(
    path: str | Path,
    options: SplitOptions | None = None,
    *,
    where: str | None = None,
    progress: Progress | None = None,
) -> tuple[str, dict[str, int]]:
    """Divide the labelled pictures into parts; gives the split id and the rows of each part.

    Groups, copies and near-duplicates stay on one side. Near-duplicates are known where the
    collection has PDQ hashes, as `ingest` leaves them. Raises UsageError, CollectionError.
    """
    options, progress = options or SplitOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        rows = labelled_pictures(collection, where=where)
        ties = _ties(collection, rows, progress) if options.near_duplicates else None
        table = make_split(rows, options, ties)
        collection.splits.insert_new(table)
        for note in tie_notes(ties) if ties else ():
            progress.note(note)
        parts = _count(table["part"])
        if 0 < parts.get("test", _FEW) < _FEW:
            progress.note(_small_test(parts["test"]))
        return str(table["split_id"][0].as_py()), parts


def split_given(
    path: str | Path,
    file: str | Path,
    *,
    near_duplicates: bool = True,
    strict: bool = False,
    progress: Progress | None = None,
) -> TakenSplit:
    """Take over a split that a CSV gives, and find what lies on two sides of it.

    `near_duplicates`: look for them too. `strict`: do not keep a split that leaks. Raises
    UsageError, CollectionError.
    """
    progress = progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        rows = labelled_pictures(collection)
        given = split_from_csv(Path(file), rows)
        parts = dict(
            zip(given.rows["row_id"].to_pylist(), given.rows["part"].to_pylist(), strict=True)
        )
        chosen = pa.array([parts.get(row) for row in rows["row_id"].to_pylist()], pa.string())
        divided = rows.drop_columns(["part"]).append_column("part", chosen)
        divided = divided.filter(pc.is_valid(chosen))
        ties = _ties(collection, divided, progress) if near_duplicates else None
        leaks = find_leaks(divided, ties)
        kept = not (strict and leaks)
        if kept:
            collection.splits.insert_new(given.rows)
    return TakenSplit(
        split_id=str(given.rows["split_id"][0].as_py()),
        parts=_count(given.rows["part"]),
        leaks=leaks,
        unmatched=given.unmatched,
        kept=kept,
    )


def _small_test(pictures: int) -> str:
    """What a test of so few pictures can tell, by the case that nine of ten are right."""
    low, high = wilson(round(0.9 * pictures), pictures)
    return (
        f"Of {pictures} test pictures, 90 % named correctly means {low:.0%} to {high:.0%}; "
        "--folds 5 tests every picture."
    )


def _ties(collection: Collection, rows: pa.Table, progress: Progress) -> Ties | None:
    """Which of the pictures look the same; None, with a note, where nobody can tell."""
    found = read_hashes(collection, rows["picture_id"].drop_null().to_pylist())
    if found is None:
        progress.note("No picture has a perceptual hash yet: near-duplicates are not looked for.")
        return None
    if found.without:
        progress.note(
            f"Pictures that show too little for a perceptual hash: {found.without:,}. Only "
            "identical files and groups tie them."
        )
    return tie(found)


def _count(parts: pa.ChunkedArray) -> dict[str, int]:
    return dict(Counter(parts.to_pylist()).most_common())
