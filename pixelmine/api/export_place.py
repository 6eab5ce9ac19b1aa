"""Where an export may be written: nothing of others is ever deleted."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import file_uri
from pixelmine.output.export.forms import skipped_path
from pixelmine.output.export.notes import is_export
from pixelmine.output.file import remove_leftovers
from pixelmine.store import Collection

__all__ = ["check_apart", "check_place"]

_ENDINGS = {"parquet": ".parquet", "csv": ".csv"}
"""Of forms that are one file."""


def check_place(out: Path, form: str, collection: Collection, overwrite: bool) -> None:
    """Raise UsageError for a place that must not be written to; clear up after a killed export.

    `out`: absolute.
    """
    ending = _ENDINGS.get(form)
    if ending and out.suffix.lower() != ending:
        raise UsageError(f"--out must end in {ending} for --as {form}. Got {out.name!r}.")
    notes = skipped_path(out)
    if ending and notes.exists() and not overwrite:
        raise UsageError(f"{notes} is there already. Give --overwrite to replace it.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give --overwrite to replace it.")
    folder = collection.path.absolute()
    if out.is_relative_to(folder) or folder.is_relative_to(out):
        raise UsageError(f"--out {out} and the collection {folder} must not lie in one another.")
    if ending and out.is_dir():
        raise UsageError(f"{out} is a folder; --as {form} writes a file.")
    if not ending and out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --as {form} writes a folder.")
    if not ending and out.is_dir() and any(out.iterdir()) and not is_export(out):
        raise UsageError(
            f"{out} holds files that are no earlier export, and --overwrite would delete them. "
            "Give a new folder."
        )
    names = (re.escape(path.name) for path in (out, skipped_path(out)))
    remove_leftovers(out.parent, "|".join(names))


def check_apart(out: Path, rows: pa.Table) -> None:
    """Raise UsageError where pictures of the collection lie in what would be replaced."""
    inside = file_uri(out)
    lie_there = pc.or_(pc.equal(rows["uri"], inside), pc.starts_with(rows["uri"], f"{inside}/"))
    if out.exists() and pc.any(lie_there).as_py():
        raise UsageError(
            f"Pictures of the collection lie in {out}, and --overwrite would delete them. Give "
            "another place."
        )
