"""`pixelmine ingest`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    AllowPrivate,
    Engine,
    Frames,
    Idle,
    Json,
    PictureColumn,
    Query,
    RayAddress,
    Strict,
    Watch,
)
from .terminal import finish, many, run, short

__all__ = ["ingest"]


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, files, archives, tables, URLs, a database, a stream.",
        ),
    ],
    into: Annotated[Path, typer.Option(help="The collection; made if it is not there.")],
    labels: Annotated[
        str | None, typer.Option(help="A CSV file, or `folders`: the folder a file lies in.")
    ] = None,
    name_column: Annotated[str | None, typer.Option(help="Of the CSV: the file's name.")] = None,
    label_column: Annotated[
        str | None, typer.Option(help="Of the CSV, or of a SOURCE that is a table: the label.")
    ] = None,
    label_separator: Annotated[
        str | None, typer.Option(help="What stands between the labels of one picture, such as ;.")
    ] = None,
    group_by: Annotated[
        str | None, typer.Option(help="A column, or `folders`: kept together in splits.")
    ] = None,
    picture_column: PictureColumn = None,
    query: Query = None,
    frames: Frames = "auto",
    allow_private: AllowPrivate = False,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="A new collection: seal it with PIXELMINE_KEY_FILE.")
    ] = False,
    watch: Watch = False,
    idle: Idle = None,
    engine: Engine = "auto",
    ray_address: RayAddress = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Look at every picture once and note it in a collection. Pictures stay where they are.

    Again, it takes only what is new or changed; killed, it goes on where it stopped.

        pixelmine ingest photos/ --into photos.pixels --labels folders

        pixelmine ingest scans/ --into scans.pixels --labels scans.csv --group-by patient

        pixelmine ingest shop/ --into shop.pixels --labels tags.csv --label-separator ";"

        pixelmine ingest "shards/*.tar" --into shop.pixels

        pixelmine ingest inbox/ --into inbox.pixels --watch
    """
    with run(as_json) as progress:
        from pixelmine.api.endless import ingest_endless
        from pixelmine.api.ingest import ingest as call
        from pixelmine.engine import EngineOptions
        from pixelmine.input import SourceOptions
        from pixelmine.input.feeds import is_feed
        from pixelmine.input.labels import LabelOptions

        given = LabelOptions(
            labels=labels,
            name_column=name_column,
            label_column=label_column,
            group_by=group_by,
            separator=label_separator,
        )
        options = SourceOptions(
            labels=given, picture_column=picture_column, query=query, allow_private=allow_private
        )
        if watch or any(map(is_feed, sources)):
            found = ingest_endless(
                sources,
                into,
                options=options,
                frames=frames,
                encrypt=encrypt,
                idle_s=idle,
                progress=progress,
            )
        else:
            found = call(
                sources,
                into,
                labels=given,
                options=options,
                frames=frames,
                encrypt=encrypt,
                engine=EngineOptions(name=engine, ray_address=ray_address),
                progress=progress,
            )
    counts = found.counts
    if not as_json:
        progress.note(
            f"{many(found.listed, 'picture')} listed, {counts.rows:,} new or changed: "
            f"{counts.ok:,} good, {counts.failed:,} failed."
        )
        for name, count in counts.reasons.most_common():
            progress.note(f"  {count:>7,}  {name}")
        if found.labels:
            progress.note(f"{many(found.labels, 'label')} added.")
        progress.note(f"Collection: {short(into)}")
    finish(found.to_dict(), as_json, strict, counts.failed)
