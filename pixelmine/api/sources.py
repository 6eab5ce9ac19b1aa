"""What a SOURCE on the command line stands for."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pixelmine.input import Labelled, SourceOptions, many, open_source
from pixelmine.output.export.notes import MANIFEST, SKIPPED_NAME, is_export

__all__ = ["open_sources"]


def open_sources(sources: Sequence[str | Path], options: SourceOptions) -> Labelled:
    """Several sources as one; nothing is listed but the first rows, to see that there are some.

    The tables that `export` has put beside pictures are no pictures and are left out. Raises
    SourceError where a source is missing or none of them holds a single picture.
    """
    notes = tuple(file for source in sources for file in _notes(Path(source)))
    options = replace(options, leave_out=(*options.leave_out, *notes))
    found = many([open_source(source, options) for source in sources])
    found.check()
    return found


def _notes(source: Path) -> Iterator[Path]:
    folder = Path(os.path.abspath(source))
    if is_export(folder):
        yield from (folder / MANIFEST, folder / SKIPPED_NAME)
