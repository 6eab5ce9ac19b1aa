"""`pixelmine demo`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Language
from .terminal import finish, out, run, short

__all__ = ["demo"]


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where it writes.")] = Path(
        "pixelmine-demo"
    ),
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """From messy pictures to recognised results, offline, with pictures that came along.

    Recognises photographs with the bundled model; then writes real handwritten digits as files,
    plants broken ones, copies and wrong labels among them, and ingests, trains, evaluates and
    recognises them, with a report to look at.
    """
    with run(as_json) as progress:
        from pixelmine.api.demo import run_demo

        found = run_demo(folder, language=language, progress=progress)
    if not as_json:
        out().print(f"Report: {short(found['report'])}")
    finish(found, as_json)
