"""`pixelmine models list|show|verify|import`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Overwrite, Precision, Runtime
from .terminal import finish, out, run, short, table

__all__ = ["app"]

app = typer.Typer(name="models", help="Models: built in, trained here, or taken in from Keras.")

Name = Annotated[str, typer.Argument(metavar="NAME|BUNDLE", help="A model's name or a bundle.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The built-in models."""
    with run(as_json):
        from pixelmine.api.models import list_models

        found = list_models()
    if not as_json:
        for model in found:
            state = "converted" if model["converted"] else "converted on first use"
            out().print(f"{model['name']}  ({state})")
    finish({"models": found}, as_json)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """What a model's card says."""
    with run(as_json):
        from pixelmine.api.models import show_model

        card = show_model(name)
    if not as_json:
        takes, labels = card["input"], card["labels"]
        size = f"{takes['height']}x{takes['width']}x{takes['channels']} {takes['dtype']}"
        more = f", ... ({len(labels):,})" if len(labels) > 10 else ""
        table(
            {
                "name": card["name"],
                "about": card["description"],
                "licence": card["licence"],
                "source": card["source"],
                "made": card["created"],
                "takes": size,
                "labels": ", ".join(labels[:10]) + more,
                "embedding": f"{card['embedding_dimensions']} dimensions",
                "digest": card["digest"],
                **{
                    name: f"{m['value']:.4f} ({m['low']:.4f} to {m['high']:.4f}), {m['data']}"
                    for name, m in card["metrics"].items()
                },
            }
        )
    finish(card, as_json)


@app.command()
def verify(
    name: Name, runtime: Runtime = "auto", precision: Precision = "auto", as_json: Json = False
) -> None:
    """Check every digest, the network, and the golden pictures on this machine."""
    with run(as_json):
        from pixelmine.api.models import verify_model

        found = verify_model(name, runtime=runtime, precision=precision)
    if not as_json:
        out().print(
            f"{found['model']} is sound: {found['golden']} golden pictures right on "
            f"{found['runtime']} {found['precision']}."
        )
    finish(found, as_json)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .keras or .h5 file.")],
    bundle: Annotated[Path, typer.Option("--out", help="The bundle to write.")],
    labels: Annotated[str, typer.Option(help="Names by output: a,b,c, or a file, one a line.")],
    mean: Annotated[float | None, typer.Option(help="A pixel p becomes (p - mean) / std.")] = None,
    std: Annotated[float | None, typer.Option(help="By default 255: pixels from 0 to 1.")] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Take in a network that Keras saved. It is checked and opened in a guarded process.

    pixelmine models import my.keras --labels 0,1,2,3,4,5,6,7,8,9 --out my.bundle
    """
    with run(as_json) as progress:
        from pixelmine.api.train import import_model

        given = Path(labels) if "," not in labels else labels.split(",")
        found = import_model(
            path,
            bundle,
            labels=given,
            mean=mean,
            std=std,
            overwrite=overwrite,
            progress=progress,
        )
    if not as_json:
        out().print(f"Bundle: {short(found['bundle'])}")
    finish(found, as_json)
