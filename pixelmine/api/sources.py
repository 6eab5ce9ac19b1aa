"""What a SOURCE on the command line stands for."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from pixelmine.core.errors import SourceError
from pixelmine.input import list_folder
from pixelmine.input.labels import FOLDERS, CsvLabels, FolderLabels, LabelOptions

__all__ = ["list_sources"]


def list_sources(
    sources: Sequence[Path], options: LabelOptions, leave_out: Collection[Path] = ()
) -> Iterator[pa.RecordBatch]:
    """List files and folders as LISTING rows, with what is known about each.

    `leave_out`: absolute paths of what is being written, where it lies inside a source. Raises
    SourceError where a source is missing or none of them holds a single file.
    """
    total = 0
    for rows in _list([Path(os.path.abspath(source)) for source in sources], options, leave_out):
        total += rows.num_rows
        yield rows
    if not total:
        names = ", ".join(map(str, sources))
        raise SourceError(f"{names} holds no files. Give a folder with pictures in it.")


def _list(
    sources: Sequence[Path], options: LabelOptions, leave_out: Collection[Path]
) -> Iterator[pa.RecordBatch]:
    roots = [source if source.is_dir() else source.parent for source in sources]
    if options.labels in (None, FOLDERS):
        for source, root in zip(sources, roots, strict=True):
            yield from list_folder(source, FolderLabels(root, options).describe, leave_out)
        return
    table = CsvLabels.read(roots[0], options, roots[1:])
    for source in sources:
        yield from list_folder(source, table.describe, leave_out)
    yield from table.missing()
