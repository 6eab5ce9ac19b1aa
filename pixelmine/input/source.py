"""What a source is, and which one a text on the command line stands for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from .labels import LabelOptions

__all__ = ["Feed", "Source", "SourceOptions"]


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """What a user says about a source.

    `labels`: see there. `leave_out`: absolute paths that are not of the source. `picture_column`:
    of a table or query, the column with bytes, a path or a URL, nested ones with dots
    (`image.bytes`); None looks for the usual names. `query`: SQL, for a database. `allow_private`:
    whether addresses of private networks may be asked; off, so that a list of URLs cannot reach
    what only this machine can.
    """

    labels: LabelOptions = field(default_factory=LabelOptions)
    leave_out: tuple[Path, ...] = ()
    picture_column: str | None = None
    query: str | None = None
    allow_private: bool = False


class Source(Protocol):
    """Something that can be listed from its beginning to its end."""

    @property
    def uri(self) -> str:
        """Absolute and canonical, without user, password or signature: the run is named by it."""
        ...

    def list(self) -> Iterator[pa.RecordBatch]:
        """LISTING rows in a stable order, streamed. Raises SourceError where there is nothing."""
        ...


class Feed(Protocol):
    """Something that never ends: a watched folder, a stream of messages. Pulled, never pushed."""

    @property
    def uri(self) -> str:
        """Absolute and canonical, without user or password."""
        ...

    def pull(self, rows: int, wait_s: float) -> pa.RecordBatch:
        """Up to `rows` LISTING rows, as soon as there are some; none after `wait_s` seconds.

        Raises SourceError where the connection is lost for good.
        """
        ...

    def acknowledge(self, rows: pa.RecordBatch) -> None:
        """These rows, as `pull` gave them, are committed: they need not come again."""
        ...

    def waiting(self) -> int | None:
        """How many rows are behind, as far as the source can tell."""
        ...

    def close(self) -> None:
        """End the connection; what was pulled and not acknowledged comes again."""
        ...
