"""`pixelmine compare`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .options import AllowLeaks, Json, Language, Precision, Runtime
from .terminal import finish, out, printable, run, short

if TYPE_CHECKING:
    from pixelmine.evaluate import Ladder, Rung

__all__ = ["compare"]


def compare(
    source: Annotated[Path, typer.Argument(help="A collection, or a folder of idx files.")],
    recipes: Annotated[str, typer.Option(help="Names of training methods: a,b,c.")],
    into: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the models; by default SOURCE.ladder, here."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="ID or ID:FOLD of the collection.")] = None,
    seed: Annotated[int, typer.Option(help="Of every training.")] = 1,
    minutes: Annotated[
        float | None, typer.Option(help="For all trainings together; shared out evenly.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="Points of accuracy that may be lost, of 100, sure at 95 %."),
    ] = None,
    allow_leaks: AllowLeaks = False,
    report: Annotated[Path | None, typer.Option(help="A report: .html, .md or .json.")] = None,
    language: Language = "en",
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
) -> None:
    """Train several recipes on the same pictures, and say which one is enough.

    Accuracy on the same test pictures, time a picture, size and memory. Killed, the same command
    goes on; models that are there are not trained again.

        pixelmine compare mnist/ --recipes cnn-article --report ladder.html

        pixelmine compare photos.pixels --split 3f9c21ab --recipes template,transfer --minutes 30
    """
    with run(as_json) as progress:
        from pixelmine.api.compare import compare_recipes as call

        def epoch(found: dict[str, Any]) -> None:
            if not as_json:
                accuracy = found.get("held_back_accuracy")
                held = "" if accuracy is None else f"  held back {accuracy:.4f}"
                progress.note(f"  epoch {found['epoch']:>2}/{found['epochs']}{held}")

        found = call(
            source,
            [name.strip() for name in recipes.split(",")],
            out=into or Path(f"{source.absolute().name}.ladder"),
            split=split,
            seed=seed,
            minutes=minutes,
            margin=None if margin is None else margin / 100,
            allow_leaks=allow_leaks,
            runtime=runtime,
            precision=precision,
            report=report,
            language=language,
            command=shlex.join(["pixelmine", *sys.argv[1:]]),
            progress=progress,
            on_epoch=epoch,
        )
    if not as_json:
        _show(found.ladder)
        if report:
            out().print(f"Report: {short(report)}")
    finish(found.to_dict(), as_json)


def _show(ladder: "Ladder") -> None:
    from pixelmine.evaluate.ladder_words import verdict

    table = Table(box=None, pad_edge=False)
    for name in ("recipe", "accuracy", "95 %", "below best", "p", "a picture", "model", "training"):
        table.add_column(name, justify="left" if name == "recipe" else "right", no_wrap=True)
    for rung in ladder.rungs:
        table.add_row(*_cells(rung), style="bold" if rung is ladder.enough else "")
    out().print(table)
    for rung in ladder.rungs:
        if rung.reason is not None:
            out().print(f"{rung.name} failed: {printable(rung.reason)}")
    for sentence in verdict(ladder, "en"):
        out().print(sentence)


def _cells(rung: "Rung") -> list[str]:
    from pixelmine.evaluate.percent import points
    from pixelmine.evaluate.quantity import duration, p_value, size

    rate, cost, against = rung.accuracy, rung.cost, rung.against
    if rate is None:
        return [rung.name, "failed"]
    return [
        rung.name,
        f"{rate.value:.4f}",
        f"{rate.low:.4f} to {rate.high:.4f}",
        points(-against.difference.value) if against else "",
        p_value(rung.p) if rung.p is not None else "",
        duration(cost.seconds) if cost else "",
        size(cost.size_bytes) if cost else "",
        duration(rung.train_seconds) if rung.train_seconds is not None else "",
    ]
