"""`pixelmine split`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import CollectionPath, Json, Where
from .terminal import STRICT_CODE, finish, out, run

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
    near_duplicates: Annotated[
        bool, typer.Option(help="Keep together what looks the same, by perceptual hash.")
    ] = True,
    stratify: Annotated[
        bool | None,
        typer.Option(help="Give each part its share of each label.  [default: for parts]"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --from: refuse a split that leaks, with exit 3.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Divide the labelled pictures into parts. Copies, near-duplicates and groups stay on one side.

    Prints the split id, which train and evaluate take.

        pixelmine split photos.pixels

        pixelmine split photos.pixels --folds 5

        pixelmine split photos.pixels --from parts.csv --strict
    """
    with run(as_json) as progress:
        from pixelmine.api.split import split as call
        from pixelmine.api.split import split_given
        from pixelmine.core.errors import UsageError
        from pixelmine.evaluate import SplitOptions

        if from_file is not None and (folds is not None or where is not None or parts):
            raise UsageError("--from gives the parts: leave out --parts, --folds and --where.")
        if folds is not None and parts:
            raise UsageError("Give --parts or --folds, not both.")
        if from_file is not None:
            taken = split_given(
                path, from_file, near_duplicates=near_duplicates, strict=strict, progress=progress
            )
            for note in taken.notes():
                progress.note(note)
            found, leaks = taken.to_dict(), len(taken.leaks)
        else:
            options = SplitOptions(
                parts=_shares(parts or ".8,.1,.1"),
                folds=folds,
                seed=seed,
                stratify=stratify,
                near_duplicates=near_duplicates,
            )
            name, counts = call(path, options, where=where, progress=progress)
            found, leaks = {"split": name, "parts": counts}, 0
        if not as_json:
            counted = sorted(found["parts"].items())
            progress.note(", ".join(f"{name} {count:,}" for name, count in counted))
    if not as_json and found.get("kept", True):
        out().print(found["split"])
    finish(found, as_json)
    if strict and leaks:
        raise typer.Exit(STRICT_CODE)


def _shares(parts: str) -> tuple[float, ...]:
    from pixelmine.core.errors import UsageError

    try:
        return tuple(float(part) for part in parts.split(","))
    except ValueError as error:
        raise UsageError(f"--parts must be numbers, as in .8,.1,.1. Got {parts!r}.") from error
