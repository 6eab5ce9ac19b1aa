"""`pixelmine ingest`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Engine, Json, Strict
from .terminal import finish, many, run, short

__all__ = ["ingest"]


def ingest(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files and folders.")],
    into: Annotated[Path, typer.Option(help="The collection; made if it is not there.")],
    labels: Annotated[
        str | None, typer.Option(help="A CSV file, or `folders`: the folder a file lies in.")
    ] = None,
    name_column: Annotated[str | None, typer.Option(help="Of the CSV: the file's name.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Of the CSV: its label.")] = None,
    group_by: Annotated[
        str | None, typer.Option(help="A column of the CSV, or `folders`: kept together in splits.")
    ] = None,
    engine: Engine = "auto",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Look at every picture once and note it in a collection. Pictures stay where they are.

    Again, it takes only what is new or changed; killed, it goes on where it stopped.

        pixelmine ingest photos/ --into photos.pixels --labels folders

        pixelmine ingest scans/ --into scans.pixels --labels scans.csv --group-by patient
    """
    with run(as_json) as progress:
        from pixelmine.api.ingest import ingest as call
        from pixelmine.input.labels import LabelOptions

        options = LabelOptions(
            labels=labels, name_column=name_column, label_column=label_column, group_by=group_by
        )
        found = call(sources, into, labels=options, engine=engine, progress=progress)
    counts = found.counts
    if not as_json:
        progress.note(
            f"{many(found.listed, 'file')} listed, {counts.rows:,} new or changed: "
            f"{counts.ok:,} good, {counts.failed:,} failed."
        )
        for name, count in counts.reasons.most_common():
            progress.note(f"  {count:>7,}  {name}")
        if found.labels:
            progress.note(f"{many(found.labels, 'label')} added.")
        progress.note(f"Collection: {short(into)}")
    finish(found.to_dict(), as_json, strict, counts.failed)
