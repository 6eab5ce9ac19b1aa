"""`pixelmine search`."""

from typing import Annotated

import typer

from .options import AllowPrivate, CollectionPath, Json, Model, Where
from .terminal import finish, out, place, printable, run

__all__ = ["search"]


def search(
    path: CollectionPath,
    picture: Annotated[
        str | None, typer.Argument(metavar="[PICTURE]", help="A file or URL.", show_default=False)
    ] = None,
    row: Annotated[
        str | None,
        typer.Option(help="Instead of PICTURE: the row_id, or its beginning, of one in there."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,WIDTH,HEIGHT", help="Only that part, in pixels of the upright picture."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Only pictures that have the label now; several: all of them."),
    ] = None,
    where: Where = None,
    k: Annotated[int, typer.Option("--k", help="How many to find.")] = 10,
    model: Model = "efficientnet-lite0-int8",
    allow_private: AllowPrivate = False,
    as_json: Json = False,
) -> None:
    """Find the pictures of a collection that are like one, or like a part of one.

    Pictures that the model has not seen yet are looked at first.

        pixelmine search photos.pixels cat.jpg

        pixelmine search photos.pixels cat.jpg --region 120,40,200,300 --label indoors --k 20
    """
    with run(as_json) as progress:
        from pixelmine.api.search import Region
        from pixelmine.api.search import search as call

        found = call(
            path,
            picture,
            row=row,
            region=None if region is None else Region.parse(region),
            labels=label or (),
            where=where,
            k=k,
            model=model,
            allow_private=allow_private,
            progress=progress,
        )
        for note in found.notes():
            progress.note(note)
    if not as_json:
        for one in found.rows.to_pylist():
            alike = "     " if one.get("similarity") is None else f"{one['similarity']:5.3f}"
            said = f"  {', '.join(one['labels'])}" if one.get("labels") else ""
            out().print(f"{alike}  {place(one) or one.get('row_id', '')}{printable(said)}")
        if found.rows.num_rows == 0:
            out().print("No picture of the collection is such.")
    finish(found.to_dict(), as_json)
