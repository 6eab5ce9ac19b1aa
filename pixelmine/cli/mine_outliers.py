"""`pixelmine mine outliers`."""

from typing import Annotated, Any

import typer

from .options import CollectionPath, Json, Where
from .terminal import finish, many, out, place, printable, run

__all__ = ["outliers"]


def outliers(
    path: CollectionPath,
    where: Where = None,
    k: Annotated[int, typer.Option("--k", help="Neighbours that a picture is compared with.")] = 10,
    deviations: Annotated[
        float, typer.Option(help="From the usual distance at which a picture is an outlier.")
    ] = 2.5,
    model: Annotated[
        str, typer.Option("--model", help="Whose embedding: a model's name or a bundle.")
    ] = "efficientnet-lite0-int8",
    top: Annotated[int, typer.Option(help="Pictures to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Pictures that are unlike all others, and those that are unlike the others of their label.

    How far each picture is from the others is the finding `outliers`.

        pixelmine mine outliers photos.pixels

        pixelmine mine outliers photos.pixels --deviations 2 --json
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.outliers import mine_outliers
        from pixelmine.mine.outliers import OutlierOptions

        options = OutlierOptions(k=k, deviations=deviations)
        found = mine_outliers(path, options, model=model, where=where, top=top, progress=progress)
        for note in found.notes():
            progress.note(note)
        result = found.to_dict()
    if not as_json:
        _show(result)
    finish(result, as_json)


def _show(found: dict[str, Any]) -> None:
    out().print(
        f"{many(found['pictures'], 'picture')}, {many(found['outliers'], 'outlier')} farther than "
        f"{found['threshold']:.3g} from the others (usual {found['usual']:.3g}); "
        f"{found['label_outliers']:,} unlike the others of their label."
    )
    for title, name, deviations in (
        ("Unlike all others:", "strangest", "deviations"),
        ("Unlike the others of their label:", "far_from_label", "label_deviations"),
    ):
        if found[name]:
            out().print(title)
        for row in found[name]:
            near = ", ".join(one["label"] or "?" for one in row["near"] or ())
            out().print(
                printable(
                    f"{row['row_id'][:12]}  {row[deviations]:5.1f}  {row['label'] or '-'}  "
                    f"(near: {near})  "
                )
                + place(row)
            )
