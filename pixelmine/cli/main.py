"""The command `pixelmine`: one file a command, each importing what it needs when it runs."""

import os
from typing import Annotated

import typer

from pixelmine.core.malloc import few_arenas

from . import (
    collection,
    compare,
    datasets,
    doctor,
    evaluate,
    features,
    label,
    mine,
    models,
    privacy,
    search,
    split,
    train,
)
from . import demo as demo_command
from . import erase as erase_command
from . import export as export_command
from . import ingest as ingest_command
from . import predict as predict_command
from . import protect as protect_command
from .terminal import INTERRUPTED_CODE, quiet_libraries

__all__ = ["app", "main"]

app = typer.Typer(
    name="pixelmine",
    help="From a pile of pictures to recognised, private, trustworthy data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(predict_command.predict)
app.command()(ingest_command.ingest)
app.add_typer(collection.app)
app.command()(label.label)
app.command()(split.split)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(compare.compare)
app.command()(export_command.export)
app.command()(protect_command.protect)
app.command()(erase_command.erase)
app.add_typer(privacy.app)
app.add_typer(mine.app)
app.command()(search.search)
app.add_typer(features.app)
app.add_typer(models.app)
app.add_typer(datasets.app)
app.command()(demo_command.demo)
app.command()(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from pixelmine import __version__

        print(f"pixelmine {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """From a pile of pictures to recognised, private, trustworthy data."""


def main() -> None:
    """Run the command line.

    After Ctrl-C the process ends at once: threads of native libraries that are still at work would
    crash the interpreter's own way out. What is committed is whole by then.
    """
    few_arenas()
    try:
        with quiet_libraries():
            app()
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED_CODE:
            os._exit(INTERRUPTED_CODE)
        raise
