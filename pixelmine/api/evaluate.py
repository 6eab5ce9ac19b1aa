"""How good a model is on pictures that it has not learnt from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine import __version__, features
from pixelmine.classify import Head
from pixelmine.core import PassPolicy, Policy, Reason, clear
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.evaluate import (
    Evaluation,
    Headline,
    History,
    Mistake,
    MultiLabelEvaluation,
    Pile,
    Provenance,
    Report,
    check_form,
    evaluate,
    evaluate_multilabel,
    refuse_leaks,
    write_report_as,
)
from pixelmine.evaluate.texts import Language
from pixelmine.input import is_idx_folder, read_part
from pixelmine.models import Bundle, load_bundle
from pixelmine.pipeline import Model, Recognise, load_model
from pixelmine.runtime import Outputs
from pixelmine.store import Collection, is_collection, labelled_pictures

from .predicted import predict_collection, read_embeddings, read_logits
from .slice_columns import slice_columns
from .thumbnails import Thumbnails, mistakes, pair_mistakes

__all__ = ["Evaluated", "evaluate_model"]


@dataclass(frozen=True)
class Evaluated:
    """An evaluation, with what it was made of. `left_out`: pictures that could not be judged.

    `failed`: test pictures that cannot be read any more. `row_ids`, `uris`: of the N judged.
    """

    bundle: Bundle
    evaluation: Evaluation | MultiLabelEvaluation
    split: str | None
    left_out: dict[str, int]
    failed: Counter[Reason]
    row_ids: list[str]
    uris: list[str]
    thumbnails: Thumbnails

    @property
    def of_one_label(self) -> Evaluation:
        """The evaluation. Raises UsageError for a model that gives any number of labels."""
        if isinstance(self.evaluation, MultiLabelEvaluation):
            raise UsageError(
                f"{self.bundle.card.name} gives any number of labels; one is needed here."
            )
        return self.evaluation

    def cleared(self, policy: Policy) -> "Evaluated":
        """The same, what it says of single pictures passed through the release gate."""
        worst = self.evaluation.mistakes
        names = ("row_id", "uri", "truth", "answer", "probability")
        rows = [{name: getattr(one, name) for name in names} for one in worst]
        if not rows:
            return self
        let = clear(pa.RecordBatch.from_pylist(rows), policy).item.to_pylist()
        if len(let) != len(worst):  # whose are those that are left?
            return replace(self, evaluation=replace(self.evaluation, mistakes=()))
        empty = {**dict.fromkeys(names, ""), "probability": float("nan")}
        passed = [
            Mistake(index=one.index, **{name: row.get(name, empty[name]) for name in names})
            for one, row in zip(worst, let, strict=True)
        ]
        return replace(self, evaluation=replace(self.evaluation, mistakes=tuple(passed)))

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
        card, one = self.bundle.card, self.evaluation
        several = isinstance(one, MultiLabelEvaluation)
        accuracy = one.subset_accuracy if isinstance(one, MultiLabelEvaluation) else one.accuracy
        training = card.training
        history = None
        if training is not None and training.history:
            history = History(series=training.history, best_epoch=training.best_epoch)
        return Report(
            language=language,
            headline=Headline(
                model=card.name,
                pile=Pile(pictures=accuracy.pictures + self.failed.total(), failed=self.failed),
                accuracy=accuracy,
                several=several,
            ),
            history=history,
            evaluation=one,
            pairs=pair_mistakes(one, self.thumbnails, policy)
            if isinstance(one, Evaluation)
            else (),
            mistakes=mistakes(one, self.thumbnails, policy),
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
    top: Sequence[int] = (5,),
    slice_by: str = "auto",
    allow_leaks: bool = False,
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
    model was trained on are refused, and a split whose test pictures are in its training part too,
    unless `allow_leaks`. `report`: a file as `FORMS` has them, a page in `language`. `top`: each k
    of top-k accuracy. `slice_by`: columns of a collection with commas between, `auto` for what it
    keeps of each picture, or `none` (`slice_columns`). Raises UsageError, ModelError.
    """
    check_form(report)
    source, progress = Path(source), progress or SilentProgress()
    bundle = load_bundle(str(model))
    if is_collection(source):
        stage = Recognise(bundle=bundle, runtime=runtime, precision=precision)
        how = _How(split, tuple(top), slice_by, allow_leaks)
        found = _collection(source, stage, how, engine or EngineOptions(), progress)
    elif is_idx_folder(source):
        if split is not None:
            raise UsageError("--split goes with a collection; an idx folder's test part is t10k.")
        found = _idx(source, load_model(bundle, runtime, precision), bundle, tuple(top))
    elif not source.exists():
        raise SourceError(f"There is no collection and no idx folder at {source}.")
    else:
        raise UsageError(
            f"{source} is neither a collection nor an idx folder. Labels and a split come with a "
            "collection: pixelmine ingest SOURCE --into COLLECTION --labels ..."
        )
    if report is not None:
        policy, commands = policy or PassPolicy(), (command,) if command else ()
        cleared = found.cleared(policy)
        write_report_as(
            Path(report),
            page=lambda: found.report(policy, commands, language),
            markdown=cleared.evaluation.to_markdown,
            data=cleared.to_dict,
        )
    return found


@dataclass(frozen=True)
class _How:
    """Which pictures of a collection to look at, and what to measure besides."""

    split: str | None
    top: tuple[int, ...]
    slice_by: str
    allow_leaks: bool


def _collection(
    path: Path, stage: Recognise, how: _How, engine: EngineOptions, progress: Progress
) -> Evaluated:
    bundle = stage.bundle
    split = how.split or (bundle.card.training.split_id if bundle.card.training else None)
    with Collection.open(path) as collection:
        rows = labelled_pictures(collection, split)
        if split is not None and not how.allow_leaks:
            refuse_leaks(collection, split)
        if split is not None:
            rows = rows.filter(pc.equal(rows["part"], "test"))
        rows, left_out = _judged(rows, bundle)
        if not how.allow_leaks:
            _refuse_seen(bundle, rows["picture_id"].to_pylist(), split)
        elif seen := bundle.has_seen(rows["picture_id"].to_pylist()):
            progress.note(f"{len(seen):,} of these pictures were used to train the model.")
        pictures, kept = set(rows["picture_id"].to_pylist()), collection.bytes
        answered = predict_collection(collection, stage, engine, progress, only=pictures)
        logits = read_logits(collection, answered.stage, rows["picture_id"].to_pylist())
        embeddings = read_embeddings(collection, answered.stage, list(logits))
        at = pc.is_in(rows["picture_id"], value_set=pa.array(sorted(logits), pa.string()))
        gone = rows.filter(pc.invert(at))["row_id"].to_pylist()
        rows = rows.filter(at)
        named = {name: rows[name].to_pylist() for name in ("row_id", "picture_id")}
        columns = slice_columns(collection, named, how.slice_by)
    failed = Counter(Reason(answered.failed.get(row, Reason.UNREADABLE)) for row in gone)
    if not rows.num_rows:
        raise UsageError("No picture of the test part can be read any more.")
    truth = _truth(rows["labels"].to_pylist(), bundle)
    vectors = Outputs(
        *(np.stack([v[p] for p in named["picture_id"]]) for v in (logits, embeddings))
    )
    shown = rows.to_pylist()
    ids, uris = named["row_id"], [row["uri"] for row in shown]
    evaluation = _measure(bundle, truth, vectors, (ids, uris), how.top, columns)
    return Evaluated(
        bundle, evaluation, split, left_out, failed, ids, uris, Thumbnails.of_rows(shown, kept)
    )


def _truth(labels: Sequence[Sequence[str]], bundle: Bundle) -> np.ndarray:
    """int64 (N,), or for a model of several labels bool (N, K)."""
    names = {label: index for index, label in enumerate(bundle.card.labels)}
    if bundle.card.task == "single":
        return np.array([names[one] for (one,) in labels], np.int64)
    truth = np.zeros((len(labels), len(names)), bool)
    for row, several in zip(truth, labels, strict=True):
        row[[names[label] for label in several]] = True
    return truth


def _idx(folder: Path, model: Model, bundle: Bundle, top: tuple[int, ...]) -> Evaluated:
    part = read_part(folder, "test")
    if bundle.card.task == "multi":
        raise UsageError(
            f"{bundle.card.name} gives any number of labels; idx files hold one each. Give a "
            "collection."
        )
    if part.labels.max(initial=0) >= len(bundle.card.labels):
        raise UsageError(
            f"{folder} has labels up to {part.labels.max()}; the model knows "
            f"{len(bundle.card.labels)} classes."
        )
    _refuse_seen(bundle, part.picture_ids(), None)
    ready = map(model.take_array, part.pixels)
    vectors = features.extract(ready, model.network, np.asarray, model.preprocessing.views)
    if vectors is None:
        raise UsageError(f"{folder} holds no test pictures.")
    ids = part.row_ids()
    uris = [f"{part.uri}#{index}" for index in range(len(ids))]
    evaluation = _measure(bundle, part.labels, vectors, (ids, uris), top, {})
    return Evaluated(
        bundle, evaluation, None, {}, Counter(), ids, uris, Thumbnails.of_arrays(part.pixels)
    )


def _measure(
    bundle: Bundle,
    truth: np.ndarray,
    vectors: Outputs,
    names: tuple[list[str], list[str]],
    top: tuple[int, ...],
    columns: Mapping[str, Sequence[object]],
) -> Evaluation | MultiLabelEvaluation:
    """`names`: row_ids and uris."""
    head = Head.from_bundle(bundle)
    probabilities = head.probabilities(vectors.logits)
    odd = head.odd(vectors.logits, vectors.embedding)
    sure = head.decided(probabilities, odd) if head.abstains else None
    if head.task == "multi":
        return evaluate_multilabel(
            bundle.card.labels,
            truth,
            probabilities,
            head.chosen(probabilities),
            decided=sure,
            sets=head.sets(probabilities),
            row_ids=names[0],
            uris=names[1],
        )
    return evaluate(
        bundle.card.labels,
        truth,
        probabilities,
        *names,
        sure,
        sets=head.sets(probabilities),
        strangeness=odd,
        columns=columns,
        top=top,
    )


def _judged(rows: pa.Table, bundle: Bundle) -> tuple[pa.Table, dict[str, int]]:
    """Rows that the model can be judged on, and how many others there were.

    With exactly one label that it knows; of a model of several labels, with known ones alone.
    """
    known, left_out = set(bundle.card.labels), {}
    labels = rows["labels"].to_pylist()
    one = [len(values) == 1 or bundle.card.task == "multi" for values in labels]
    fits = [ok and known.issuperset(values) for ok, values in zip(one, labels, strict=True)]
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
