"""`pixelmine mine`: one file a finding."""

import typer

from . import mine_quality

app = typer.Typer(
    name="mine",
    help="What is in a collection, what is wrong with it, and what has changed.",
    no_args_is_help=True,
)

app.command("quality")(mine_quality.quality)
