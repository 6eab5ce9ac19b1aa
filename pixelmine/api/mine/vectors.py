"""The vectors that labels are judged by: a network's embedding, designed features, or both.

Which is best is seen by how often the opinions of others agree with the labels that were given, on
a sample, before anything is said about any label.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.predicted import predict_collection, read_embeddings, settle
from pixelmine.core.errors import CollectionError
from pixelmine.core.progress import Progress
from pixelmine.engine import EngineOptions
from pixelmine.mine.out_of_fold import out_of_fold
from pixelmine.mine.principal import reduce, unit
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise
from pixelmine.store import Collection

from .designed import designed_vectors
from .labelled import Labelled
from .pile import MODEL, embed

__all__ = ["FEATURES", "Features", "Vectors", "choose_features", "read_vectors"]

Features = Literal["auto", "embedding", "designed", "both"]
FEATURES: tuple[Features, ...] = ("auto", "embedding", "designed", "both")

_TINY = 64
"""Pixels: of a median short side below it designed features are tried; of photographs, which the
network was trained on, the embedding is taken untried, unless `both` is asked for."""
_SAMPLE = 2000
"""Pictures that are compared on: an agreement of .98 is then known to .003."""
_DIRECTIONS = 192
"""That designed features are reduced to: of MNIST's, as good as all, and nine times as fast."""


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Of N pictures, float32 (N, D), each of length 1. `rows`: theirs. `failed`: could not be read.

    `features`: what they are.
    """

    rows: pa.Table = field(repr=False)
    vectors: np.ndarray = field(repr=False)
    features: Features
    failed: int


def read_vectors(
    collection: Collection,
    rows: pa.Table,
    features: Features,
    model: str = MODEL,
    *,
    where: str | None = None,
    engine: EngineOptions | None = None,
    progress: Progress,
) -> Vectors:
    """The vectors of these pictures; what is not there yet is computed and kept.

    `rows`: of `pile.read_pictures(collection, where)`, or some of them. Pictures that cannot be
    read any more are left out. Raises CollectionError where none can.
    """
    asked = rows["picture_id"].combine_chunks()
    kept = np.arange(len(asked))
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if features in ("embedding", "both"):
        found = embed(collection, model, where=where, engine=engine, progress=progress)
        at = pc.index_in(asked, value_set=found.rows["picture_id"].combine_chunks())
        places = np.flatnonzero(pc.is_valid(at).to_numpy(zero_copy_only=False))
        parts["embedding"] = places, found.vectors[pc.drop_null(at).to_numpy()]
    if features in ("designed", "both"):
        places, values = designed_vectors(collection, rows, progress)
        if len(places):
            parts["designed"] = places, reduce(values, _DIRECTIONS)
    for places, _ in parts.values():
        kept = np.intersect1d(kept, places)
    if not parts or not len(kept):
        raise CollectionError(f"No picture of {collection.path} can be read and described.")
    taken = [values[np.isin(places, kept)] for places, values in parts.values()]
    return Vectors(
        rows=rows.take(pa.array(kept)).combine_chunks(),
        vectors=unit(np.concatenate(taken, axis=1)),
        features=features,
        failed=len(asked) - len(kept),
    )


def choose_features(
    collection: Collection,
    labelled: Labelled,
    model: str = MODEL,
    *,
    seed: int = 0,
    engine: EngineOptions | None = None,
    progress: Progress,
) -> tuple[Features, dict[str, float]]:
    """What to judge these labels by, and the agreement of each that was tried, 0 to 1.

    Designed features, which cost a hundredth, unless the embedding is better by more than one
    standard error (Breiman et al. 1984). Only tiny pictures are described; of others the embedding
    is taken untried. Both side by side is taken where it is asked for: of MNIST's 70,000 digits
    with a twentieth of the labels wrong, gradients alone found as many of them (.985 of the first
    3,500 were wrong, both .984), and the network took 20 minutes to look at each (2026-11).
    """
    sides = np.minimum(
        pc.fill_null(labelled.rows["width"], 0).to_numpy(),
        pc.fill_null(labelled.rows["height"], 0).to_numpy(),
    )
    if np.median(sides) >= _TINY:
        return "embedding", {}
    few = min(_SAMPLE, len(labelled.y))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(labelled.y))[:few])
    sample = labelled.take(chosen)
    embedding = _sampled_embedding(collection, sample.rows, model, engine, progress)
    places, values = designed_vectors(collection, sample.rows, progress)
    seen = np.flatnonzero(np.isfinite(embedding).all(axis=1))
    kept = np.intersect1d(places, seen)
    if not len(places) or not len(kept):
        return "embedding", {}
    described = reduce(values[np.isin(places, kept)], _DIRECTIONS)
    looked_at = unit(embedding[kept])
    tried: dict[Features, np.ndarray] = {
        "designed": described,
        "embedding": looked_at,
    }
    found = {
        name: _agreement(vectors, sample.y[kept], sample.units[kept], seed)
        for name, vectors in tried.items()
    }
    best = max(found.values())
    enough = best - np.sqrt(best * (1 - best) / len(kept))
    return next(name for name, share in found.items() if share >= enough), {
        str(name): share for name, share in found.items()
    }


def _agreement(vectors: np.ndarray, y: np.ndarray, units: np.ndarray, seed: int) -> float:
    names, codes = np.unique(y, return_inverse=True)
    folds = min(5, len(np.unique(units)))
    if len(names) < 2 or folds < 2:
        return 0.0
    return float(out_of_fold(vectors, codes, units, folds=folds, seed=seed).agreement(codes).mean())


def _sampled_embedding(
    collection: Collection,
    rows: pa.Table,
    model: str,
    engine: EngineOptions | None,
    progress: Progress,
) -> np.ndarray:
    """Float32 (N, D), a row of NaN where a picture could not be looked at."""
    stage = settle(Recognise(bundle=load_bundle(model)))
    pictures = rows["picture_id"].to_pylist()
    predict_collection(collection, stage, engine or EngineOptions(), progress, set(pictures))
    found = read_embeddings(collection, stage, pictures)
    size = stage.bundle.card.embedding_dimensions
    nothing = np.full(size, np.nan, np.float32)
    return np.stack([found.get(name, nothing) for name in pictures])
