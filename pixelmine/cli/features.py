"""`pixelmine features list|show`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Overwrite
from .terminal import finish, out, run, short, table

__all__ = ["app"]

app = typer.Typer(name="features", help="Designed features: edges, textures, colours, shapes.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The designed features, and how many numbers each gives."""
    with run(as_json):
        from pixelmine.api.features import list_features

        found = list_features()
    if not as_json:
        table({f["feature"]: f"{f['dimensions']:>5,}  {f['title']}" for f in found})
    finish({"features": found}, as_json)


@app.command()
def show(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A file of any format.")],
    sheet: Annotated[
        Path | None, typer.Option("--out", help="A .png; by default NAME.features.png, here.")
    ] = None,
    features: Annotated[
        str | None, typer.Option("--features", help="Names with commas between; by default all.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Draw a sheet of what each feature sees of a picture; --json gives all their numbers.

    pixelmine features show cat.jpg --out sheet.png --features edges,hog,colour
    """
    with run(as_json):
        from pixelmine.api.features import show_features

        names = None if features is None else [n.strip() for n in features.split(",") if n.strip()]
        found = show_features(picture, sheet, names, overwrite=overwrite)
    if not as_json:
        table(
            {
                f["feature"]: f"{f['dimensions']:>5,}  {f['title']}, "
                f"{min(f['values'].values()):.3g} to {max(f['values'].values()):.3g}"
                for f in found["features"]
            }
        )
        out().print(f"Sheet: {short(found['sheet'])}")
    finish(found, as_json)
