"""`pixelmine mine duplicates` and `pixelmine mine not-duplicates`."""

from typing import TYPE_CHECKING, Annotated

import typer

from .options import CollectionPath, Engine, Json, Model, RayAddress
from .terminal import finish, many, out, place, run

if TYPE_CHECKING:
    from pixelmine.api.mine.duplicates import Duplicates
    from pixelmine.api.mine.planted import Planted

__all__ = ["duplicates", "not_duplicates"]

_SHOWN = 10


def duplicates(
    path: CollectionPath,
    edited: Annotated[
        bool,
        typer.Option(help="Also crops, borders, text and screenshots: looks at alike pictures."),
    ] = True,
    turned: Annotated[
        bool | None,
        typer.Option(help="Also mirrored and turned copies.  [default: up to 300,000 pictures]"),
    ] = None,
    radius: Annotated[
        int, typer.Option(help="Bits, of the 256 of PDQ, that two hashes may differ by.")
    ] = 31,
    scene: Annotated[
        float | None,
        typer.Option(
            help="Similarity from which different pictures are a similar scene; 0: none.  "
            "[default: .9, and none with --no-edited]"
        ),
    ] = None,
    planted: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Measure: plant edited copies of N of your pictures, count the found."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="With --planted: which pictures.")] = 0,
    model: Model = "efficientnet-lite0-int8",
    engine: Engine = "auto",
    ray_address: RayAddress = None,
    as_json: Json = False,
) -> None:
    """Find copies: same bytes, same pixels, saved again or resized, edited. In groups.

    Each member of a group is a copy of its middle, with what says so. Called again, it compares
    only what is new.

        pixelmine mine duplicates photos.pixels

        pixelmine mine duplicates photos.pixels --no-edited

        pixelmine mine duplicates photos.pixels --planted 200
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.duplicates import mine_duplicates
        from pixelmine.api.mine.planted import measure_planted
        from pixelmine.engine import EngineOptions
        from pixelmine.mine.duplicates import DuplicateOptions

        if scene is None:
            scene = DuplicateOptions().scene if edited else 0.0
        options = DuplicateOptions(
            radius=radius, edited=edited, turned=turned, scene=scene if scene else None
        )
        place = EngineOptions(name=engine, ray_address=ray_address)
        if planted is not None:
            measured = measure_planted(
                path,
                options,
                originals=planted,
                seed=seed,
                model=model,
                engine=place,
                progress=progress,
            )
            if not as_json:
                _measured(measured)
            finish(measured.to_dict(), as_json)
            return
        found = mine_duplicates(path, options, model=model, engine=place, progress=progress)
        if not as_json:
            for note in found.notes():
                progress.note(note)
            _groups(found, str(path))
    finish(found.to_dict() if as_json else None, as_json)


def not_duplicates(
    path: CollectionPath,
    rows: Annotated[
        list[str],
        typer.Argument(metavar="ROW...", help="Two or more row ids, or their beginnings."),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    as_json: Json = False,
) -> None:
    """Remember that pictures are no duplicates of each other, whatever they look like.

    pixelmine mine not-duplicates photos.pixels 3f9a1c 77b0e2
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.decisions import not_duplicates as call

        pairs = call(path, rows, undo=undo)
        if not as_json:
            said = "may be duplicates again" if undo else "are no duplicates"
            progress.note(f"{many(pairs, 'pair')} of pictures {said}.")
    finish({"pairs": pairs, "undone": undo}, as_json)


def _groups(found: "Duplicates", path: str) -> None:
    """The figures, the first groups, and what to do next."""
    console, one = out(), found.summary
    tiers = ", ".join(f"{count:,} {name}" for name, count in one["tiers"].items())
    copies = f"{many(one['copies'], 'copy' if one['copies'] == 1 else 'copie')} ({tiers})"
    if not one["groups"]:
        console.print(f"No duplicates among {many(one['pictures'], 'picture')}.")
    else:
        console.print(
            f"{many(one['groups'], 'group')} with {copies} among "
            f"{many(one['pictures'], 'picture')}; the copies take {_size(one['bytes_of_copies'])}."
        )
    groups: dict[int, list[dict[str, object]]] = {}
    for row in found.rows.to_pylist():
        groups.setdefault(row["group_id"], []).append(row)
    for number, rows in list(groups.items())[:_SHOWN]:
        console.print(f"\ngroup {number}", style="bold")
        for row in rows:
            console.print(
                f"  {row['tier']:<10} {_evidence(row):<34} {row['row_id']!s:.8}  {place(row)}"
            )
    if len(groups) > _SHOWN:
        console.print(f"\n... and {len(groups) - _SHOWN:,} more groups.")
    alike = one["similar_scenes"]
    if alike["groups"]:
        console.print(
            f"\nNo copies, but alike: {many(alike['pictures'], 'picture')} in "
            f"{many(alike['groups'], 'group')} of a similar scene."
        )
    if one["groups"]:
        console.print(f"\nNext: pixelmine mine plan make {path} --out plan.csv")


def _evidence(row: dict[str, object]) -> str:
    """What says that a row is a copy, in few words."""
    said = []
    if row["bits"] is not None:
        said.append(f"{row['bits']} bits")
    if row["correlation"] is not None:
        said.append(f"detail {row['correlation']:.2f}")
    if row["turn"] not in (None, "upright"):
        said.append(str(row["turn"]))
    return ", ".join(said)


def _measured(measured: "Planted") -> None:
    console = out()
    console.print(f"{'edit':<12} {'planted':>8} {'found':>7} {'recall':>7} {'precision':>10}")
    for one in measured.edits:
        console.print(
            f"{one.edit:<12} {one.planted:>8,} {one.found:>7,} {one.recall:>7.1%} "
            f"{one.precision:>10.2%}"
        )
    console.print("\nWhat a bare threshold would give, over all edits:")
    for threshold in measured.thresholds:
        least = "at most" if threshold.by == "bits" else "at least"
        console.print(
            f"{threshold.by:<12} {least} {threshold.threshold:<6g} recall {threshold.recall:6.1%}  "
            f"precision {threshold.precision:7.2%}"
        )


def _size(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count)
