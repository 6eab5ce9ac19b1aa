"""`pixelmine mine plan make|show|apply|undo`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import CollectionPath, Json, Overwrite
from .terminal import finish, many, out, run, short

if TYPE_CHECKING:
    from pixelmine.api.mine.plan import PlanSummary

__all__ = ["app"]

app = typer.Typer(
    name="plan",
    help="Which duplicates go: a file to look at and change, applied by setting aside, undone.",
    no_args_is_help=True,
)

PlanPath = Annotated[
    Path, typer.Argument(metavar="PLAN.csv", help="As `mine plan make` writes it.")
]


@app.command()
def make(
    path: CollectionPath,
    out_file: Annotated[Path, typer.Option("--out", help="A .csv file.")] = Path("plan.csv"),
    keep: Annotated[
        str,
        typer.Option(help="What the copy that stays is chosen by; the first difference decides."),
    ] = "label,resolution,bytes,metadata,oldest,path",
    protect: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLDER", help="What lies there always stays. May be given often."),
    ] = None,
    tiers: Annotated[
        str, typer.Option(help="Copies that may go: bytes, pixels, reencoded, edited.")
    ] = "bytes,pixels,reencoded",
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Write a plan of the duplicates that were found: one line a picture, keep or remove, and why.

    pixelmine mine plan make photos.pixels --out plan.csv

    pixelmine mine plan make photos.pixels --keep resolution,oldest --protect photos/originals
    """
    with run(as_json):
        from pixelmine.api.mine.plan import make_plan
        from pixelmine.core.ids import file_uri
        from pixelmine.mine.plan import PlanOptions

        options = PlanOptions(
            keep=_names(keep),
            protect=tuple(one if "://" in one else file_uri(one) for one in protect or ()),
            tiers=_names(tiers),
        )
        found = make_plan(path, out_file, options, overwrite=overwrite)
    if not as_json:
        _show(found)
        out().print(f"Next: pixelmine mine plan apply {path} {short(out_file)} --yes")
    finish(found.to_dict(), as_json)


@app.command()
def show(path: CollectionPath, plan: PlanPath, as_json: Json = False) -> None:
    """Say what a plan would do, and whether anything stands against it. Changes nothing.

    pixelmine mine plan show photos.pixels plan.csv
    """
    with run(as_json):
        from pixelmine.api.mine.plan import show_plan

        found = show_plan(path, plan)
    if not as_json:
        _show(found)
    finish(found.to_dict(), as_json)


@app.command()
def apply(
    path: CollectionPath,
    plan: PlanPath,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said.")] = False,
    as_json: Json = False,
) -> None:
    """Set aside what a plan removes: files move into the collection's quarantine, none is deleted.

    pixelmine mine plan apply photos.pixels plan.csv --yes
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.plan import apply_plan, show_plan

        if yes:
            done = apply_plan(path, plan, progress=progress)
        else:
            found = show_plan(path, plan)
    if not yes:
        if not as_json:
            _show(found)
            out().print("Nothing was done: add --yes to do it.")
        finish({**found.to_dict(), "applied": False}, as_json)
        return
    if not as_json:
        out().print(
            f"{many(done.marked, 'row')} set aside, {many(done.moved, 'file')} moved to "
            f"{short(done.folder)}. Undo: pixelmine mine plan undo {path} {done.id}"
        )
    finish({**done.to_dict(), "applied": True}, as_json)


@app.command()
def undo(
    path: CollectionPath,
    name: Annotated[
        str | None, typer.Argument(metavar="ID", help="What apply said; else the last one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring back what a plan set aside.

    pixelmine mine plan undo photos.pixels
    """
    with run(as_json):
        from pixelmine.api.mine.plan import undo_plan

        done = undo_plan(path, name)
    if not as_json:
        out().print(f"{many(done.moved, 'file')} and {many(done.marked, 'row')} are back.")
    finish(done.to_dict(), as_json)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _show(found: "PlanSummary") -> None:
    from rich.filesize import decimal

    tiers = ", ".join(f"{count:,} {name}" for name, count in found.tiers.items())
    console = out()
    console.print(
        f"{many(found.groups, 'group')}: {found.keep:,} stay, {found.remove:,} go"
        f"{f' ({tiers})' if tiers else ''}, {decimal(found.bytes)} of files."
    )
    if found.unmovable:
        console.print(
            f"{many(found.unmovable, 'row')} lie in containers or behind URLs: they are marked, "
            "not moved."
        )
    if found.already:
        console.print(
            f"{many(found.already, 'row')} to remove are gone already, set aside by another plan "
            "or failed since: they are left as they are."
        )
    for problem in found.problems:
        console.print(problem, style="yellow")
