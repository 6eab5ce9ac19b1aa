"""`pixelmine mine report` and `pixelmine mine table`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CollectionPath, Json, Language, Overwrite
from .terminal import finish, many, run, short

__all__ = ["report", "table"]


def report(
    path: CollectionPath,
    destination: Annotated[
        Path, typer.Option("--report", help="A page (.html), Markdown (.md), or figures (.json).")
    ] = Path("mining.html"),
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Look for everything, and write one page with pictures and plots. It needs no network.

    What was found before and has not changed is not looked for again.

        pixelmine mine report photos.pixels

        pixelmine mine report photos.pixels --report pile.html --language zh
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.report import mine_report

        found = mine_report(path, destination, language=language, progress=progress)
        for note in found.notes():
            progress.note(note)
        if not as_json:
            progress.note(f"{many(len(found.findings), 'finding')}: {short(destination)}")
    finish(found.to_dict(), as_json)


def table(
    path: CollectionPath,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the finding: duplicates, ...")],
    destination: Annotated[Path, typer.Option("--out", help="A .csv, .jsonl or .parquet file.")],
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write what was found last as a table: one row a picture, or a pair, or a group.

    pixelmine mine table photos.pixels duplicates --out duplicates.csv
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.finding_table import write_finding

        written = write_finding(path, name, destination, overwrite=overwrite)
        if not as_json:
            progress.note(f"{many(written.rows, 'row')}: {short(destination)}")
    finish(written.to_dict(), as_json)
