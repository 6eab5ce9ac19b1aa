"""The labelled pictures of a collection, read and prepared in parallel."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow.compute as pc

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import digest_json
from pixelmine.core.processors import processors
from pixelmine.core.progress import Progress
from pixelmine.evaluate.refuse import refuse_leaks
from pixelmine.input import read
from pixelmine.preprocess import Preprocessing
from pixelmine.store.collection import Collection
from pixelmine.store.query import find_split, labelled_pictures

from .jobs import TrainJob
from .pixels import Room

__all__ = ["Found", "read_pictures"]

_CHUNK = 1024
"""Rows in flight at once, which bounds the decoded pictures that wait."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """N pictures that could be read: `x` uint8 (N, H, W, C), maybe in a file; N of each list."""

    x: np.ndarray
    labels: list[list[str]]
    picture_ids: list[str]
    groups: list[str | None]
    part: list[str]
    split_id: str | None


def read_pictures(
    collection: Collection,
    job: TrainJob,
    preprocessing: Preprocessing,
    shape: tuple[int, int, int],
    progress: Progress,
) -> Found:
    """Prepare every picture of the parts `train` and `val` that has exactly one label.

    With the job's `multi_label`, any number of labels.

    `shape`: (H, W, C) after preprocessing. Runs all steps but the normalisation. What is
    left out is said in a note: pictures with several labels, and those that can no longer be read.
    Raises UsageError where the split has copies of its test pictures among them.
    """
    if job.split is not None and not job.allow_leaks:
        refuse_leaks(collection, job.split)
    rows = labelled_pictures(collection, job.split, job.where)
    rows = rows.filter(pc.not_equal(rows["part"], "test"))
    asked = rows.to_pylist()
    if not job.multi_label:
        asked = [row for row in asked if len(row["labels"]) == 1]
    if several := rows.num_rows - len(asked):
        progress.note(
            f"{several} pictures have several labels and are left out. train --multi-label learns "
            "from them."
        )
    room = Room.of(len(asked), shape, job.state_folder, _key(asked, preprocessing))
    x, kept = _prepare_all(asked, preprocessing, room, progress)
    good = [row for row, keep in zip(asked, kept, strict=True) if keep]
    return Found(
        x=x,
        labels=[row["labels"] for row in good],
        picture_ids=[row["picture_id"] for row in good],
        groups=[row["group"] for row in good],
        part=[row["part"] for row in good],
        split_id=_whole_name(collection, job.split) if job.split else None,
    )


def _whole_name(collection: Collection, split: str) -> str:
    prefix, colon, fold = split.partition(":")
    return find_split(collection, prefix) + colon + fold


def _key(rows: list[dict[str, Any]], preprocessing: Preprocessing) -> str:
    return digest_json([preprocessing.to_card(), [row["row_id"] for row in rows]])


def _prepare_all(
    rows: list[dict[str, Any]], preprocessing: Preprocessing, room: Room, progress: Progress
) -> tuple[np.ndarray, list[bool]]:
    if room.kept is not None:
        progress.note(f"{sum(room.kept)} pictures are prepared already, in {room.folder}.")
        return room.finish(room.kept), room.kept
    kept: list[bool] = []
    reasons: Counter[str] = Counter()
    at = 0
    progress.start("read", len(rows))
    for pixels in _in_parallel(rows, preprocessing):
        good = not isinstance(pixels, Reason)
        if good:
            room.x[at] = pixels
            at += 1
        else:
            reasons[str(pixels)] += 1
        kept.append(good)
        progress.advance(1, bad=not good)
    progress.finish()
    if reasons:
        which = ", ".join(f"{count} {name}" for name, count in reasons.most_common())
        progress.note(f"{sum(reasons.values())} pictures are left out: {which}.")
    return room.finish(kept), kept


def _in_parallel(
    rows: list[dict[str, Any]], preprocessing: Preprocessing
) -> Iterator[np.ndarray | Reason]:
    limits = Limits()
    waiting = iter(rows)
    with ThreadPoolExecutor(processors()) as pool:
        while chunk := list(islice(waiting, _CHUNK)):
            yield from pool.map(lambda row: _prepare(row, preprocessing, limits), chunk)


def _prepare(
    row: dict[str, Any], preprocessing: Preprocessing, limits: Limits
) -> np.ndarray | Reason:
    """One picture's pixels. A file that is no longer the one that was ingested is not used."""
    data = read({**row, "reason": None}, limits)
    if isinstance(data, Reason):
        return data
    return preprocessing.prepare_uint8(data, limits, row["frame"])
