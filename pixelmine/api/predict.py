"""Recognising pictures."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from pixelmine.core import Limits, PassPolicy, Policy, clear
from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import RunError
from pixelmine.core.ids import file_uri
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions, Run
from pixelmine.input import Source, SourceOptions
from pixelmine.models import DEFAULT, load_bundle
from pixelmine.models.golden import TOLERANCES
from pixelmine.output import CallerSink, Delivered, Sink, json_rows
from pixelmine.pipeline import Recognise
from pixelmine.preprocess import Frames
from pixelmine.runtime import RUNTIMES
from pixelmine.store import Collection, is_collection

from .destination import Destination
from .predicted import predict_collection, settle
from .sources import open_sources
from .work import Counts, work_through

__all__ = ["Predicted", "predict"]

Show = Callable[[pa.RecordBatch], None]


@dataclass(frozen=True)
class Predicted:
    """What came of a prediction. `rows`: RESULTS, where no file was asked for."""

    model: str
    model_digest: str
    counts: Counts
    out: str | None = None
    rows: pa.Table | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; with the rows, where there are any."""
        out = {"out": self.out} if self.out else {}
        rows = {"results": json_rows(self.rows)} if self.rows is not None else {}
        name = {"model": self.model, "model_digest": self.model_digest}
        return {**name, **self.counts.to_dict(), **out, **rows}


def predict(
    source: str | Path,
    *,
    model: str | Path = DEFAULT,
    top: int = 5,
    out: str | Path | None = None,
    state: str | Path | None = None,
    partition_by: str | None = None,
    options: SourceOptions | None = None,
    frames: str = "auto",
    engine: EngineOptions | None = None,
    runtime: str = "auto",
    precision: str = "auto",
    limits: Limits | None = None,
    policy: Policy | None = None,
    overwrite: bool = False,
    show: Show | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Recognise one picture, a folder or archive of them, or a collection.

    One row out for each picture in; of a file with several `frames` (see `preprocess.Frames`) one
    for each. `out` is a file (.jsonl, .csv, .parquet, .arrow), a folder, a database, a broker or a
    webhook, see `output.open_sink`; a killed run goes on where it stopped when it is called again.
    Its state lies beside a file, and in the folder `state` for all else. Of a collection only
    pictures that this model has not seen yet are looked at, and the answers are kept in it. Without
    `out` the rows are handed to `show` as they come, or returned.

    Raises SourceError, ModelError, RunError, OutputError, UsageError.
    """
    bundle = load_bundle(str(model))
    stage = Recognise(
        bundle=bundle,
        runtime=check_one_of("runtime", runtime, ["auto", *RUNTIMES.names()]),
        precision=check_one_of("precision", precision, ["auto", *TOLERANCES]),
        top=top,
        limits=limits or Limits(),
        frames=Frames(which=frames).which,
        allow_private=bool(options and options.allow_private),
    )
    check_positive("top", top, at_most=1000)
    job = _Job(
        source=source,
        options=options or SourceOptions(),
        stage=stage,
        engine=engine or EngineOptions(),
        policy=policy or PassPolicy(),
        progress=progress or SilentProgress(),
    )
    if out is None:
        delivered, rows = job.to_caller(CallerSink(show))
        return Predicted(bundle.card.name, bundle.card.digest, Counts.of(delivered), None, rows)
    place = Destination.of(out, state, partition_by)
    delivered = job.to(place, overwrite)
    return Predicted(bundle.card.name, bundle.card.digest, Counts.of(delivered), place.shown)


@dataclass(frozen=True, kw_only=True)
class _Job:
    source: str | Path
    options: SourceOptions
    stage: Recognise
    engine: EngineOptions
    policy: Policy
    progress: Progress

    @property
    def collection(self) -> Path | None:
        """The collection that is the source, if it is one."""
        path = Path(os.path.abspath(self.source))
        return path if "://" not in str(self.source) and is_collection(path) else None

    def asked(self, source: str) -> dict[str, Any]:
        """What makes a run the same run."""
        stage = self.stage
        return {
            "job": "predict",
            "source": source,
            "model_digest": stage.bundle.card.digest,
            "top": stage.top,
            "runtime": stage.runtime,
            "precision": stage.precision,
            "frames": stage.frames,
            "picture_column": self.options.picture_column,
            "query": self.options.query,
        }

    def to_caller(self, sink: CallerSink) -> tuple[Delivered, pa.Table | None]:
        source = None if self.collection else open_sources([self.source], self.options)
        with TemporaryDirectory(prefix="pixelmine-") as folder:
            asked = self.asked(source.uri if source else "")
            with Run.open(Path(folder), asked) as run:
                return self.deliver(run, source, sink), sink.table

    def to(self, place: Destination, overwrite: bool) -> Delivered:
        place.check(overwrite)
        sink = place.sink()
        options = replace(self.options, leave_out=place.paths)
        source = None if self.collection else open_sources([self.source], options)
        asked = self.asked(source.uri if source else file_uri(self.collection or Path()))
        with Run.open(place.state, {**asked, "out": place.name}, overwrite) as run:
            delivered = self.settled(run).deliver(run, source, sink)
            run.finish()
        return delivered

    def settled(self, run: Run) -> "_Job":
        """The same job with the runtime and precision that the run began with."""
        if "settled" not in run.state:
            stage = settle(self.stage)
            run.settle(settled={"runtime": stage.runtime, "precision": stage.precision})
        return replace(self, stage=replace(self.stage, **run.state["settled"]))

    def deliver(self, run: Run, source: Source | None, sink: Sink) -> Delivered:
        if source is None:
            return self.deliver_collection(sink)
        listed = run.list(source.list)
        work = work_through(
            run, self.stage, sink.start, self.engine, self.progress, "predict", sink.flush
        )
        for rows in work:
            sink.write(clear(rows, self.policy))
        names = (name for rows in run.rows() for name in rows["row_id"].to_pylist())
        return _complete(sink.finish(names), listed, "items")

    def deliver_collection(self, sink: Sink) -> Delivered:
        with Collection.open(self.collection or "") as collection:
            found = predict_collection(collection, self.stage, self.engine, self.progress)
            sink.restart()
            for rows in found.rows():
                sink.write(clear(rows, self.policy))
            delivered = sink.finish(found.row_ids())
            return _complete(delivered, collection.images.count(), "rows")


def _complete(delivered: Delivered, listed: int, what: str) -> Delivered:
    """What went in has come out, or the run has failed."""
    came = delivered.items if what == "items" else delivered.reasons.total()
    if came != listed:
        raise RunError(
            f"{listed} {what} were listed and {came} delivered: the collection or the run's folder "
            "changed meanwhile. Run the same command again."
        )
    return delivered
