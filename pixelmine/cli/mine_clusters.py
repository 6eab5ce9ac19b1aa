"""`pixelmine mine clusters`."""

from typing import Annotated

import typer

from .options import CollectionPath, Json, Model, Where
from .terminal import finish, many, out, printable, run

__all__ = ["clusters"]


def clusters(
    path: CollectionPath,
    where: Where = None,
    model: Model = "efficientnet-lite0-int8",
    min_size: Annotated[
        int | None,
        typer.Option(help="Pictures of a cluster.  [default: by their number]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one gives another map.")] = 0,
    as_json: Json = False,
) -> None:
    """What is in the pile: pictures that belong together, named, and those that belong to nothing.

    Where each picture lies is the finding `clusters`, what the clusters are `cluster-names`.

        pixelmine mine clusters photos.pixels

        pixelmine mine clusters photos.pixels --min-size 20
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.clusters import mine_clusters
        from pixelmine.mine.clusters import ClusterOptions

        options = ClusterOptions(min_size=min_size, seed=seed)
        found = mine_clusters(path, options, where=where, model=model, progress=progress)
        for note in found.notes():
            progress.note(note)
    if not as_json:
        summary = found.found.summary
        out().print(
            f"{many(summary['pictures'], 'picture')} in {many(summary['clusters'], 'cluster')}; "
            f"{summary['odd']:,} ({summary['odd_share']:.0%}) belong to none."
        )
        groups = {row["cluster"]: row["name"] for row in found.level(1)}
        last: int | None = None
        rows = sorted(found.level(2), key=lambda row: (_first(row, groups), row["cluster"]))
        for row in rows:
            if row["parent"] != last:
                last = row["parent"]
                out().print(printable(groups.get(last, "") if last is not None else "alone"))
            out().print(printable(f"  {row['pictures']:>7,}  {row['name']}"))
    finish(found.to_dict(), as_json)


def _first(row: dict[str, object], groups: dict[int, str]) -> float:
    """Groups by their number, which falls with their size; clusters in none come last."""
    parent = row["parent"]
    return float(parent) if isinstance(parent, int) and parent in groups else float("inf")
