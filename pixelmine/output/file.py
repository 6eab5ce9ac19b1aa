"""A result file: it appears whole, at the end, sorted by row_id."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError

from .formats import writer_for
from .parts import Parts
from .sink import Delivered, cleared

__all__ = ["FileSink", "cannot_write", "counted", "remove_leftovers"]


class FileSink:
    """JSON Lines, CSV, Parquet or Arrow, by the ending; parts lie in `state` until the end."""

    def __init__(self, path: Path, state: Path) -> None:
        self.path = path
        self._write = writer_for(path)
        self._parts = Parts(state / "parts")

    def start(self) -> Iterator[pa.RecordBatch]:
        """What earlier parts hold."""
        if self.path.is_dir():
            raise OutputError(f"--out {self.path} is a folder. Give a file.")
        remove_leftovers(self.path.parent, re.escape(self.path.name))
        return self._parts.done()

    def restart(self) -> None:
        """Remove earlier parts."""
        self.start()
        self._parts.clear()

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Add to the current part."""
        try:
            self._parts.add(cleared(rows))
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def flush(self) -> None:
        """Commit the current part."""
        try:
            self._parts.commit()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Commit what was taken."""
        self.flush()

    def finish(self, listed: Iterable[str]) -> Delivered:
        """Write the file and put it in its place."""
        delivered = Delivered()
        self.flush()
        try:
            with replace_file(self.path) as temporary:
                self._write(temporary, counted(self._parts.merged(listed), delivered))
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return delivered


def cannot_write(path: Path, error: OSError) -> OutputError:
    """What to tell of a disk that would not take the results."""
    return OutputError(
        f"Cannot write {path}: {error.strerror or error}. What was committed is kept; "
        "make room or mend the folder, then run the same command again."
    )


def remove_leftovers(folder: Path, name: str) -> None:
    """Remove what a process that was killed left in `folder` on its way to be `name` (a regex)."""
    ours = re.compile(rf"\.(?:{name})\.[a-z0-9_]{{8}}\.(?:tmp|old)")
    for path in folder.iterdir() if folder.is_dir() else ():
        if ours.fullmatch(path.name):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def counted(tables: Iterable[pa.Table], delivered: Delivered) -> Iterator[pa.Table]:
    """The tables, counted as they go by."""
    for table in tables:
        delivered.add(table)
        yield table
