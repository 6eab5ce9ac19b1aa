"""Pictures into a collection."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import OK, PASSING, Limits, Reason
from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import IMAGES, LABELS
from pixelmine.engine import DONE_KEY, EngineOptions, Run
from pixelmine.features import FEATURES
from pixelmine.input import SourceOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.pipeline import Inspect
from pixelmine.preprocess import DecodeOptions, Frames
from pixelmine.store import Collection, KnownPictures

from .labels import user_name
from .sources import open_sources
from .work import Commits, Counts, work_through

__all__ = ["Ingested", "add_labels", "commit_inspected", "ingest", "inspect_stage", "inspected"]

FEATURES_KEPT = ("pdq", "measures", "surface")
"""What is computed from the one decode of each picture, beside what `images` holds."""

_CHUNK = 500
"""Rows that one query asks for by name."""

_NOT_ERASED = f"(reason IS NULL OR reason != '{Reason.ERASED}')"


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
    options: SourceOptions | None = None,
    frames: str = "auto",
    limits: Limits | None = None,
    encrypt: bool = False,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Ingested:
    """Look at every picture of the sources once and note it in the collection.

    The pictures stay where they are; what cannot be read again is copied. A killed ingest goes on
    where it stopped; called again, it takes only what is new or changed. `frames`: see
    `preprocess.Frames`. `encrypt`: a new collection is sealed with the master key of the
    environment (`store.sealing`). Raises SourceError, CollectionError, OutputError, SealedError.
    """
    labels, limits = (labels or LabelOptions()).absolute(), limits or Limits()
    engine, progress = engine or EngineOptions(), progress or SilentProgress()
    into, frames = Path(os.path.abspath(into)), Frames(which=frames).which
    options = replace(options or SourceOptions(), labels=labels, leave_out=(into,))
    source = open_sources(sources, options)  # a wrong one must not leave an empty collection behind
    asked = {
        "job": "ingest",
        "sources": source.uri.split(),
        "labels": labels.source,
        "group_by": labels.group_by,
        "table": labels.table_digest(),
        "frames": frames,
        "picture_column": options.picture_column,
        "query": options.query,
    }
    with (
        Collection.open_or_create(into, encrypt=encrypt) as collection,
        Run.open(collection.run_folder(digest_json(asked)), asked) as run,
    ):
        listed = run.list(source.list)
        stage = inspect_stage(collection, frames, limits, options.allow_private)
        counts = _inspect(run, collection, stage, engine, progress)
        if counts.items < listed:
            _tell_known(run, collection)
        told_by = f"ingest:{digest_json(labels.source)}"
        added = add_labels(collection, run.rows(), told_by, labels)
        run.finish()
        if collection.encrypted:  # pictures that the source gave are in the listing, in plain
            shutil.rmtree(run.folder / "listing", ignore_errors=True)
    return Ingested(into, listed, counts, added)


def inspect_stage(
    collection: Collection, frames: str, limits: Limits, allow_private: bool = False
) -> Inspect:
    """The stage that fills a collection, by the decode rule that it pins."""
    return Inspect(
        decode=DecodeOptions(rule=collection.settings["decode"]),
        limits=limits,
        frames=frames,
        kept=collection.bytes.folder,
        erased=collection.path,
        allow_private=allow_private,
        features=FEATURES_KEPT,
        collection=collection.path if collection.images.exists else None,
    )


def commit_inspected(collection: Collection, rows: pa.Table) -> None:
    """Features, then images: a row of images never points at something missing."""
    good = rows.filter(pc.equal(rows["status"], OK))
    for name in FEATURES_KEPT:
        feature = FEATURES.get(name)()
        table = collection.feature(feature.producer, feature.fields)
        new = good.filter(pc.is_valid(good[feature.fields[0].name]))
        table.insert_new(new.select(table.schema.names))
    collection.images.upsert(rows.select(IMAGES.names))


def _inspect(
    run: Run, collection: Collection, stage: Inspect, engine: EngineOptions, progress: Progress
) -> Counts:
    counts, commits = Counts(), Commits(partial(commit_inspected, collection))
    done = partial(inspected, collection)
    for rows in work_through(run, stage, done, engine, progress, "ingest", commits.flush):
        counts.add(rows)
        commits.add(rows)
    return counts


def inspected(collection: Collection) -> Iterator[pa.RecordBatch]:
    """DONE_KEY of the rows that need not be looked at again.

    A good picture that lacks a feature, since an older version kept fewer, is looked at again.
    """
    features = [FEATURES.get(name)() for name in FEATURES_KEPT]
    tables = [collection.feature(f.producer, f.fields) for f in features]
    whole = KnownPictures.of(tables) if len({table.count() for table in tables}) > 1 else None
    for rows in collection.images.scan([*DONE_KEY, "picture_id", "reason"]):
        passing = pc.is_in(rows["reason"], value_set=pa.array(sorted(PASSING), pa.string()))
        known = pc.invert(passing)
        if whole is not None:
            pictures = rows["picture_id"].to_pylist()
            known = pc.and_(known, pa.array([not name or name in whole for name in pictures]))
        yield rows.filter(known).select(DONE_KEY)


def _tell_known(run: Run, collection: Collection) -> None:
    """Give rows that were known before the group and the table columns that are told only now."""
    collection.images.index()
    commits = Commits(collection.images.upsert)
    for rows in run.rows():
        told = rows.filter(pc.or_(pc.is_valid(rows["group"]), pc.is_valid(rows["meta"])))
        for start in range(0, told.num_rows, _CHUNK):
            new = {row["row_id"]: row for row in told.slice(start, _CHUNK).to_pylist()}
            inside = ", ".join(f"'{name}'" for name in new)
            where = f"row_id IN ({inside}) AND {_NOT_ERASED}"
            known = collection.images.read(where=where).to_pylist()
            pairs = [(row, _told(row, new[row["row_id"]])) for row in known]
            changed = [after for before, after in pairs if after != before]
            if changed:
                commits.add(pa.RecordBatch.from_pylist(changed, IMAGES))
    commits.flush()


def _told(row: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    meta = {**dict(row["meta"] or ()), **dict(new["meta"] or ())}
    group = new["group"] if new["group"] is not None else row["group"]
    return {**row, "group": group, "meta": list(meta.items()) or row["meta"]}


def add_labels(
    collection: Collection, batches: Iterable[pa.RecordBatch], source: str, options: LabelOptions
) -> int:
    """Append the labels that the source gives now and did not give before.

    `options`: say how several stand in one text. A label that a person has set since stays the
    latest, unless the source itself changed. What was erased gets none.
    """
    given = collection.labels.read(["row_id", "labels", "time"], f"source = '{source}'")
    rows = given.sort_by("time")
    before = dict(zip(rows["row_id"].to_pylist(), rows["labels"].to_pylist(), strict=True))
    commits, added = Commits(collection.labels.append), 0
    gone = collection.images.read(["row_id"], f"reason = '{Reason.ERASED}'")["row_id"]
    for batch in batches:
        erased = pc.is_in(batch["row_id"], value_set=gone.combine_chunks())
        labelled = batch.filter(pc.and_not(pc.is_valid(batch["label"]), erased))
        pairs = zip(labelled["row_id"].to_pylist(), labelled["label"].to_pylist(), strict=True)
        told = [(row, options.several(label)) for row, label in pairs]
        new = [(row, several) for row, several in told if several and before.get(row) != several]
        added += len(new)
        if new:
            commits.add(_label_rows(new, source))
    commits.flush()
    return added


def _label_rows(labels: list[tuple[str, list[str]]], source: str) -> pa.RecordBatch:
    same = {"source": source, "who": user_name(), "time": datetime.now(UTC)}
    rows = [{"row_id": row, "labels": values, **same} for row, values in labels]
    return pa.RecordBatch.from_pylist(rows, LABELS)
