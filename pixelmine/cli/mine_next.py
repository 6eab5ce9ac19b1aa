"""`pixelmine mine next`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import CollectionPath, Json, Where
from .terminal import finish, many, out, printable, run, short

__all__ = ["next_pictures"]


def next_pictures(
    path: CollectionPath,
    count: Annotated[int, typer.Option(help="Pictures to label, in a round.")] = 100,
    model: Annotated[
        str, typer.Option("--model", help="Whose embedding: a model's name or a bundle.")
    ] = "efficientnet-lite0-int8",
    where: Where = None,
    split: Annotated[
        str | None, typer.Option(help="ID or ID:FOLD: measure each round on its test part.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A CSV to fill in: file, row_id, suggested, label.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option("--take", help="Instead: take the labels of such a CSV.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Instead: how much each round brought.")
    ] = False,
    rounds: Annotated[
        int | None,
        typer.Option("--simulate", metavar="ROUNDS", help="Instead: try it on the labels there."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="With --simulate: how often.")] = 3,
    seed: Annotated[int, typer.Option(help="Another one chooses otherwise.")] = 0,
    as_json: Json = False,
) -> None:
    """Which pictures to label next: those that the labels so far leave unsure, all different.

    pixelmine mine next photos.pixels --count 100 --out next.csv

    pixelmine mine next photos.pixels --take next.csv

    pixelmine mine next photos.pixels --history

    pixelmine mine next photos.pixels --simulate 5
    """
    with run(as_json) as progress:
        from pixelmine.api.mine import to_label as api
        from pixelmine.api.mine.label_rounds import rounds_so_far
        from pixelmine.core.errors import UsageError

        if (take is not None) + history + (rounds is not None) > 1:
            raise UsageError("Give one of --take, --history and --simulate.")
        found: dict[str, Any]
        if take is not None:
            found = {"labels": api.take_labels(path, take)}
            says = [f"{many(found['labels'], 'label')} taken."]
        elif history:
            found = {"rounds": rounds_so_far(path)}
            says = _history(found["rounds"])
        elif rounds is not None:
            trial = api.simulate_rounds(
                path, rounds, count, seeds=seeds, model=model, where=where, progress=progress
            )
            found = {
                "labels": list(trial.labels),
                "chosen": trial.chosen.tolist(),
                "random": trial.random.tolist(),
                "held_back": trial.held_back,
            }
            says = _trial(found)
        else:
            chosen = api.mine_next(
                path,
                count,
                model=model,
                where=where,
                split=split,
                out=out_file,
                seed=seed,
                progress=progress,
            )
            found = chosen.to_dict()
            says = _chosen(found)
            for note in chosen.notes():
                progress.note(note)
    if not as_json:
        for line in says:
            out().print(printable(line))
    finish(found, as_json)


def _chosen(found: dict[str, Any]) -> list[str]:
    labels, free = many(found["labelled"], "label"), many(found["unlabelled"], "picture")
    says = [
        f"{labels}, accuracy {_share(found['accuracy'])}.",
        f"{found['chosen']:,} of {free} without a label chosen by {found['by']}.",
    ]
    if found["out"]:
        return [*says, f"Fill in the column label of {short(found['out'])}, then --take it."]
    return says + [
        f"{row['row_id'][:12]}  {row['suggested'] or '-'}  {row['uri']} {row['member']}"
        for row in found["next"]
    ]


def _history(rounds: list[dict[str, Any]]) -> list[str]:
    if not rounds:
        return ["No round yet. Choose pictures to label with: pixelmine mine next COLLECTION."]
    says = []
    for row in rounds:
        accuracy, gain = row["accuracy"], row["gain"]
        says.append(
            f"{row['time']}  {many(row['labelled'], 'label')}  {_share(accuracy)}"
            + ("" if gain is None else f"  {100 * gain:+.1f} points")
            + (f"  test part of {row['split']}" if row["split"] else "")
            + (f"  condition {row['condition']}" if row["condition"] else "")
        )
    return says


def _trial(found: dict[str, Any]) -> list[str]:
    says = [f"Accuracy on {found['held_back']:,} pictures held back, {len(found['chosen'])} seeds:"]
    for number, labels in enumerate(found["labels"]):
        chosen, chance = (
            sum(one[number] for one in found[name]) / len(found[name])
            for name in ("chosen", "random")
        )
        says.append(f"{labels:7,} labels  chosen {chosen:.1%}  by chance {chance:.1%}")
    return says


def _share(accuracy: dict[str, float] | None) -> str:
    if accuracy is None:
        return "not known yet"
    return f"{accuracy['value']:.1%} ({accuracy['low']:.1%} to {accuracy['high']:.1%})"
