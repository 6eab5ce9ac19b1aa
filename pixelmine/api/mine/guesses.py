"""What a model says of pictures, where it has said it already or is asked to now."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pixelmine.api.predicted import predict_collection, read_logits, settle
from pixelmine.classify import Head
from pixelmine.core.progress import Progress
from pixelmine.engine import EngineOptions
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise
from pixelmine.store import Collection

__all__ = ["guesses"]

_PRECISIONS = ("f32", "bf16")
_BATCH = 4096


def guesses(
    collection: Collection, rows: pa.Table, model: str, *, predict: bool, progress: Progress
) -> list[str | None] | None:
    """The label that the model gives each row; None where it has seen none and is not asked to.

    A picture that it has not seen has None. `predict`: look at those first.
    """
    bundle = load_bundle(model)
    pictures = rows["picture_id"].to_pylist()
    if predict:
        stage = settle(Recognise(bundle=bundle))
        predict_collection(collection, stage, EngineOptions(), progress, set(pictures))
        return _answers(collection, stage, pictures)
    for precision in _PRECISIONS:
        found = _answers(collection, Recognise(bundle=bundle, precision=precision), pictures)
        if any(found):
            return found
    return None


def _answers(collection: Collection, stage: Recognise, pictures: Sequence[str]) -> list[str | None]:
    head = Head.from_bundle(stage.bundle)
    found: list[str | None] = []
    for start in range(0, len(pictures), _BATCH):
        some = pictures[start : start + _BATCH]
        logits = read_logits(collection, stage, some)
        known = [name for name in some if name in logits]
        answers = head.answers(np.stack([logits[n] for n in known]), None, 1) if known else []
        said = {n: str(a["top"][0]["label"]) for n, a in zip(known, answers, strict=True)}
        found += [said.get(name) for name in some]
    return found
