"""`pixelmine mine label-errors`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import CollectionPath, Json, Where
from .terminal import finish, many, out, place, printable, run

if TYPE_CHECKING:
    from pixelmine.api.mine.label_review import Review

__all__ = ["label_errors"]


def label_errors(
    path: CollectionPath,
    where: Where = None,
    features: Annotated[
        str, typer.Option(help="auto, embedding, designed (for tiny pictures) or both.")
    ] = "auto",
    model: Annotated[
        str, typer.Option("--model", help="Whose embedding: a model's name or a bundle.")
    ] = "efficientnet-lite0-int8",
    top: Annotated[int, typer.Option(help="Suspected pictures to show.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="The start of a row_id: give it the suggested label; again for several."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="With --accept: this label instead.")
    ] = None,
    reject: Annotated[
        list[str] | None,
        typer.Option(help="The start of a row_id: its label is right; again for several."),
    ] = None,
    accept_above: Annotated[
        float | None,
        typer.Option(help="Accept all suggestions at least that probable, 0 to 1; see --yes."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --accept-above: do it, not only tell.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Labels that are probably wrong, with what the picture probably shows.

    Each label is judged by models and neighbours that have not seen the picture, copies or group
    of it. All scores are the finding `label-errors`.

        pixelmine mine label-errors photos.pixels

        pixelmine mine label-errors photos.pixels --accept 3f9c21 --reject 77ab01

        pixelmine mine label-errors photos.pixels --accept-above .95 --yes
    """
    with run(as_json) as progress:
        from pixelmine.core.errors import UsageError

        if accept_above is not None and (accept or reject or label):
            raise UsageError("Give --accept-above alone, without --accept, --reject and --label.")
        if yes and accept_above is None:
            raise UsageError("--yes goes with --accept-above.")
        if accept_above is not None or accept or reject or label:
            from pixelmine.api.mine import label_review

            review = (
                label_review.accept_above(path, accept_above, write=yes)
                if accept_above is not None
                else label_review.review_labels(
                    path, accept=accept or [], reject=reject or [], label=label
                )
            )
            notes, found = review.notes(), review.to_dict()
            if not as_json:
                _say_review(review)
        else:
            from pixelmine.api.mine.label_errors import LabelErrorOptions, mine_label_errors

            options = LabelErrorOptions(features=features, model=model, seed=seed)  # type: ignore[arg-type]  # checked there
            errors = mine_label_errors(path, options, where=where, top=top, progress=progress)
            notes, found = errors.notes(), errors.to_dict()
            if not as_json:
                _show(found)
        for note in notes:
            progress.note(note)
    finish(found, as_json)


def _show(found: dict[str, Any]) -> None:
    out().print(
        f"{many(found['pictures'], 'label')} judged, {found['suspected']:,} suspected. "
        f"Others agree with {found['agreement']:.1%} of the labels."
    )
    for row in found["worst"]:
        near = ", ".join(one["label"] for one in row["near"] or ())
        out().print(
            printable(
                f"{row['row_id'][:12]}  {row['given']} -> {row['suggested']} "
                f"{row['probability']:.0%}  (near: {near})  "
            )
            + place(row)
        )


def _say_review(review: "Review") -> None:
    does = "now" if review.written else "would become"
    for row in review.accepted:
        out().print(printable(f"{row['row_id'][:12]}  {row['given']}: {does} {row['label']}"))
    for row in review.rejected:
        out().print(printable(f"{row['row_id'][:12]}  {row['given']}: not {row['label']}"))
    if not review.written:
        out().print(f"{many(len(review.accepted), 'label')} to change. Do it with --yes.")
