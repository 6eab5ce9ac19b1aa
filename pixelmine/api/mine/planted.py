"""Measuring how well duplicates are found, on copies planted among the user's own pictures."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.ingest import ingest
from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import uri_path
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.input import read
from pixelmine.mine.duplicates import DuplicateOptions
from pixelmine.mine.pairs import PAIRS
from pixelmine.mine.planted import EDITS, plant
from pixelmine.mine.planted_figures import (
    EditFigures,
    ThresholdFigures,
    by_edit,
    by_threshold,
)
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.store import Collection

from .duplicates import mine_duplicates
from .pile import MODEL, read_pictures

__all__ = ["Planted", "measure_planted"]

_SMALLEST = 64
"""Pixels: of smaller pictures there is nothing to crop."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """`originals`: how many pictures copies were made of. `edits`: all together, then each.

    `thresholds`: what a bare threshold would give.
    """

    originals: int
    edits: Sequence[EditFigures]
    thresholds: Sequence[ThresholdFigures]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "originals": self.originals,
            "edits": [one.to_dict() for one in self.edits],
            "thresholds": [one.to_dict() for one in self.thresholds],
        }


def measure_planted(
    path: str | Path,
    options: DuplicateOptions | None = None,
    *,
    originals: int = 200,
    seed: int = 0,
    model: str = MODEL,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Planted:
    """Plant twelve edited copies of each of some pictures, and look which are found.

    Everything happens in a copy of the collection's tables in the system's folder for temporary
    files; the collection gets its own duplicates found, and nothing else. Raises UsageError where
    no picture is large enough, CollectionError.
    """
    if originals < 1:
        raise UsageError(f"originals must be at least 1. Got {originals} instead.")
    options = options or DuplicateOptions()
    progress = progress or SilentProgress()
    asked: dict[str, Any] = {"model": model, "engine": engine, "progress": progress}
    before = mine_duplicates(path, options, **asked).rows
    with tempfile.TemporaryDirectory(prefix="pixelmine-planted-") as temporary:
        copies, beside = Path(temporary) / "copies", Path(temporary) / "collection"
        copies.mkdir()
        with Collection.open(Path(path)) as collection:
            chosen = _choose(read_pictures(collection), originals, seed)
            made = _plant(collection, chosen, copies, seed, progress)
            _copy(collection.path, beside)
        ingest([copies], into=beside, engine=engine, progress=progress)
        after = mine_duplicates(beside, options, **asked).rows
        with Collection.open(beside) as collection:
            origin = _origin(collection, copies, made)
            pairs = collection.finding("duplicate-pairs", PAIRS).read()
    groups_before = dict(
        zip(before["picture_id"].to_pylist(), before["group_id"].to_pylist(), strict=True)
    )
    groups: dict[int, list[str]] = {}
    for picture, group in zip(
        after["picture_id"].to_pylist(), after["group_id"].to_pylist(), strict=True
    ):
        groups.setdefault(group, []).append(picture)
    return Planted(
        originals=len(made),
        edits=by_edit(list(groups.values()), origin, groups_before),
        thresholds=by_threshold(pairs, origin, groups_before),
    )


def _choose(rows: pa.Table, count: int, seed: int) -> list[dict[str, Any]]:
    large = rows.filter(
        pc.greater_equal(pc.min_element_wise(rows["width"], rows["height"]), _SMALLEST)
    )
    if large.num_rows == 0:
        raise UsageError(f"No picture has {_SMALLEST} pixels each way: nothing can be planted.")
    some = np.random.default_rng(seed).permutation(large.num_rows)[:count]
    return list(large.take(np.sort(some)).to_pylist())


def _plant(
    collection: Collection,
    chosen: Sequence[dict[str, Any]],
    folder: Path,
    seed: int,
    progress: Progress,
) -> dict[str, str]:
    """Write the copies; the name of each original's copies, and its picture_id."""
    made: dict[str, str] = {}
    progress.start("plant copies", len(chosen))
    for number, row in enumerate(chosen):
        data = read(row, Limits(), collection.bytes)
        if isinstance(data, Reason):
            continue
        picture = decode(data, DecodeOptions(rule="full"), Limits(), row["frame"])
        progress.advance(1)
        if isinstance(picture, Reason):
            continue
        pixels = picture.pixels
        rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        for edit_number, edit in enumerate(EDITS):
            copy = plant(rgb, edit, (seed, number, edit_number))
            (folder / f"{number:06d}_{edit.name}.jpg").write_bytes(copy)
        made[f"{number:06d}"] = row["picture_id"]
    progress.finish()
    return made


def _copy(collection: Path, beside: Path) -> None:
    """The tables; what was copied of the pictures themselves is only pointed at."""
    shutil.copytree(
        collection, beside, ignore=shutil.ignore_patterns("runs", "bytes", "quarantine", ".lock")
    )
    if (collection / "bytes").is_dir():
        (beside / "bytes").symlink_to(collection.absolute() / "bytes")


def _origin(
    collection: Collection, copies: Path, made: dict[str, str]
) -> dict[str, tuple[str, str]]:
    """Of each planted picture_id: what it was made of, and by which edit."""
    rows = collection.images.read(["uri", "picture_id"], "status = 'ok'").to_pylist()
    found = {}
    for row in rows:
        if not row["uri"].startswith("file://"):
            continue
        file = uri_path(row["uri"])
        if file.parent == copies:
            number, _, edit = file.stem.partition("_")
            found[row["picture_id"]] = made[number], edit
    return found
