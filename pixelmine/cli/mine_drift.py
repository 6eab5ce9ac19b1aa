"""`pixelmine mine drift`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import CollectionPath, Json, Model, Overwrite
from .terminal import finish, many, out, place, printable, run, short

__all__ = ["drift"]


def drift(
    path: CollectionPath,
    other: Annotated[
        Path | None, typer.Argument(metavar="[OTHER]", help="The collection to compare it with.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(help="A day, as 2026-05-01 (up to it), or SQL over the images table."),
    ] = None,
    after: Annotated[
        str | None, typer.Option(help="The same: from that day on, or a condition.")
    ] = None,
    write_reference: Annotated[
        Path | None,
        typer.Option(help="Keep what was counted in this file, to compare new pictures with."),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="Compare with such a file; the old pictures are not read again."),
    ] = None,
    model: Model = "efficientnet-lite0-int8",
    column: Annotated[
        list[str] | None,
        typer.Option(help="Of the table: take it although its name suggests that it says who."),
    ] = None,
    level: Annotated[
        float, typer.Option(help="Chance of saying drift where there is none.")
    ] = 0.05,
    top: Annotated[int, typer.Option(help="Changes to show.")] = 20,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """What has changed between two collections, two times, or a kept reference and new pictures.

    Clusters, labels, predictions, metadata and quality are tested, and one decision is made of all
    of it. The finding is `drift`.

        pixelmine mine drift may.pixels june.pixels

        pixelmine mine drift photos.pixels --before 2026-05-01

        pixelmine mine drift may.pixels --write-reference may.json

        pixelmine mine drift june.pixels --reference may.json
    """
    with run(as_json) as progress:
        from pixelmine.api.mine import drift as api
        from pixelmine.core.errors import UsageError
        from pixelmine.mine.drift import DriftOptions

        same: dict[str, Any] = {"model": model, "columns": column or (), "progress": progress}
        options = DriftOptions(level=level)
        if (reference or write_reference) and (other or (reference and write_reference) or before):
            raise UsageError(
                "--reference and --write-reference take one collection and no other side; "
                "--after WHERE chooses pictures of it."
            )
        if write_reference is not None:
            made = api.write_reference(
                path, write_reference, options, where=after, overwrite=overwrite, **same
            )
            told = {"reference": str(write_reference), "pictures": made.pictures}
            if not as_json:
                out().print(
                    f"{many(made.pictures, 'picture')} counted in {short(write_reference)}."
                )
            finish(told, as_json)
            return
        if reference is not None:
            found = api.mine_drift_since(path, reference, options, where=after, **same)
        else:
            found = api.mine_drift(path, other, options, before=before, after=after, **same)
        for note in found.notes():
            progress.note(note)
    if not as_json:
        _show(found, top)
    finish(found.to_dict(), as_json)


def _show(found: Any, top: int) -> None:
    summary = found.found.summary
    says = "Drift" if summary["drifted"] else "No drift"
    out().print(
        f"{says} between {many(summary['pictures_before'], 'picture')} and "
        f"{summary['pictures_after']:,} (p {_small(summary['p_value'])} for all "
        f"{summary['tests'] + 2:,} tests; told apart with AUC {summary['classifier']['auc']:.2f})."
    )
    for number, one in enumerate(found.changed[:top], 1):
        if one["part"] == "measures":
            size = f"median {one['before']:.3g} to {one['after']:.3g}, delta {one['effect']:+.2f}"
        else:
            size = f"{one['before']:.1%} to {one['after']:.1%}"
        out().print(
            printable(f"  {one['part']:12} {one['name']:32} {size}, p {_small(one['corrected'])}")
        )
        for row in found.examples(number)[:2]:
            out().print(f"{'':16}{place(row)}")


def _small(p_value: float) -> str:
    return f"{p_value:.1g}" if p_value > 1e-99 else "below 1e-99"
