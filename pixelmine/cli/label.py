"""`pixelmine label`."""

from typing import Annotated

import typer

from .options import CollectionPath, Json
from .terminal import finish, out, run, table

__all__ = ["label"]


def label(
    path: CollectionPath,
    row: Annotated[str | None, typer.Option("--id", help="The start of a row_id.")] = None,
    new: Annotated[
        list[str] | None, typer.Option("--set", help="The label; again for several.")
    ] = None,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Leave it without a label.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Back to the label before.")] = False,
    as_json: Json = False,
) -> None:
    """Read, set and undo labels. Nothing is overwritten: the latest row wins.

    pixelmine label photos.pixels

    pixelmine label photos.pixels --id 3f9c21 --set cat
    """
    with run(as_json):
        from pixelmine.api import labels as api
        from pixelmine.core.errors import UsageError

        if row is None and (new or take_back or undo):
            raise UsageError("--set, --take-back and --undo need --id.")
        if bool(new) + take_back + undo > 1:
            raise UsageError("Give one of --set, --take-back and --undo.")
        if row is None:
            summary = api.label_summary(path)
            found = summary.to_dict()
        elif undo:
            found = {"labels": api.undo_label(path, row)}
        elif new or take_back:
            found = {"row_id": api.set_label(path, row, new or []), "labels": new or []}
        else:
            found = {"history": api.label_history(path, row)}
    if not as_json:
        _show(found)
    finish(found, as_json)


def _show(found: dict[str, object]) -> None:
    if "pictures" in found and isinstance(found["labels"], dict):
        out().print(f"{found['labelled']} of {found['pictures']} pictures have a label.")
        table({str(name): count for name, count in found["labels"].items()})
    elif isinstance(found.get("history"), list):
        for entry in found["history"]:  # type: ignore[attr-defined]  # checked above
            text = ", ".join(entry["labels"]) or "(none)"
            out().print(
                f"{entry['time']:%Y-%m-%d %H:%M:%S}  {text}  {entry['who']}  {entry['source']}"
            )
    else:
        labels = found["labels"]
        out().print(", ".join(labels) if isinstance(labels, list) and labels else "(none)")
