"""`ingest` and `predict` of what never ends: a watched folder, a stream of messages."""

import os
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from pixelmine.core import Limits, PassPolicy, Policy, clear
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import Keys, Run
from pixelmine.input import Feed, SourceOptions
from pixelmine.input.feeds import open_feed
from pixelmine.models import DEFAULT, load_bundle
from pixelmine.output import CallerSink, Sink
from pixelmine.pipeline import Recognise
from pixelmine.preprocess import Frames
from pixelmine.store import Collection

from .destination import Destination
from .follow import FollowOptions, follow, stopped_by_signals
from .ingest import Ingested, add_labels, commit_inspected, inspect_stage, inspected
from .predict import Predicted, Show
from .predicted import settle
from .work import Commits, Counts

__all__ = ["ingest_endless", "predict_endless"]


def ingest_endless(
    sources: Sequence[str | Path],
    into: str | Path,
    *,
    options: SourceOptions | None = None,
    frames: str = "auto",
    limits: Limits | None = None,
    encrypt: bool = False,
    idle_s: float | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Ingested:
    """Take pictures into a collection as they come, until told to stop, by `stop` or a signal.

    `sources`: one folder to watch, or the address of one stream. `idle_s`: end when nothing came
    for so many seconds. A message is acknowledged once its picture is committed. `encrypt`: see
    `ingest`.
    """
    if len(sources) != 1:
        raise UsageError(f"One folder is watched, or one stream followed. Got {len(sources)}.")
    into, stop = Path(os.path.abspath(into)), stop or threading.Event()
    options = options or SourceOptions()
    options = replace(options, labels=options.labels.absolute(), leave_out=(into,))
    labelled = 0
    _open(sources[0], options).close()  # a wrong source must not leave an empty collection behind
    opened = Collection.open_or_create(into, encrypt=encrypt)
    with stopped_by_signals(stop), opened as collection:
        feed = _open(sources[0], options, Keys(inspected(collection)))
        stage = inspect_stage(collection, Frames(which=frames).which, limits or Limits())
        commits = Commits(partial(commit_inspected, collection))
        pulled: list[pa.RecordBatch] = []

        def take(rows: pa.RecordBatch, found: pa.RecordBatch) -> None:
            pulled.append(rows.drop_columns(["data"]))
            commits.add(found)

        def flush() -> None:
            nonlocal labelled
            commits.flush()
            told_by = f"ingest:{digest_json([feed.uri])}"
            labelled += add_labels(collection, pulled, told_by, options.labels)
            pulled.clear()

        follow_options = FollowOptions(idle_s=idle_s, stop=stop)
        counts = follow(
            feed, stage, take, flush, follow_options, progress or SilentProgress(), "ingest"
        )
    return Ingested(into, counts.items, counts, labelled)


def predict_endless(
    source: str | Path,
    *,
    model: str | Path = DEFAULT,
    top: int = 5,
    out: str | Path | None = None,
    state: str | Path | None = None,
    options: SourceOptions | None = None,
    frames: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    limits: Limits | None = None,
    policy: Policy | None = None,
    overwrite: bool = False,
    show: Show | None = None,
    idle_s: float | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Recognise pictures as they come, until told to stop, by `stop` or a signal.

    With `out` a file's name it is a folder of numbered parts, each complete when it appears; a
    message is acknowledged once its answer is delivered.
    """
    bundle = load_bundle(str(model))
    stage = settle(
        Recognise(
            bundle=bundle,
            runtime=runtime,
            precision=precision,
            top=top,
            limits=limits or Limits(),
            frames=Frames(which=frames).which,
        )
    )
    options, stop = options or SourceOptions(), stop or threading.Event()
    policy, progress = policy or PassPolicy(), progress or SilentProgress()
    follow_options = FollowOptions(idle_s=idle_s, stop=stop)

    def serve(sink: Sink, leave_out: tuple[Path, ...]) -> Counts:
        done = Keys(sink.start())
        feed = _open(source, replace(options, leave_out=leave_out), done)

        def take(_rows: pa.RecordBatch, found: pa.RecordBatch) -> None:
            sink.write(clear(found, policy))

        return follow(feed, stage, take, sink.flush, follow_options, progress, "predict")

    with stopped_by_signals(stop):
        if out is None:
            sink = CallerSink(show)
            return Predicted(
                bundle.card.name, bundle.card.digest, serve(sink, ()), None, sink.table
            )
        place = Destination.of(out, state, endless=True)
        place.check(overwrite)
        feed = _open(source, options)
        feed.close()
        asked = {"job": "predict", "endless": feed.uri, "out": place.name, "top": top}
        asked |= {"model_digest": bundle.card.digest, "frames": stage.frames}
        with Run.open(place.state, asked, overwrite), closing(place.sink()) as delivering:
            if overwrite:
                delivering.restart()
            counts = serve(delivering, place.paths)
    return Predicted(bundle.card.name, bundle.card.digest, counts, place.shown)


def _open(source: str | Path, options: SourceOptions, done: Keys | None = None) -> Feed:
    return open_feed(source, options, watch=True, done=partial(_new, done) if done else None)


def _new(done: Keys, rows: pa.RecordBatch) -> pa.RecordBatch:
    return rows.filter(pa.array(~done.contains(rows)))
