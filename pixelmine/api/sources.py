"""What a SOURCE on the command line stands for."""

from collections.abc import Sequence
from pathlib import Path

from pixelmine.input import Labelled, SourceOptions, many, open_source

__all__ = ["open_sources"]


def open_sources(sources: Sequence[str | Path], options: SourceOptions) -> Labelled:
    """Several sources as one; nothing is listed but the first rows, to see that there are some.

    Raises SourceError where a source is missing or none of them holds a single picture.
    """
    found = many([open_source(source, options) for source in sources])
    found.check()
    return found
