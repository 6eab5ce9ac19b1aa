"""Recognising pictures."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from pixelmine.core import Limits, PassPolicy, Policy, clear
from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import RunError, UsageError
from pixelmine.core.ids import file_uri
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import ENGINES, Run
from pixelmine.input.labels import LabelOptions
from pixelmine.models import DEFAULT, load_bundle
from pixelmine.models.golden import TOLERANCES
from pixelmine.output import CallerSink, FileSink, Reasons, Sink, json_rows
from pixelmine.pipeline import Recognise
from pixelmine.runtime import RUNTIMES
from pixelmine.store import Collection, is_collection

from .predicted import predict_collection, settle
from .sources import list_sources
from .work import Counts, work_through

__all__ = ["Predicted", "predict"]

Show = Callable[[pa.RecordBatch], None]


@dataclass(frozen=True)
class Predicted:
    """What came of a prediction. `rows`: RESULTS, where no file was asked for."""

    model: str
    model_digest: str
    counts: Counts
    out: Path | None = None
    rows: pa.Table | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; with the rows, where there are any."""
        out = {"out": str(self.out)} if self.out else {}
        rows = {"results": json_rows(self.rows)} if self.rows is not None else {}
        name = {"model": self.model, "model_digest": self.model_digest}
        return {**name, **self.counts.to_dict(), **out, **rows}


def predict(
    source: str | Path,
    *,
    model: str | Path = DEFAULT,
    top: int = 5,
    out: str | Path | None = None,
    engine: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    limits: Limits | None = None,
    policy: Policy | None = None,
    overwrite: bool = False,
    show: Show | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Recognise one picture, a folder of them, or a collection. One row out for each row in.

    With `out` (.jsonl, .csv, .parquet) a killed run goes on where it stopped when it is called
    again. Of a collection only pictures that this model has not seen yet are looked at, and the
    answers are kept in it. Without `out` the rows are handed to `show` as they come, or returned.

    Raises SourceError, ModelError, RunError, OutputError, UsageError.
    """
    check_positive("top", top, at_most=1000)
    check_one_of("engine", engine, ["auto", *ENGINES.names()])
    check_one_of("runtime", runtime, ["auto", *RUNTIMES.names()])
    check_one_of("precision", precision, ["auto", *TOLERANCES])
    source = Path(os.path.abspath(source))
    target = Path(os.path.abspath(out)) if out is not None else None
    bundle = load_bundle(str(model))
    stage = Recognise(
        bundle=bundle, runtime=runtime, precision=precision, top=top, limits=limits or Limits()
    )
    job = _Job(source, stage, engine, policy or PassPolicy(), progress or SilentProgress())
    if target is not None:
        counts, rows = job.to_file(target, overwrite), None
    else:
        counts, rows = job.to_caller(CallerSink(show))
    return Predicted(bundle.card.name, bundle.card.digest, Counts.of(counts), target, rows)


@dataclass(frozen=True)
class _Job:
    source: Path
    stage: Recognise
    engine: str
    policy: Policy
    progress: Progress

    def asked(self) -> dict[str, Any]:
        """What makes a run the same run."""
        stage = self.stage
        return {
            "job": "predict",
            "source": file_uri(self.source),
            "model_digest": stage.bundle.card.digest,
            "top": stage.top,
            "runtime": stage.runtime,
            "precision": stage.precision,
        }

    def to_caller(self, sink: CallerSink) -> tuple[Reasons, pa.Table | None]:
        with (
            TemporaryDirectory(prefix="pixelmine-") as folder,
            Run.open(Path(folder), self.asked()) as run,
        ):
            return self.deliver(run, sink), sink.table

    def to_file(self, out: Path, overwrite: bool) -> Reasons:
        state = _state_of(out)
        if out.exists() and not state.exists() and not overwrite:
            raise UsageError(f"{out} is there already. Give --overwrite to replace it.")
        sink = FileSink(out, state)
        if not is_collection(self.source):  # a wrong source must not leave a state folder behind
            next(iter(self.list(out)))
        with Run.open(state, {**self.asked(), "out": file_uri(out)}, overwrite) as run:
            reasons = self.settled(run).deliver(run, sink, out)
            run.finish()
        return reasons

    def list(self, out: Path | None) -> Iterator[pa.RecordBatch]:
        """The source's files, without what is written here, should that lie among them."""
        leave_out = [out, _state_of(out)] if out else []
        return list_sources([self.source], LabelOptions(), leave_out)

    def settled(self, run: Run) -> "_Job":
        """The same job with the runtime and precision that the run began with."""
        if "settled" not in run.state:
            stage = settle(self.stage)
            run.settle(settled={"runtime": stage.runtime, "precision": stage.precision})
        return replace(self, stage=replace(self.stage, **run.state["settled"]))

    def deliver(self, run: Run, sink: Sink, out: Path | None = None) -> Reasons:
        if is_collection(self.source):
            with Collection.open(self.source) as collection:
                found = predict_collection(collection, self.stage, self.engine, self.progress)
                sink.restart()
                for rows in found.rows():
                    sink.write(clear(rows, self.policy))
                return _complete(sink.finish(found.row_ids()), collection.images.count())
        listed = run.list(lambda: self.list(out))
        done = sink.start()
        for rows in work_through(run, self.stage, done, self.engine, self.progress, "predict"):
            sink.write(clear(rows, self.policy))
        names = (name for rows in run.rows() for name in rows["row_id"].to_pylist())
        return _complete(sink.finish(names), listed)


def _complete(delivered: Reasons, listed: int) -> Reasons:
    """Rows in are rows out, or the run has failed."""
    if delivered.total() != listed:
        raise RunError(
            f"{listed} rows were listed and {delivered.total()} delivered: the collection or the "
            "run's folder changed meanwhile. Run the same command again."
        )
    return delivered


def _state_of(out: Path) -> Path:
    return out.with_name(out.name + ".run")
