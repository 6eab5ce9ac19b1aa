"""`pixelmine erase`."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import CollectionPath, Json
from .terminal import finish, many, out, place, printable, run, short

if TYPE_CHECKING:
    from pixelmine.api.erase import Erased, ToErase
    from pixelmine.api.erase_models import Learnt

__all__ = ["erase"]

_SHOWN = 20


def erase(
    path: CollectionPath,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="A row_id, or its beginning.")
    ] = None,
    uris: Annotated[list[str] | None, typer.Option("--uri", help="A URI, or a file here.")] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="Everything of a sender, patient, camera.")
    ] = None,
    originals: Annotated[
        bool, typer.Option("--originals", help="Delete your own files too; else they stay.")
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option("--models", help="A bundle, or a folder of them: which have learnt of it?"),
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train those of --models without a network again.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased; change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase pictures and all that was made of them; they cannot come back. There is no undo.

    All rows of the same bytes go. What only looks alike is listed and stays. Killed, the same
    command goes on.

        pixelmine erase photos.pixels --uri photos/ann.jpg --dry-run

        pixelmine erase photos.pixels --group sender-17 --originals --yes
    """
    with run(as_json) as progress:
        from pixelmine.api.erase import erase as call
        from pixelmine.api.erase import find_to_erase
        from pixelmine.api.erase_models import learnt_of, train_again
        from pixelmine.core.errors import UsageError

        found = find_to_erase(path, ids=ids or (), uris=uris or (), groups=groups or ())
        learnt = learnt_of(models or (), found.learnt, path)
        if not as_json:
            _show(found, learnt, originals)
        asking = not (yes or dry_run)
        if asking and (as_json or not (sys.stdin.isatty() and sys.stdout.isatty())):
            raise UsageError(
                "Nothing was erased: there is nobody to ask. Look with --dry-run, then add --yes."
            )
        wanted = not dry_run and (yes or typer.confirm("Erase these for good?"))
        done = []
        if wanted:
            done = call(found, originals=originals, models=learnt, progress=progress)
        if not as_json:
            for one in done:
                _say(one)
        trained = {}
        for model in learnt if done and retrain else ():
            if model.quick:
                trained[model.path] = train_again(model, path, progress)
    if not as_json:
        for name, digest in trained.items():
            out().print(f"Trained again: {short(name)}, {digest[:12]}")
        if not done:
            out().print("Nothing was erased.")
    said = {**found.to_dict(), "models": [one.to_dict() for one in learnt]}
    result = {"erased": [one.to_dict() for one in done], "trained_again": trained}
    finish({**said, **result}, as_json)
    if not wanted and not dry_run:
        raise typer.Exit(1)


def _show(found: "ToErase", learnt: "list[Learnt]", originals: bool) -> None:
    if found.unfinished is not None:
        out().print("An erasure was stopped in the middle: it is finished first.", style="yellow")
    if found.rows:
        out().print(f"To be erased: {many(len(found.rows), 'row')}.", style="bold")
    for row in found.rows[:_SHOWN]:
        why = "" if row["why"] == "named" else "  (the same bytes)"
        out().print(f"  {row['row_id'][:12]}  {place(row)}{why}")
    _more(len(found.rows))
    lines = [
        (found.copied, "copy", "copies", "in the collection's bytes/: erased too."),
        (found.set_aside, "picture", "pictures", "that a plan has set aside: erased too."),
        (found.unread, "row", "rows", "never read: a later ingest may bring them back."),
    ]
    for count, one, several, text in lines:
        if count:
            out().print(f"{count:,} {one if count == 1 else several} {text}")
    whose = "are deleted too, where they lie on this machine" if originals else "stay"
    out().print(f"Your own files {whose}.")
    if found.near:
        out().print("Not erased, but alike: look at them.", style="bold")
    for near in found.near[:_SHOWN]:
        out().print(f"  {near.row_id[:12]}  {place(vars(near))}  ({near.why})")
    _more(len(found.near))
    for model in learnt:
        out().print(
            f"The model {printable(model.name)} ({model.digest[:12]}, {short(model.path)}) has "
            f"learnt of {many(model.pictures, 'picture')}."
        )
        if model.quick:
            out().print("  --retrain trains it again without.")
        elif model.again:
            out().print(f"  Train it again afterwards: {printable(model.again)}")


def _more(count: int) -> None:
    if count > _SHOWN:
        out().print(f"  and {count - _SHOWN:,} more: see --json --dry-run")


def _say(one: "Erased") -> None:
    receipt = one.receipt
    summed: Counter[str] = Counter()
    for name, count in receipt["counts"].items():
        summed[name.partition("/")[0]] += count
    counts = ", ".join(f"{name} {count:,}" for name, count in summed.items())
    out().print(f"Erased {many(receipt['rows'], 'row')}: {printable(counts)}.")
    for line in one.left:
        out().print(f"Not deleted: {printable(line)}", style="yellow")
    out().print(f"Tombstones: {len(receipt['tombstones']):,}. Audit log: {receipt['audit_head']}")
    out().print(f"Receipt: {short(one.path)}")
