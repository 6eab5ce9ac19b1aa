"""The good pictures of a collection as mining takes them: rows, labels, vectors, measures."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.predicted import embeddings_table, predict_collection, read_logits, settle
from pixelmine.core.errors import CollectionError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.mine.principal import Basis, unit
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise
from pixelmine.store import Collection, Table, good_images

__all__ = ["COLUMNS", "MODEL", "Embedded", "embed", "predicted_labels", "read_pictures"]

MODEL = "efficientnet-lite0-int8"
"""Whose embedding is mined with, unless another is named."""

COLUMNS = (
    *("row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns"),
    *("content_id", "picture_id", "format", "width", "height", "orientation", "group", "meta"),
)

_WIDE = 256
"""Dimensions that many vectors are reduced to."""
_MANY = 100_000
"""Vectors above which they are reduced: 100,000 of 1,280 numbers take 512 MB."""
_SAMPLE = 20_000


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """N different good pictures that the model has seen.

    `rows`: as `read_pictures` gives them. `vectors`: float32 (N, D), each of length 1. `stage`:
    the model, with the runtime and precision that it came to. `failed`: how many could not be seen.
    `basis`: what the vectors were reduced by; None: they are as the model gave them.
    """

    rows: pa.Table
    vectors: np.ndarray = field(repr=False)
    stage: Recognise
    failed: int
    basis: Basis | None = field(default=None, repr=False)

    @property
    def pictures(self) -> list[str]:
        """The picture_ids, in order."""
        return list(self.rows["picture_id"].to_pylist())

    def beside(self, other: "Embedded") -> Self:
        """The same where `other` was not reduced, or by the same basis; else reduced by its basis.

        So can the two be compared: `other` must have been made with the basis of this one.
        """
        if self.basis is not None or other.basis is None:
            return self
        return replace(self, vectors=other.basis.reduce(self.vectors), basis=other.basis)


def read_pictures(collection: Collection, where: str | None = None) -> pa.Table:
    """A row of COLUMNS for each different good picture, and `labels`: current, null where none.

    Of the rows of one picture the first by row_id that has a label stands for it, else the first.
    `where`: SQL over the images table. Sorted by picture_id. Raises UsageError, CollectionError.
    """
    images = good_images(collection, COLUMNS, where)
    if images.num_rows == 0:
        raise CollectionError(
            f"{collection.path} holds no good picture{' where ' + where if where else ''}. "
            "See what failed with: pixelmine collection show COLLECTION --failed."
        )
    current = collection.current_labels()
    at = pc.index_in(images["row_id"], value_set=current["row_id"].combine_chunks())
    images = images.append_column("labels", current["labels"].combine_chunks().take(at))
    unlabelled = pc.cast(pc.is_null(images["labels"]), pa.int8())
    keys = [("picture_id", "ascending"), ("unlabelled", "ascending"), ("row_id", "ascending")]
    order = pc.sort_indices(images.append_column("unlabelled", unlabelled), sort_keys=keys)
    rows = images.take(order)
    names = rows["picture_id"].combine_chunks()
    first = np.ones(len(names), bool)
    first[1:] = pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
    return rows.filter(pa.array(first)).combine_chunks()


def embed(
    collection: Collection,
    model: str = MODEL,
    *,
    where: str | None = None,
    basis: Basis | None = None,
    whole: bool = False,
    engine: EngineOptions | None = None,
    progress: Progress,
) -> Embedded:
    """The vectors of the good pictures; those that the model has not seen are looked at first.

    `basis`: what other vectors were reduced by that these are to be compared with; without one,
    more than 100,000 are reduced by their own. `whole`: never reduced, however many they are.
    """
    stage = settle(Recognise(bundle=load_bundle(model)))
    rows = read_pictures(collection, where)
    wanted = rows["picture_id"].combine_chunks()
    if _unseen(collection, stage, wanted):
        only = set(wanted.to_pylist()) if where else None
        predict_collection(collection, stage, engine or EngineOptions(), progress, only)
    table = embeddings_table(collection, stage)
    if basis is None and not whole and len(wanted) > _MANY:
        basis = _principal(table)
    names, vectors = _read(table, wanted, basis)
    at = pc.index_in(wanted, value_set=names)
    kept = rows.filter(pc.is_valid(at)).combine_chunks()
    vectors = vectors[pc.drop_null(at).to_numpy()]
    if not len(vectors):
        raise CollectionError(f"No picture of {collection.path} can be read any more.")
    failed = rows.num_rows - kept.num_rows
    return Embedded(rows=kept, vectors=vectors, stage=stage, failed=failed, basis=basis)


def predicted_labels(collection: Collection, found: Embedded) -> tuple[list[str], np.ndarray]:
    """The label that the model gives each of N pictures, and its probability, float32 (N,)."""
    from pixelmine.classify import Head

    head = Head.from_bundle(found.stage.bundle)
    logits = read_logits(collection, found.stage, found.pictures)
    if missing := set(found.pictures) - logits.keys():  # another bundle made the embeddings
        predict_collection(collection, found.stage, EngineOptions(), SilentProgress(), missing)
        logits = read_logits(collection, found.stage, found.pictures)
    labels, sure = [], []
    for start in range(0, len(found.pictures), 4096):
        some = found.pictures[start : start + 4096]
        answers = head.answers(np.stack([logits[name] for name in some]), None, 1)
        labels += [str(answer["top"][0]["label"]) for answer in answers]
        sure += [float(answer["top"][0]["probability"]) for answer in answers]
    return labels, np.array(sure, np.float32)


def _unseen(collection: Collection, stage: Recognise, wanted: pa.Array) -> bool:
    table = embeddings_table(collection, stage)
    seen = table.read(["picture_id"])["picture_id"] if table.exists else pa.array([], pa.string())
    if isinstance(seen, pa.ChunkedArray):
        seen = seen.combine_chunks()
    return not pc.all(pc.is_in(wanted, value_set=seen)).as_py()


def _read(table: Table, wanted: pa.Array, basis: Basis | None) -> tuple[pa.Array, np.ndarray]:
    """The picture_ids, and their vectors of length 1, reduced by the basis."""
    names, parts = [], []
    for batch in table.scan(["picture_id", "values"]):
        inside = pc.is_in(batch["picture_id"], value_set=wanted)
        batch = batch.filter(inside)
        if batch.num_rows == 0:
            continue
        values = batch["values"].flatten().to_numpy().reshape(batch.num_rows, -1)
        names.append(batch["picture_id"])
        parts.append(unit(values) if basis is None else basis.reduce(values))
    if not parts:
        return pa.array([], pa.string()), np.empty((0, 1), np.float32)
    return pa.concat_arrays(names), np.concatenate(parts)


def _principal(table: Table) -> Basis:
    """Of a sample, about the origin, which leaves cosines as they are.

    256 directions keep more than nine tenths of what Lite0 tells apart.
    """
    held: list[np.ndarray] = []
    step = max(1, table.count() // _SAMPLE)
    for batch in table.scan(["values"]):
        held.append(batch["values"].flatten().to_numpy().reshape(batch.num_rows, -1)[::step])
    sample = np.concatenate(held)
    return Basis.of(sample, np.zeros(sample.shape[1], np.float32), _WIDE)
