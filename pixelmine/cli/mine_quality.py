"""`pixelmine mine quality`."""

from typing import Annotated

import typer

from .options import CollectionPath, Json, Where
from .terminal import finish, many, out, place, run

__all__ = ["quality"]


def quality(
    path: CollectionPath,
    where: Where = None,
    top: Annotated[int, typer.Option(help="Pictures to show of each issue.")] = 5,
    spread: Annotated[
        float, typer.Option(help="Deviations from the usual at which a picture is unusual.")
    ] = 3.0,
    as_json: Json = False,
) -> None:
    """Pictures that are blurred, dark, bright, flat, noisy, empty, odd, framed or written on.

    Thresholds come from the collection, within guards. All of it is the finding `quality`.

        pixelmine mine quality photos.pixels

        pixelmine mine quality photos.pixels --top 20 --json
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.quality import mine_quality
        from pixelmine.mine.quality import QualityOptions

        found = mine_quality(
            path, QualityOptions(spread=spread), where=where, top=top, progress=progress
        )
        for note in found.notes():
            progress.note(note)
    if not as_json:
        summary = found.found.summary
        out().print(
            f"{many(summary['pictures'], 'picture')}, {summary['flagged']:,} with an issue."
        )
        for name, about in found.issues.items():
            limit = about["threshold"]
            says = f"{about['measure']} {'below' if about['worse'] == 'low' else 'above'} "
            says += "-" if limit is None else f"{limit:.3g}"
            if about["worse"] == "apart":
                says = f"{about['measure']} {limit or 0:.3g} times from the usual"
            out().print(
                f"{about['flagged']:7,}  {name:16} {says} (usual {about['usual'] or 0:.3g})"
            )
            for row in found.worst(name):
                out().print(f"           {row['value']:9.3g}  {place(row)}")
    finish(found.to_dict(), as_json)
