"""Pictures of a collection that are like one picture, or a part of it, and have labels asked for.

What the model has not seen yet is looked at first; the index of its vectors is brought up to date
then (`index.VectorIndex`), and not while a search waits for anything else. Of an encrypted
collection there is no index: its vectors are opened into memory, 4 GiB of them at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import OK, PassPolicy, Policy
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.index.vectors import IndexOptions, IndexState, VectorIndex
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise
from pixelmine.store import Collection, good_images

from .asked_picture import Region, asked_vector
from .mine.found import cleared
from .mine.pile import MODEL
from .predicted import embeddings_table, predict_collection, settle

__all__ = ["MATCHES", "Region", "Searched", "search", "vector_index"]

MATCHES = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("similarity", pa.float32()),
    ]
)
"""The most alike first, each picture once. `similarity`: cosine of the embeddings, -1 to 1; null
where no picture was asked for. `labels`: current; null where there are none."""

_PLACE = ["row_id", "picture_id", "uri", "member", "frame"]


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was found.

    `rows`: MATCHES, through the policy. `among`: how many pictures were looked at; None: all that
    the model has seen. `exact`: each was compared, no index used. `index`: what is known of it.
    """

    model: str
    rows: pa.Table = field(repr=False)
    among: int | None
    exact: bool
    index: IndexState | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "model": self.model,
            "found": self.rows.to_pylist(),
            "among": self.among,
            "exact": self.exact,
            "index": self.index.to_dict() if self.index else None,
        }

    def notes(self) -> list[str]:
        """What to know: how many of the nearest an index finds."""
        if self.exact or self.index is None:
            return []
        recall = self.index.recall
        note = (
            f"Found by an index that gives {recall.value:.1%} of the {recall.k} nearest (measured "
            f"with {recall.queries} of {self.index.rows:,} pictures)."
        )
        return [note]


def search(
    path: str | Path,
    picture: str | Path | None = None,
    *,
    row: str | None = None,
    region: Region | None = None,
    labels: Sequence[str] = (),
    where: str | None = None,
    k: int = 10,
    model: str = MODEL,
    engine: EngineOptions | None = None,
    index: IndexOptions | None = None,
    allow_private: bool = False,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> Searched:
    """The `k` pictures of a collection that are most alike to one, of those with the labels.

    `picture`: a file or URL. `row`: instead the row_id, or its beginning, of one in the collection,
    which is not found itself. Without either, pictures with the labels. `region`: a part of it.
    `labels`: current labels, all of which a picture must have. `where`: SQL over the images table.
    Raises UsageError, SourceError, ModelError, CollectionError.
    """
    if k < 1:
        raise UsageError(f"--k must be at least 1. Got {k} instead.")
    if picture is not None and row is not None:
        raise UsageError("Give PICTURE or --row, not both.")
    if picture is None and row is None and not (labels or where):
        raise UsageError("Give a PICTURE, the --row of one, or a --label or --where to search by.")
    if region is not None and picture is None and row is None:
        raise UsageError("--region is a part of a picture: give PICTURE or --row.")
    progress, policy = progress or SilentProgress(), policy or PassPolicy()
    with Collection.open(Path(path)) as collection:
        chosen = _chosen(collection, labels, where)
        if chosen is not None and picture is None and row is None:
            names = list(dict.fromkeys(chosen["picture_id"].to_pylist()))
            rows = cleared(_matches(collection, chosen, names[:k], None), policy)
            return Searched(model=model, rows=rows, among=len(names), exact=True, index=None)
        stage = settle(Recognise(bundle=load_bundle(model), allow_private=allow_private))
        near = vector_index(collection, stage, index, engine=engine, progress=progress)
        asked = asked_vector(collection, stage, picture=picture, row=row, region=region)
        wanted = None if chosen is None else pc.unique(chosen["picture_id"].combine_chunks())
        inside = wanted
        if inside is None and collection.images.count(f"status != '{OK}'"):
            # What was set aside since must not stand before what is there.
            good = collection.images.read(["picture_id"], f"status = '{OK}'")["picture_id"]
            inside = pc.unique(good.combine_chunks())
        if inside is None:
            got = near.nearest(asked.vector, k + 1)
        else:
            got = near.among(asked.vector, k + 1, inside)
        both = zip(got.pictures, got.cosines.tolist(), strict=True)
        best = dict([(name, cosine) for name, cosine in both if name != asked.picture_id][:k])
        rows = _matches(collection, chosen, list(best), list(best.values()))
    return Searched(
        model=stage.bundle.card.name,
        rows=cleared(rows, policy),
        among=None if wanted is None else len(wanted),
        exact=got.exact,
        index=near.state,
    )


def vector_index(
    collection: Collection,
    stage: Recognise,
    options: IndexOptions | None = None,
    *,
    engine: EngineOptions | None = None,
    progress: Progress,
) -> VectorIndex:
    """The index of a model's vectors, when the model has seen every good picture.

    Those that it has not seen are looked at, and the index is made or extended. `stage`: with the
    precision that it came to. A collection that cannot be written to is searched as it is.
    """
    version = collection.images.version
    near = VectorIndex(embeddings_table(collection, stage), options)
    if (state := near.state) is not None and state.source == version:
        return near
    wanted = collection.images.read(["picture_id"], f"status = '{OK}'")["picture_id"]
    if len(wanted) == 0:
        raise CollectionError(f"{collection.path} holds no good picture.")
    table = near.table
    seen = table.read(["picture_id"])["picture_id"].combine_chunks()
    if not pc.all(pc.is_in(wanted, value_set=seen)).as_py():
        predict_collection(collection, stage, engine or EngineOptions(), progress)
    if not table.exists:
        raise CollectionError(f"No picture of {collection.path} can be read any more.")
    if not collection.encrypted and table.count() >= near.options.exact_below:
        progress.start("index")
        try:
            near.refresh(version)
        except OSError as error:
            progress.note(
                f"The index of vectors could not be kept ({error}): no harm but to speed."
            )
        progress.finish()
    return near


def _chosen(collection: Collection, labels: Sequence[str], where: str | None) -> pa.Table | None:
    """The good rows that `labels` and `where` leave, sorted by row_id; None: all of them."""
    if not labels and where is None:
        return None
    rows = good_images(collection, _PLACE, where).sort_by("row_id")
    if labels:
        current = collection.current_labels()
        for label in labels:
            has = np.fromiter(
                (label in held for held in current["labels"].to_pylist()), bool, current.num_rows
            )
            if not has.any():
                known = sorted({one for held in current["labels"].to_pylist() for one in held})
                said = ", ".join(known[:20]) or "none; give some with: pixelmine label"
                raise UsageError(f"No picture is labelled {label!r}. The labels: {said}.")
            current = current.filter(pa.array(has))
            if current.num_rows == 0:
                break
        inside = pc.is_in(rows["row_id"], value_set=current["row_id"].combine_chunks())
        rows = rows.filter(inside)
    return rows


def _matches(
    collection: Collection,
    chosen: pa.Table | None,
    names: Sequence[str],
    cosines: Sequence[float] | None,
) -> pa.Table:
    """MATCHES of these pictures, in their order; of the rows of one the first by row_id."""
    if not names:
        return MATCHES.empty_table()
    if chosen is None:
        inside = ", ".join(f"'{name}'" for name in names)
        some = collection.images.read(_PLACE, f"status = '{OK}' AND picture_id IN ({inside})")
        chosen = some.sort_by("row_id")
    else:
        chosen = chosen.filter(pc.is_in(chosen["picture_id"], value_set=pa.array(names)))
    rows: dict[str, dict[str, Any]] = {}
    for one in chosen.to_pylist():
        rows.setdefault(one["picture_id"], one)
    inside = ", ".join(f"'{one['row_id']}'" for one in rows.values())
    said = collection.labels.read(["row_id", "labels", "time"], f"row_id IN ({inside})")
    labels = {one["row_id"]: one["labels"] or None for one in said.sort_by("time").to_pylist()}
    found = [
        {
            **rows[name],
            "labels": labels.get(rows[name]["row_id"]),
            "similarity": None if cosines is None else cosines[place],
        }
        for place, name in enumerate(names)
        if name in rows
    ]
    return pa.Table.from_pylist(found, MATCHES)
