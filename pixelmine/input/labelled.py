"""Sources with what a user says about their pictures: the one listing of one or several."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import row_id, uri_path

from .cells import REMOTE
from .labels import FOLDERS, CsvLabels, FolderLabels
from .rows import Places, Row, Rows, batches
from .source import Source, SourceOptions

__all__ = ["Labelled", "Listed", "many"]

_AGAIN = re.compile(r"#\d+$")
"""Behind the name of a member that came before."""


@dataclass(frozen=True)
class Listed:
    """A source that makes batches itself, taken row by row."""

    source: Source

    @property
    def uri(self) -> str:
        """Of the source."""
        return self.source.uri

    @property
    def root(self) -> None:
        """It lies in no folder."""
        return

    def rows(self) -> Iterator[Row]:
        """As the source lists them."""
        for batch in self.source.list():
            yield from batch.to_pylist()


@dataclass(frozen=True)
class Labelled:
    """One or several sources that share the user's labels. A `Source`.

    `name`: a URI for all of them; None makes one of theirs.
    """

    parts: tuple[Rows, ...]
    options: SourceOptions
    name: str | None = None

    @property
    def uri(self) -> str:
        """The source's own; of several, theirs with blanks between."""
        return self.name or " ".join(part.uri for part in self.parts)

    def list(self) -> Iterator[pa.RecordBatch]:
        """All rows, then those of a table of labels that have no picture.

        A place that comes twice has `#2` behind its member's name the second time. What a table or
        a folder says of a picture goes before what its source says. Raises SourceError where there
        is not a single row.
        """
        labels = _Labels.of(self.parts, self.options)
        total = 0
        for rows in batches(self._rows(labels)):
            total += rows.num_rows
            yield rows
        for rows in labels.missing():
            total += rows.num_rows
            yield rows
        if not total:
            raise self._empty()

    def check(self) -> None:
        """See that there is a row, without listing more. Raises SourceError."""
        labels = _Labels.of(self.parts, self.options)
        if next(self._rows(labels), None) is None and next(labels.missing(), None) is None:
            raise self._empty()

    def _empty(self) -> SourceError:
        return SourceError(f"{self.uri} holds no files. Give a folder with pictures in it.")

    def _rows(self, labels: "_Labels") -> Iterator[Row]:
        places = Places()
        for part in self.parts:
            for row in part.rows():
                if "row_id" not in row:
                    member = places.member(row["uri"], row["member"])
                    row |= {"row_id": row_id(row["uri"], member), "member": member}
                yield labels.put(row)


def many(sources: Sequence[Labelled]) -> Labelled:
    """Several sources as one, in the order given, with the options of the first.

    Raises UsageError where one is, or lies within, another: its pictures would be rows twice.
    """
    uris = sorted(source.uri.rstrip("/") + "/" for source in sources)
    for one, other in pairwise(uris):
        if other.startswith(one):
            raise UsageError(
                f"The source {other.rstrip('/')} lies within {one.rstrip('/')}. Give only one."
            )
    parts = tuple(part for source in sources for part in source.parts)
    return Labelled(parts, sources[0].options, " ".join(source.uri for source in sources))


@dataclass(frozen=True)
class _Labels:
    """Puts labels into rows. `table`: None where there is nothing to say."""

    table: CsvLabels | FolderLabels | None

    @classmethod
    def of(cls, parts: Sequence[Rows], options: SourceOptions) -> Self:
        given = options.labels
        roots = [root for part in parts if (root := part.root) is not None] or [Path.cwd()]
        if given.labels not in (None, FOLDERS):
            return cls(CsvLabels.read(roots[0], given, roots[1:]))
        if FOLDERS not in (given.labels, given.group_by):
            return cls(None)
        return cls(FolderLabels(roots[0], given.folders_only(), tuple(roots[1:])))

    def put(self, row: Row) -> Row:
        if self.table is None:
            return row
        said = self._said(self.table, row)
        for name in ("label", "group"):
            if said.get(name) is not None:
                row[name] = said[name]
        if said.get("meta"):
            row["meta"] = [*dict([*(row.get("meta") or ()), *said["meta"]]).items()]
        return row

    def _said(self, table: CsvLabels | FolderLabels, row: Row) -> Row:
        """By the name in an address, by the name of a member, or by the path of a file."""
        uri = urlsplit(row["uri"])
        if uri.scheme in REMOTE:
            return table.describe_name(unquote(uri.path), row["uri"])
        if member := _AGAIN.sub("", row["member"]):
            return table.describe_name(member)
        if uri.scheme == "file":
            return table.describe(uri_path(row["uri"]))
        return {}

    def missing(self) -> Iterator[pa.RecordBatch]:
        if isinstance(self.table, CsvLabels):
            yield from self.table.missing()
