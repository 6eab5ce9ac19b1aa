"""`pixelmine privacy`: keys, the audit log, and a second look at what leaves."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import CollectionPath, Engine, Json, Strict
from .terminal import finish, many, run, short, table

__all__ = ["app"]

app = typer.Typer(
    name="privacy", help="Keys, the audit log, a second look at what leaves.", no_args_is_help=True
)


@app.command()
def key(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the key.")],
    as_json: Json = False,
) -> None:
    """Make a master key that only you may read. Who loses it loses what it sealed.

    pixelmine privacy key ~/pixelmine.key
    """
    with run(as_json) as progress:
        from pixelmine.store.keys import make_key

        known_as = make_key(path)
        progress.note(f"Key {known_as}: {short(str(path))}. Keep a copy where the data is not.")
        progress.note(f"Use it with: export PIXELMINE_KEY_FILE={short(str(path))}")
    finish({"path": str(path), "key_id": known_as}, as_json)


@app.command()
def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]", help="A folder that `protect` wrote; it is looked at again."
        ),
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="The head of the audit log that you kept elsewhere.")
    ] = None,
    engine: Engine = "auto",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Check the audit log; look again for what OUT must not have.

    Exits with 1 where the log does not fit, with --strict with 3 where something is left in OUT.

        pixelmine privacy verify public/
    """
    with run(as_json) as progress:
        from pixelmine.api.audited import audit_log
        from pixelmine.api.verify_protected import verify_protected
        from pixelmine.core.errors import PixelmineError
        from pixelmine.engine import EngineOptions

        log = audit_log()
        said: dict[str, Any] = {"log": None, "out": None}
        if log.path.is_file():
            checked = log.verify(head)
            said["log"] = {"entries": checked.entries, "head": checked.head}
            if checked.broken:
                line, why = checked.broken
                raise PixelmineError(f"The audit log {log.path} does not fit: line {line}: {why}.")
            progress.note(f"Audit log: {checked.entries:,} entries fit. Head: {checked.head}")
        else:
            progress.note("There is no audit log yet.")
        left = 0
        if folder is not None:
            found = verify_protected(folder, engine=EngineOptions(name=engine), progress=progress)
            said["out"] = found.to_dict()
            left = len(found.files)
            progress.note(_said(found))
            if not as_json and found.files:
                table({name: ", ".join(why) for name, why in list(found.files.items())[:20]})
    finish(said, as_json, strict, left)


@app.command()
def log(as_json: Json = False) -> None:
    """Show the audit log: what was done, when, under which policy; nobody's name.

    pixelmine privacy log
    """
    with run(as_json):
        from pixelmine.api.audited import audit_log

        entries = list(audit_log().entries())
        if not as_json:
            table({f"{one['n']:>6,}  {one['time']}": _entry(one) for one in entries})
    finish({"entries": entries}, as_json)


@app.command()
def rotate(path: CollectionPath, as_json: Json = False) -> None:
    """Wrap the data keys of an encrypted collection with the current master key.

    No data is encrypted again. Old keys stay in PIXELMINE_KEY_FILE until this is done.

        pixelmine privacy rotate photos.pixels
    """
    with run(as_json) as progress:
        from pixelmine.api.rotate import rotate as rotate_keys

        found = rotate_keys(path, progress=progress)
        done = found.changed + found.already
        progress.note(
            f"Under key {found.key_id} now: the tables, and {many(done, 'copied picture')}."
        )
        for name, why in list(found.left.items())[:20]:
            progress.note(f"Not opened: {name}: {why}")
    finish(found.to_dict(), as_json)


def _entry(one: dict[str, Any]) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in one["counts"].items())
    policy = f" under {one['policy'][:12]}" if one["policy"] else ""
    return f"{one['did']}{policy} by {one['who']}: {counts}"


def _said(found: Any) -> str:
    if found.clean:
        unsure = f"; {found.unsure:,} unsure" if found.unsure else ""
        return f"{many(found.pictures, 'picture')} looked at again: nothing was found{unsure}."
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.found.items())
    return (
        f"{many(found.pictures, 'picture')} looked at again. Left: {kinds or 'no boxes'}; "
        f"{found.metadata:,} with metadata; {found.failed:,} that cannot be read."
    )
