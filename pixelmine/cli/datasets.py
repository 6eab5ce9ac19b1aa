"""`pixelmine datasets list|get`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json
from .terminal import finish, out, run, short

__all__ = ["app"]

app = typer.Typer(name="datasets", help="Well-known data sets, checked by their SHA-256.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The data sets that `get` knows."""
    with run(as_json):
        from pixelmine.api.datasets import DATASETS

    if not as_json:
        for name, dataset in DATASETS.items():
            out().print(f"{name:<14} {dataset.title} ({dataset.licence})")
    finish(
        {"datasets": {n: {"title": d.title, "licence": d.licence} for n, d in DATASETS.items()}},
        as_json,
    )


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="mnist or fashion-mnist.")],
    into: Annotated[Path | None, typer.Option(help="A new folder; by default ./NAME.")] = None,
    from_folder: Annotated[
        Path | None, typer.Option("--from", help="Copy from this folder; nothing is downloaded.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy a data set that is on this machine, or download it.

    pixelmine datasets get mnist --into mnist

    pixelmine datasets get fashion-mnist --from /mnt/data/fashion
    """
    with run(as_json) as progress:
        from pixelmine.api.datasets import get_dataset

        target = into or Path(name)
        found = get_dataset(name, target, from_folder=from_folder, progress=progress)
    if not as_json:
        out().print(f"{name} is in {short(target)} (from {found['from']}).")
    finish(found, as_json)
