"""Pictures into a collection."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import PASSING, Limits
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json, file_uri
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import IMAGES, LABELS
from pixelmine.engine import Run
from pixelmine.input.labels import LabelOptions
from pixelmine.pipeline import Inspect
from pixelmine.preprocess import DecodeOptions
from pixelmine.store import Collection

from .labels import user_name
from .sources import list_sources
from .work import Commits, Counts, work_through

__all__ = ["Ingested", "ingest"]

_CHUNK = 500
"""Rows that one query asks for by name."""


@dataclass(frozen=True)
class Ingested:
    """`listed`: rows that the sources gave; `counts`: of those that were new or changed."""

    collection: Path
    listed: int
    counts: Counts
    labels: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "collection": str(self.collection),
            "listed": self.listed,
            "new_or_changed": self.counts.to_dict(),
            "labels": self.labels,
        }


def ingest(
    sources: Sequence[str | Path],
    into: str | Path,
    *,
    labels: LabelOptions | None = None,
    limits: Limits | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
) -> Ingested:
    """Look at every picture of the sources once and note it in the collection.

    The pictures stay where they are. A killed ingest goes on where it stopped; called again, it
    takes only what is new or changed. Raises SourceError, CollectionError, OutputError.
    """
    labels, limits = (labels or LabelOptions()).absolute(), limits or Limits()
    progress = progress or SilentProgress()
    paths = [Path(os.path.abspath(source)) for source in sources]
    into = Path(os.path.abspath(into))
    _check_apart(paths)
    asked = {
        "job": "ingest",
        "sources": [file_uri(path) for path in paths],
        "labels": labels.source,
        "group_by": labels.group_by,
        "table": labels.table_digest(),
    }
    for path in paths:  # a wrong source must not leave an empty collection behind
        next(iter(list_sources([path], LabelOptions(), [into])))
    next(iter(list_sources(paths, labels, [into])))
    with (
        Collection.open_or_create(into) as collection,
        Run.open(collection.run_folder(digest_json(asked)), asked) as run,
    ):
        listed = run.list(lambda: list_sources(paths, labels, [into]))
        counts = _inspect(run, collection, limits, engine, progress)
        if counts.rows < listed:
            _tell_known(run, collection)
        added = _add_labels(run, collection, f"ingest:{digest_json(labels.source)}")
        run.finish()
    return Ingested(into, listed, counts, added)


def _inspect(
    run: Run, collection: Collection, limits: Limits, engine: str, progress: Progress
) -> Counts:
    stage = Inspect(decode=DecodeOptions(rule=collection.settings["decode"]), limits=limits)
    counts, commits = Counts(), Commits(collection.images.upsert)
    for rows in work_through(run, stage, _done(collection), engine, progress, "ingest"):
        counts.add(rows)
        commits.add(rows)
    commits.flush()
    return counts


def _done(collection: Collection) -> set[tuple[Any, ...]]:
    done: set[tuple[Any, ...]] = set()
    for rows in collection.images.scan(["row_id", "size", "mtime_ns", "reason"]):
        *keys, reasons = (column.to_pylist() for column in rows.columns)
        pairs = zip(zip(*keys, strict=True), reasons, strict=True)
        done.update(key for key, reason in pairs if reason not in PASSING)
    return done


def _tell_known(run: Run, collection: Collection) -> None:
    """Give rows that were known before the group and the table columns that are told only now."""
    collection.images.index()
    commits = Commits(collection.images.upsert)
    for rows in run.rows():
        told = rows.filter(pc.or_(pc.is_valid(rows["group"]), pc.is_valid(rows["meta"])))
        for start in range(0, told.num_rows, _CHUNK):
            new = {row["row_id"]: row for row in told.slice(start, _CHUNK).to_pylist()}
            inside = ", ".join(f"'{name}'" for name in new)
            known = collection.images.read(where=f"row_id IN ({inside})").to_pylist()
            pairs = [(row, _told(row, new[row["row_id"]])) for row in known]
            changed = [after for before, after in pairs if after != before]
            if changed:
                commits.add(pa.RecordBatch.from_pylist(changed, IMAGES))
    commits.flush()


def _told(row: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    meta = {**dict(row["meta"] or ()), **dict(new["meta"] or ())}
    group = new["group"] if new["group"] is not None else row["group"]
    return {**row, "group": group, "meta": list(meta.items()) or row["meta"]}


def _add_labels(run: Run, collection: Collection, source: str) -> int:
    """Append the labels that the source gives now and did not give before.

    A label that a person has set since stays the latest, unless the source itself changed.
    """
    given = collection.labels.read(["row_id", "labels", "time"], f"source = '{source}'")
    rows = given.sort_by("time")
    before = dict(zip(rows["row_id"].to_pylist(), rows["labels"].to_pylist(), strict=True))
    commits, added = Commits(collection.labels.append), 0
    for batch in run.rows():
        labelled = batch.filter(pc.is_valid(batch["label"]))
        pairs = zip(labelled["row_id"].to_pylist(), labelled["label"].to_pylist(), strict=True)
        new = [(row, [label]) for row, label in pairs if before.get(row) != [label]]
        added += len(new)
        if new:
            commits.add(_label_rows(new, source))
    commits.flush()
    return added


def _label_rows(labels: list[tuple[str, list[str]]], source: str) -> pa.RecordBatch:
    same = {"source": source, "who": user_name(), "time": datetime.now(UTC)}
    rows = [{"row_id": row, "labels": values, **same} for row, values in labels]
    return pa.RecordBatch.from_pylist(rows, LABELS)


def _check_apart(paths: Sequence[Path]) -> None:
    for path in paths:
        for other in paths:
            if path is not other and path.is_relative_to(other):
                raise UsageError(f"The source {path} lies in the source {other}: give one of them.")
