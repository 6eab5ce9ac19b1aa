"""The whole system on one page.

    input       a row to its bytes          input.read
    preprocess  bytes to ready pixels       preprocess.Preprocessing
    features    pixels to vectors           features.extract
    classify    vectors to answers          classify.Head
    output      answers to result rows      output.result_rows

`Recognise` runs all five. `Inspect` stops after decoding: what a collection keeps of a picture. An
engine (`pixelmine.engine`) runs either over one batch or over millions.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine import classify, features, output, preprocess, runtime
from pixelmine import input as source
from pixelmine.core import FAILED, OK, Limits, Reason, cache, ids
from pixelmine.core.errors import ModelError
from pixelmine.core.schema import IMAGES
from pixelmine.engine import Work
from pixelmine.models import Bundle, Card

__all__ = ["Inspect", "Model", "Recognise", "load_model", "recognise"]


@dataclass(frozen=True)
class Model:
    """A bundle that is loaded and has passed its golden check on this machine."""

    card: Card
    network: runtime.Network
    preprocessing: preprocess.Preprocessing
    head: classify.Head


@dataclass(frozen=True, kw_only=True)
class Recognise:
    """Stage: listing rows to result rows. `auto` is the fastest that passes the golden check."""

    bundle: Bundle
    runtime: str = "auto"
    precision: str = "auto"
    top: int = 5
    limits: Limits = field(default_factory=Limits)

    @property
    def schema(self) -> pa.Schema:
        """Of the result rows, with the (K,) logits and (D,) embedding."""
        return output.recognised_schema(self.bundle.card)

    def open(self) -> Work:
        """Load the model."""
        model = load_model(self.bundle, self.runtime, self.precision)
        return partial(
            recognise, stage=self, model=model, pool=ThreadPoolExecutor(runtime.processors())
        )


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Stage: listing rows to `images` rows, by one decode of each picture."""

    decode: preprocess.DecodeOptions
    limits: Limits = field(default_factory=Limits)

    @property
    def schema(self) -> pa.Schema:
        """Of the `images` table."""
        return IMAGES

    def open(self) -> Work:
        """Start the threads."""
        pool, look = ThreadPoolExecutor(runtime.processors()), partial(_inspect, stage=self)
        return lambda rows: pa.RecordBatch.from_pylist([*pool.map(look, rows.to_pylist())], IMAGES)


def recognise(
    rows: pa.RecordBatch, *, stage: Recognise, model: Model, pool: ThreadPoolExecutor
) -> pa.RecordBatch:
    """N rows through the five stages, in order; the pool decodes ahead while the network runs."""
    seen: list[tuple[str | None, Reason | None]] = []

    def ready() -> Iterator[np.ndarray]:
        prepare = partial(_prepare, preprocessing=model.preprocessing, limits=stage.limits)
        for picture, pixels in pool.map(prepare, rows.to_pylist()):
            seen.append((picture, pixels if isinstance(pixels, Reason) else None))
            if not isinstance(pixels, Reason):
                yield pixels

    vectors = features.extract(ready(), model.network)
    answers = model.head.answers(vectors.logits, stage.top) if vectors else []
    return output.result_rows(rows, seen, answers, vectors, model.card)


def load_model(bundle: Bundle, runtime_name: str = "auto", precision: str = "auto") -> Model:
    """Load a bundle on the fastest runtime whose golden pictures come out right.

    A runtime or precision that is named is the only one tried. Raises ModelError.
    """
    card, refused = bundle.card, []
    steps = preprocess.Preprocessing.from_card(card.preprocessing)
    head = classify.Head.from_card(card)
    choice = runtime.Choice(bundle, (runtime_name, precision), cache.cache_folder() / "runtime")
    for network in choice.candidates():
        model = Model(card, network, steps, head)
        try:
            _check_golden(bundle, model)
            choice.remember(network)
            return model
        except (ModelError, ValueError) as error:  # ValueError: steps that do not fit the pixels
            refused.append(f"{network.runtime} {network.precision}: {error}")
    raise ModelError(f"{card.name} cannot be used here: " + " ".join(refused or choice.refused))


def _check_golden(bundle: Bundle, model: Model) -> None:
    for picture in bundle.golden:
        pixels = model.preprocessing.prepare(picture.data, Limits())
        if isinstance(pixels, Reason) or not bundle.card.input.fits(pixels):
            raise ModelError(f"its preprocessing does not fit the golden picture {picture.name}.")
        found = model.network.run(pixels[None])
        picture.compare(found.logits[0], found.embedding[0], model.network.precision)


def _prepare(
    row: dict[str, Any], preprocessing: preprocess.Preprocessing, limits: Limits
) -> tuple[str | None, np.ndarray | Reason]:
    data = source.read(row, limits)
    if isinstance(data, Reason):
        return None, data
    return ids.picture_id(ids.content_id(data), row["frame"]), preprocessing.prepare(data, limits)


def _inspect(row: dict[str, Any], stage: Inspect) -> dict[str, Any]:
    data = source.read(row, stage.limits)
    if isinstance(data, Reason):
        return {**row, "status": FAILED, "reason": data}
    content = ids.content_id(data)
    found = {**row, "content_id": content, "picture_id": ids.picture_id(content, row["frame"])}
    picture = preprocess.decode(data, stage.decode, stage.limits)
    if isinstance(picture, Reason):
        return {**found, "status": FAILED, "reason": picture}
    meta = {**picture.meta, **dict(row["meta"] or ())}
    return {**found, **picture.columns(), "meta": list(meta.items()), "status": OK}
