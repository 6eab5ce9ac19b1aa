"""`pixelmine mine associations`."""

from typing import Annotated

import typer

from .options import CollectionPath, Json, Model, Where
from .terminal import finish, many, out, printable, run

__all__ = ["associations"]


def associations(
    path: CollectionPath,
    where: Where = None,
    model: Model = "efficientnet-lite0-int8",
    predict: Annotated[
        bool, typer.Option("--predict", help="Ask the model first, where it has not been asked.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Of the table: take it although its name suggests that it says who."),
    ] = None,
    support: Annotated[
        float, typer.Option(help="Share of the pictures that a rule must hold for.")
    ] = 0.005,
    length: Annotated[int, typer.Option(help="Items of a rule, 2 to 4.")] = 3,
    level: Annotated[float, typer.Option(help="Chance of any false rule.")] = 0.05,
    top: Annotated[int, typer.Option(help="Rules to show.")] = 20,
    as_json: Json = False,
) -> None:
    """What goes with what: labels, predictions, quality, metadata, time, source.

    A rule from how a picture came about to what it shows is marked as a shortcut: a model may
    learn it. All of it is the finding `associations`.

        pixelmine mine associations photos.pixels

        pixelmine mine associations photos.pixels --predict --length 2
    """
    with run(as_json) as progress:
        from pixelmine.api.mine.associations import mine_associations
        from pixelmine.mine.associations import RuleOptions
        from pixelmine.mine.items import ItemOptions

        options = RuleOptions(level=level, length=length, items=ItemOptions(support=support))
        found = mine_associations(
            path,
            options,
            where=where,
            model=model,
            predict=predict,
            columns=column or (),
            progress=progress,
        )
        for note in found.notes():
            progress.note(note)
    if not as_json:
        summary = found.found.summary
        out().print(
            f"{many(summary['found'], 'rule')} of {summary['tested']:,} that could be, "
            f"{summary['shortcuts']:,} of them shortcuts."
        )
        for rule in found.rules[:top]:
            says = f"{' and '.join(rule['antecedent'])} -> {rule['consequent']}"
            out().print(printable(f"{'shortcut  ' if rule['shortcut'] else '          '}{says}"))
            out().print(
                f"          {many(rule['pictures'], 'picture')}, {rule['confidence']:.0%} "
                f"({rule['lift']:.1f} times as often), p {_small(rule['corrected_p_value'])}"
            )
    finish(found.to_dict(), as_json)


def _small(p_value: float) -> str:
    return f"{p_value:.1g}" if p_value > 1e-99 else "below 1e-99"
