"""The whole system on one page.

    input       a row to its bytes          input.read             (looking.Looks)
    preprocess  bytes to ready pixels       preprocess.Preprocessing
    features    pixels to vectors           features.extract
    classify    vectors to answers          classify.Head
    output      answers to result rows      output.result_rows

`Recognise` runs all five; `Inspect` stops after decoding: what a collection keeps of a picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine import classify, features, output, preprocess, runtime
from pixelmine.core import Limits, Reason, cache
from pixelmine.core.errors import ModelError
from pixelmine.core.schema import IMAGES
from pixelmine.engine import Work
from pixelmine.loaded import Model
from pixelmine.looking import Reading, inspecting, preparing
from pixelmine.models import Bundle
from pixelmine.store import Collection, KnownPictures

__all__ = ["Inspect", "Model", "Recognise", "load_model"]


@dataclass(frozen=True, kw_only=True)
class Recognise(Reading):
    """Stage: listing rows to result rows. `auto` is the fastest that passes the golden check.

    `vectors`: whether the rows have logits and embedding too.
    """

    bundle: Bundle
    runtime: str = "auto"
    precision: str = "auto"
    top: int = 5
    vectors: bool = False

    @property
    def schema(self) -> pa.Schema:
        """Of the result rows."""
        return output.recognised_schema(self.bundle.card, self.vectors)

    def open(self) -> Work:
        """Load the model; start the processes that decode."""
        return _Recognising(self)


@dataclass(frozen=True, kw_only=True)
class Inspect(Reading):
    """Stage: listing rows to `images` rows and `features`, by one decode of each picture.

    What `collection` knows already is not decoded again: its features are null.
    """

    decode: preprocess.DecodeOptions
    features: tuple[str, ...] = ()
    collection: Path | None = None

    @property
    def schema(self) -> pa.Schema:
        """Of the `images` table, and the fields of the features."""
        return pa.schema([*IMAGES, *features.feature_fields(self.features)])

    def known(self) -> KnownPictures:
        """The pictures that need not be decoded."""
        if self.collection is None:
            return KnownPictures()
        wanted = [features.FEATURES.get(name)() for name in self.features]
        kept = Collection.open(self.collection)
        return KnownPictures.of([kept.feature(f.producer, f.fields) for f in wanted])

    def open(self) -> Work:
        """Start the processes that decode."""
        return _Inspecting(self)


class _Recognising:
    def __init__(self, stage: Recognise) -> None:
        self.stage = stage
        self.looks = preparing(stage.bundle.card, stage)
        self.model = load_model(stage.bundle, stage.runtime, stage.precision)
        self.close = self.looks.close

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        seen: list[dict[str, Any]] = []

        def ready() -> Iterator[np.ndarray]:  # decoded ahead, while the network runs
            for look in self.looks(rows.to_pylist()):
                seen.extend(look.rows())
                yield from look.pixels()

        model, steps = self.model, self.model.preprocessing
        vectors = features.extract(ready(), model.network, steps.normalise, steps.views)
        answers: list[dict[str, Any]] = []
        if vectors:
            answers = model.head.answers(vectors.logits, vectors.embedding, self.stage.top)
        return output.result_rows(seen, answers, vectors, model.card, self.stage.schema)


class _Inspecting:
    def __init__(self, stage: Inspect) -> None:
        self.stage = stage
        self.looks = inspecting(stage.decode, stage.features, stage.known(), stage)
        self.close = self.looks.close

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        looks = self.looks(rows.to_pylist())
        found = [row for look in looks for row in look.rows()]
        return pa.RecordBatch.from_pylist(found, self.stage.schema)


def load_model(bundle: Bundle, runtime_name: str = "auto", precision: str = "auto") -> Model:
    """Load a bundle on the fastest runtime whose golden pictures come out right.

    A runtime or precision that is named is the only one tried. Raises ModelError.
    """
    card, refused = bundle.card, []
    steps = preprocess.Preprocessing.from_card(card.preprocessing)
    described = features.vector_features_from_card(card.features.steps if card.features else [])
    choice = runtime.Choice(bundle, (runtime_name, precision), cache.cache_folder() / "runtime")
    for network in choice.candidates():
        model = Model(card, network, steps, described, classify.Head.from_bundle(bundle))
        try:
            _check_golden(bundle, model)
            choice.remember(network)
            return model
        except (ModelError, ValueError) as error:  # ValueError: steps that do not fit the pixels
            refused.append(f"{network.runtime} {network.precision}: {error}")
    raise ModelError(f"{card.name} cannot be used here: " + " ".join(refused or choice.refused))


def _check_golden(bundle: Bundle, model: Model) -> None:
    for picture in bundle.golden:
        pixels = model.preprocessing.prepare_uint8(picture.data, Limits())
        if isinstance(pixels, Reason) or not bundle.card.fits(taken := model.take(pixels)):
            raise ModelError(f"its preprocessing does not fit the golden picture {picture.name}.")
        found = model.network.run(taken)
        picture.compare(found.logits.mean(0), found.embedding.mean(0), model.network.precision)
