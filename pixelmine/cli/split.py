"""`pixelmine split`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CollectionPath, Json, Where
from .terminal import finish, out, run

__all__ = ["split"]


def split(
    path: CollectionPath,
    parts: Annotated[
        str | None,
        typer.Option(help="Shares of train, val and test; or of two.  [default: .8,.1,.1]"),
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Instead: that many equal folds.")] = None,
    seed: Annotated[int, typer.Option(help="Another one gives another division.")] = 0,
    from_file: Annotated[
        Path | None, typer.Option("--from", help="A CSV with a column `part` and a name.")
    ] = None,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Divide the labelled pictures into parts. Copies and groups stay on one side.

    Prints the split id, which train and evaluate take.

        pixelmine split photos.pixels

        pixelmine split photos.pixels --folds 5
    """
    with run(as_json) as progress:
        from pixelmine.api.collection import split as call
        from pixelmine.api.collection import split_given
        from pixelmine.core.errors import UsageError
        from pixelmine.evaluate import SplitOptions

        if from_file is not None and (folds is not None or where is not None or parts):
            raise UsageError("--from gives the parts: leave out --parts, --folds and --where.")
        if folds is not None and parts:
            raise UsageError("Give --parts or --folds, not both.")
        if from_file is not None:
            found, counts, notes = split_given(path, from_file)
            for note in notes:
                progress.note(note)
        else:
            try:
                shares = tuple(float(part) for part in (parts or ".8,.1,.1").split(","))
            except ValueError as error:
                raise UsageError(
                    f"--parts must be numbers, as in .8,.1,.1. Got {parts!r}."
                ) from error
            options = SplitOptions(parts=shares, folds=folds, seed=seed)
            found, counts = call(path, options, where=where)
        if not as_json:
            progress.note(", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    if not as_json:
        out().print(found)
    finish({"split": found, "parts": counts}, as_json)
