"""`pixelmine collection show|verify|compact`."""

from typing import Annotated

import typer
from rich.filesize import decimal

from .options import CollectionPath, Json
from .terminal import finish, out, run, table

__all__ = ["app"]

app = typer.Typer(name="collection", help="What a collection holds, and whether it is sound.")


@app.command()
def show(
    path: CollectionPath,
    failed: Annotated[
        bool, typer.Option("--failed", help="List the failed rows: URI, reason.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count pictures, reasons, labels, splits and predictions."""
    with run(as_json):
        from pixelmine.api.collection import failed_rows
        from pixelmine.api.collection import show as call

        if failed:
            rows = failed_rows(path)
        else:
            found = call(path)
    if failed:
        if not as_json:
            for row in rows:
                print(row["uri"], row["reason"], sep="\t")
        finish({"failed": rows}, as_json)
        return
    if not as_json:
        table(
            {
                "pictures": f"{found.pictures:,} ({found.ok:,} good, {found.failed:,} failed)",
                "different": f"{found.different:,} by content",
                "size": f"{decimal(found.bytes)}, where they lie",
                "formats": _listed(found.formats),
                "reasons": _listed(found.reasons),
                "labels": f"{found.labelled:,} labelled: {_listed(found.labels)}",
                "groups": f"{found.groups:,}",
                "splits": _each({k: _listed(v) for k, v in found.splits.items()}),
                "predictions": _each({k: f"{v:,}" for k, v in found.predictions.items()}),
            }
        )
    finish(found.to_dict(), as_json)


@app.command()
def verify(
    path: CollectionPath,
    files: Annotated[bool, typer.Option("--files", help="Read every picture again.")] = False,
    as_json: Json = False,
) -> None:
    """Check that every row agrees with the others. Exits with 1 if something is wrong."""
    with run(as_json) as progress:
        from pixelmine.api.collection import verify as call

        problems = call(path, files=files, progress=progress)
    if not as_json:
        for problem in problems:
            out().print(problem)
        out().print(f"{len(problems)} problems." if problems else "All is well.")
    finish({"problems": problems}, as_json)
    if problems:
        raise typer.Exit(1)


@app.command()
def compact(
    path: CollectionPath,
    keep_days: Annotated[float, typer.Option(help="Keep table versions younger than this.")] = 7.0,
    as_json: Json = False,
) -> None:
    """Merge small files of the tables, index them, and drop old versions."""
    with run(as_json):
        from pixelmine.api.collection import compact as call

        call(path, keep_days=keep_days)
    if not as_json:
        out().print("Compacted.")
    finish({"collection": str(path)}, as_json)


def _each(texts: dict[str, str]) -> str:
    return "; ".join(f"{name[:12]}: {text}" for name, text in texts.items()) or "none"


def _listed(counts: dict[str, int], at_most: int = 12) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:at_most]]
    more = f", and {len(counts) - at_most} more" if len(counts) > at_most else ""
    return (", ".join(shown) or "none") + more
