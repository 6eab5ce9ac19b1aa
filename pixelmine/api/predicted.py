"""Predictions of a collection: each picture once for each model, kept in its tables."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.classify import Head
from pixelmine.core import FAILED, OK, Reason
from pixelmine.core.ids import digest, digest_json
from pixelmine.core.progress import Progress
from pixelmine.core.schema import LISTING
from pixelmine.engine import EngineOptions, Run
from pixelmine.output.parts import PART
from pixelmine.pipeline import Recognise, load_model
from pixelmine.store import Collection, Table
from pixelmine.store.by_id import read_by_id

from .work import Commits, work_through

__all__ = [
    "Answered",
    "embeddings_table",
    "predict_collection",
    "read_embeddings",
    "read_logits",
    "settle",
]

_BATCH = 512
_PICTURES = [
    "row_id",
    "uri",
    "member",
    "frame",
    "offset",
    "length",
    "size",
    "mtime_ns",
    "content_id",
    "picture_id",
]


@dataclass(frozen=True)
class Answered:
    """A collection whose good pictures have predictions.

    `failed`: row_id to the reason why it could not be looked at now.
    """

    collection: Collection
    stage: Recognise
    failed: dict[str, str]

    def row_ids(self) -> Iterator[str]:
        """Of every row of `images`."""
        for rows in self.collection.images.scan(["row_id"]):
            yield from rows["row_id"].to_pylist()

    def rows(self) -> Iterator[pa.RecordBatch]:
        """One result row for each row of `images`."""
        for rows in self.collection.images.scan([*_PICTURES, "reason"], batch_size=_BATCH):
            yield self._answer(rows)

    def _answer(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        card = self.stage.bundle.card
        pictures = rows["picture_id"].to_pylist()
        logits = read_logits(self.collection, self.stage, pictures)
        known = [picture for picture in pictures if picture in logits]
        found: dict[str, dict[str, Any]] = {}
        if known:
            answers = self.head.answers(
                np.stack([logits[p] for p in known]), self._embeddings(known), self.stage.top
            )
            found = dict(zip(known, answers, strict=True))
        out = []
        for row in rows.to_pylist():
            answer = found.get(row["picture_id"], {})
            reason = row["reason"]
            if reason is None and not answer:
                reason = self.failed.get(row["row_id"], Reason.UNREADABLE)
            status = OK if reason is None else FAILED
            name = {"model": card.name, "model_digest": card.digest}
            out.append({**row, **answer, **name, "status": status, "reason": reason})
        return pa.RecordBatch.from_pylist(out, PART)

    @cached_property
    def head(self) -> Head:
        """What the answers are made with."""
        return Head.from_bundle(self.stage.bundle)

    def _embeddings(self, pictures: list[str]) -> np.ndarray | None:
        if self.head.oddness is None:
            return None
        found = read_embeddings(self.collection, self.stage, pictures)
        return np.stack([found[picture] for picture in pictures])


def predict_collection(
    collection: Collection,
    stage: Recognise,
    engine: EngineOptions,
    progress: Progress,
    only: Set[str] | None = None,
) -> Answered:
    """Predict every good picture that this bundle has no prediction of yet.

    `only`: the picture_ids that are wanted, if not all. Identical pictures are looked at once;
    where that copy cannot be read any more, the others are.
    """
    stage = replace(
        settle(stage),
        frames=None,
        vectors=True,
        kept=collection.bytes.folder,
        erased=collection.path,
    )
    card = stage.bundle.card
    predictions = collection.predictions(_producer(card.digest, stage), len(card.labels))
    features = embeddings_table(collection, stage)

    def commit(rows: pa.Table) -> None:
        good = rows.filter(pc.equal(rows["status"], OK))
        good = good.append_column("values", good["embedding"])
        features.insert_new(good.select(["picture_id", "values"]))
        predictions.insert_new(good.select(predictions.schema.names))

    failed: dict[str, str] = {}
    asked = {"job": "predict", "producer": _producer(card.digest, stage)}
    with Run.open(collection.run_folder(digest_json(asked)), asked) as run:
        for copies in (False, True):
            listing = partial(_listing, collection, predictions, failed, only, copies)
            if not run.list(listing, anew=True):
                break
            commits = Commits(commit)
            work = work_through(run, stage, tuple, engine, progress, "predict", commits.flush)
            for rows in work:
                commits.add(rows)
                bad = rows.filter(pc.equal(rows["status"], FAILED))
                names, reasons = bad["row_id"].to_pylist(), bad["reason"].to_pylist()
                failed.update(zip(names, reasons, strict=True))
            if not failed:
                break
        predictions.index()
        run.finish()
    return Answered(collection, stage, failed)


def read_logits(
    collection: Collection, stage: Recognise, pictures: Sequence[str | None]
) -> dict[str, np.ndarray]:
    """The (K,) logits that a model gave those pictures that it has seen."""
    card = stage.bundle.card
    table = collection.predictions(_producer(card.digest, stage), len(card.labels))
    return _read(table, "logits", len(card.labels), pictures)


def read_embeddings(
    collection: Collection, stage: Recognise, pictures: Sequence[str | None]
) -> dict[str, np.ndarray]:
    """The (D,) embeddings that a model gave those pictures that it has seen."""
    size = stage.bundle.card.embedding_dimensions
    return _read(embeddings_table(collection, stage), "values", size, pictures)


def embeddings_table(collection: Collection, stage: Recognise) -> Table:
    """Where the embeddings of a model lie; `stage`: with the precision that it came to."""
    card = stage.bundle.card
    return collection.features(_producer(card.embedding_digest, stage), card.embedding_dimensions)


def _read(
    table: Table, column: str, size: int, pictures: Sequence[str | None]
) -> dict[str, np.ndarray]:
    names = sorted({picture for picture in pictures if picture})
    rows = read_by_id(table, "picture_id", names, ["picture_id", column])
    values = rows[column].combine_chunks().flatten().to_numpy().reshape(-1, size)
    return dict(zip(rows["picture_id"].to_pylist(), values, strict=True))


def settle(stage: Recognise) -> Recognise:
    """The same stage with the runtime and precision that `auto` comes to on this machine."""
    if "auto" not in (stage.runtime, stage.precision):
        return stage
    network = load_model(stage.bundle, stage.runtime, stage.precision).network
    return replace(stage, runtime=network.runtime, precision=network.precision)


def _producer(known_as: str, stage: Recognise) -> str:
    """What a table is named for: answers of another precision than f32 are kept apart."""
    return known_as if stage.precision == "f32" else digest(known_as, stage.precision)


def _listing(
    collection: Collection,
    predictions: Table,
    failed: dict[str, str],
    only: Set[str] | None,
    copies: bool,
) -> Iterator[pa.RecordBatch]:
    """One row for each good picture without a prediction, as LISTING; with `copies` every row.

    A row in `failed` is not listed again.
    """
    known = {
        name for rows in predictions.scan(["picture_id"]) for name in rows["picture_id"].to_pylist()
    }
    for rows in collection.images.scan(_PICTURES, "status = 'ok'"):
        new = []
        for row in rows.to_pylist():
            picture = row["picture_id"]
            if picture in known or row["row_id"] in failed:
                continue
            if only is None or picture in only:
                if not copies:
                    known.add(picture)
                new.append(row)
        if new:
            yield pa.RecordBatch.from_pylist(new, LISTING)
