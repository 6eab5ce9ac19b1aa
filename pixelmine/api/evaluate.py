"""How good a model is on pictures that it has not learnt from."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine import __version__, features
from pixelmine.classify import Head
from pixelmine.core import PassPolicy, Policy, Reason
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.evaluate import (
    Evaluation,
    Headline,
    History,
    Pile,
    Provenance,
    Report,
    evaluate,
    write_report,
)
from pixelmine.evaluate.texts import Language
from pixelmine.input import is_idx_folder, read_part
from pixelmine.models import Bundle, load_bundle
from pixelmine.pipeline import Recognise, load_model
from pixelmine.store import Collection, is_collection, labelled_pictures

from .predicted import predict_collection, read_logits
from .thumbnails import Thumbnails, mistakes

__all__ = ["Evaluated", "evaluate_model"]


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, with what it was made of. `left_out`: pictures that could not be judged.

    `failed`: test pictures that cannot be read any more. `uris`: of the N that were judged.
    """

    bundle: Bundle
    evaluation: Evaluation
    split: str | None
    left_out: dict[str, int]
    failed: Counter[Reason]
    uris: list[str]
    thumbnails: Thumbnails

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        card = self.bundle.card
        about = {"model": card.name, "model_digest": card.digest, "split": self.split}
        return {
            **about,
            "left_out": self.left_out,
            "failed": dict(self.failed),
            **self.evaluation.to_dict(),
        }

    def report(
        self, policy: Policy, commands: tuple[str, ...] = (), language: Language = "en"
    ) -> Report:
        """The sections that an evaluation fills."""
        card = self.bundle.card
        training = card.training
        history = None
        if training is not None and training.history:
            history = History(series=training.history, best_epoch=training.best_epoch)
        return Report(
            language=language,
            headline=Headline(
                model=card.name,
                pile=Pile(
                    pictures=self.evaluation.accuracy.pictures + self.failed.total(),
                    failed=self.failed,
                ),
                accuracy=self.evaluation.accuracy,
            ),
            history=history,
            evaluation=self.evaluation,
            mistakes=mistakes(self.evaluation, self.thumbnails, policy),
            provenance=Provenance(
                date=datetime.now(UTC).isoformat(timespec="seconds"),
                model_digest=card.digest,
                data_digest=training.data_digest if training else None,
                split_id=self.split,
                recipe=training.recipe if training else None,
                seed=training.seed if training else None,
                licence=card.licence,
                versions={"pixelmine": __version__},
                commands=commands,
            ),
        )


def evaluate_model(
    model: str | Path,
    source: str | Path,
    *,
    split: str | None = None,
    report: str | Path | None = None,
    engine: EngineOptions | None = None,
    runtime: str = "auto",
    precision: str = "auto",
    policy: Policy | None = None,
    progress: Progress | None = None,
    language: Language = "en",
    command: str | None = None,
) -> Evaluated:
    """Measure a model on part `test` of a collection's split, or on an idx folder's t10k files.

    `split`: `ID` or `ID:FOLD`; by default the one the model was trained with. Pictures that the
    model was trained on are refused. `report`: an HTML file, in `language`. Raises UsageError,
    ModelError.
    """
    source, progress = Path(source), progress or SilentProgress()
    bundle = load_bundle(str(model))
    if is_collection(source):
        stage = Recognise(bundle=bundle, runtime=runtime, precision=precision)
        found = _collection(source, stage, split, engine or EngineOptions(), progress)
    elif is_idx_folder(source):
        if split is not None:
            raise UsageError("--split goes with a collection; an idx folder's test part is t10k.")
        found = _idx(source, bundle, runtime, precision)
    elif not source.exists():
        raise SourceError(f"There is no collection and no idx folder at {source}.")
    else:
        raise UsageError(
            f"{source} is neither a collection nor an idx folder. Labels and a split come with a "
            "collection: pixelmine ingest SOURCE --into COLLECTION --labels ..."
        )
    if report is not None:
        commands = (command,) if command else ()
        write_report(Path(report), found.report(policy or PassPolicy(), commands, language))
    return found


def _collection(
    path: Path, stage: Recognise, split: str | None, engine: EngineOptions, progress: Progress
) -> Evaluated:
    bundle = stage.bundle
    split = split or (bundle.card.training.split_id if bundle.card.training else None)
    with Collection.open(path) as collection:
        rows = labelled_pictures(collection, split)
        if split is not None:
            rows = rows.filter(pc.equal(rows["part"], "test"))
        rows, left_out = _judged(rows, bundle)
        _refuse_seen(bundle, rows["picture_id"].to_pylist(), split)
        pictures, kept = set(rows["picture_id"].to_pylist()), collection.bytes
        answered = predict_collection(collection, stage, engine, progress, only=pictures)
        logits = read_logits(collection, answered.stage, rows["picture_id"].to_pylist())
    at = pc.is_in(rows["picture_id"], value_set=pa.array(sorted(logits), pa.string()))
    gone = rows.filter(pc.invert(at))["row_id"].to_pylist()
    failed = Counter(Reason(answered.failed.get(row, Reason.UNREADABLE)) for row in gone)
    rows = rows.filter(at)
    if not rows.num_rows:
        raise UsageError("No picture of the test part can be read any more.")
    names = {label: index for index, label in enumerate(bundle.card.labels)}
    truth = np.array([names[labels[0]] for labels in rows["labels"].to_pylist()], np.int64)
    values = np.stack([logits[picture] for picture in rows["picture_id"].to_pylist()])
    shown = rows.to_pylist()
    ids, uris = rows["row_id"].to_pylist(), [row["uri"] for row in shown]
    evaluation = _measure(bundle, truth, values, ids, uris)
    return Evaluated(
        bundle, evaluation, split, left_out, failed, uris, Thumbnails.of_rows(shown, kept)
    )


def _idx(folder: Path, bundle: Bundle, runtime: str, precision: str) -> Evaluated:
    part = read_part(folder, "test")
    if part.labels.max(initial=0) >= len(bundle.card.labels):
        raise UsageError(
            f"{folder} has labels up to {part.labels.max()}; the model knows "
            f"{len(bundle.card.labels)} classes."
        )
    _refuse_seen(bundle, part.picture_ids(), None)
    model = load_model(bundle, runtime, precision)
    steps = model.preprocessing
    vectors = features.extract(
        map(steps.from_array, part.pixels), model.network, np.asarray, steps.views
    )
    if vectors is None:
        raise UsageError(f"{folder} holds no test pictures.")
    ids = part.row_ids()
    uris = [f"{part.uri}#{index}" for index in range(len(ids))]
    evaluation = _measure(bundle, part.labels, vectors.logits, ids, uris)
    return Evaluated(
        bundle, evaluation, None, {}, Counter(), uris, Thumbnails.of_arrays(part.pixels)
    )


def _measure(
    bundle: Bundle, truth: np.ndarray, logits: np.ndarray, ids: list[str], uris: list[str]
) -> Evaluation:
    head = Head.from_card(bundle.card)
    probabilities = head.probabilities(logits)
    sure = head.decided(probabilities) if head.threshold is not None else None
    return evaluate(bundle.card.labels, truth, probabilities, ids, uris, sure)


def _judged(rows: pa.Table, bundle: Bundle) -> tuple[pa.Table, dict[str, int]]:
    """Rows with exactly one label that the model knows, and how many others there were."""
    known, left_out = set(bundle.card.labels), {}
    labels = rows["labels"].to_pylist()
    one = [len(values) == 1 for values in labels]
    fits = [len(values) == 1 and values[0] in known for values in labels]
    if several := len(labels) - sum(one):
        left_out["more than one label"] = several
    if foreign := sum(one) - sum(fits):
        left_out["a label the model does not know"] = foreign
    if not any(fits):
        raise UsageError(
            f"None of the {len(labels)} labelled pictures looked at has a label that "
            f"{bundle.card.name} knows. Check --split and the labels."
        )
    return rows.filter(pa.array(fits, pa.bool_())), left_out


def _refuse_seen(bundle: Bundle, pictures: list[str], split: str | None) -> None:
    if seen := bundle.has_seen(pictures):
        which = f"split {split}" if split else "no split was named"
        raise UsageError(
            f"{len(seen)} of these {len(pictures)} pictures were used to train "
            f"{bundle.card.name} ({which}), so that a measurement on them says nothing. Name the "
            "split it was trained with."
        )
