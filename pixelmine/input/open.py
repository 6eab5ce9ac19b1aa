"""Which source a text stands for."""

import glob
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import file_uri, uri_path
from pixelmine.core.registry import Registry

from .folder import FolderSource
from .idx import is_idx_folder
from .kinds import kind_of
from .labelled import Labelled, Listed
from .rows import Row, Rows
from .source import Source, SourceOptions

__all__ = ["SOURCES", "STREAMS", "open_source"]

SOURCES: Registry[Callable[[str, SourceOptions], Source | Rows]] = Registry(
    "source",
    {
        "postgresql": "pixelmine.input.sql:SqlSource",
        "mysql": "pixelmine.input.sql:SqlSource",
        "mariadb": "pixelmine.input.sql:SqlSource",
        "sqlite": "pixelmine.input.sql:SqlSource",
        "http": "pixelmine.input.http:HttpSource",
        "https": "pixelmine.input.http:HttpSource",
        "s3": "pixelmine.input.object_store:ObjectStoreSource",
        "gs": "pixelmine.input.object_store:ObjectStoreSource",
        "az": "pixelmine.input.object_store:ObjectStoreSource",
    },
)
"""Sources by the scheme of their address: called with the address and the options.

Those of tables give rows that are not labelled yet, the others batches."""

STREAMS = ("nats", "redis", "rediss", "amqp", "amqps", "kafka")
"""Schemes of what never ends, which is a feed."""

_TABLES = ("postgresql", "mysql", "mariadb", "sqlite")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def open_source(text: str | Path, options: SourceOptions) -> Labelled:
    """The source that a text names; nothing is listed yet.

    A folder: its files, or the pictures of its idx files. A file, by its content: a tar, zip, npz,
    Parquet, Arrow or idx file, a table or list of addresses, else one picture. A pattern
    (`shards/*.tar`): all that it matches, sorted. An address: by its scheme, see `SOURCES`. Raises
    SourceError where there is no such file, UsageError for an address of no known scheme.
    """
    scheme = _SCHEME.match(text) if isinstance(text, str) else None
    if scheme is None or scheme[1].lower() == "file":
        return Labelled((_local(_path(str(text)), options),), options)
    name = scheme[1].lower().partition("+")[0]
    if name in STREAMS:
        raise UsageError(f"{name}:// is a stream: it never ends, and cannot be listed as a source.")
    if name not in _TABLES:
        options.labels.refuse_columns()
    source = SOURCES.get(name)(str(text), options)
    if name in _TABLES:
        return Labelled((cast(Rows, source),), options)
    return Labelled((Listed(cast(Source, source)),), options)


@dataclass(frozen=True)
class _Pattern:
    """All that a pattern matches when it is listed. `path`: absolute, with `*`, `?`, `[...]`."""

    path: Path
    options: SourceOptions

    @property
    def uri(self) -> str:
        """Of the pattern, so that a new match belongs to the same source."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The last folder above the first wildcard."""
        above = [part for part in self.path.parents if not glob.has_magic(str(part))]
        return above[0]

    def rows(self) -> Iterator[Row]:
        """Match by match, in sorted order."""
        found = sorted(map(Path, glob.glob(str(self.path), recursive=True)))  # noqa: PTH207 (absolute)
        if not found:
            raise SourceError(f"Nothing matches {self.path}.")
        folder = None
        for path in found:
            if path in self.options.leave_out or (folder and path.is_relative_to(folder)):
                continue
            folder = path if path.is_dir() else None
            yield from _local(path, self.options, self.root).rows()


def _path(text: str) -> Path:
    try:
        path = uri_path(text) if text.lower().startswith("file://") else Path(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no file:// address of this machine.") from error
    return Path(os.path.abspath(path))


def _local(path: Path, options: SourceOptions, below: Path | None = None) -> Rows:
    if not os.path.lexists(path):
        if glob.has_magic(str(path)):
            return _Pattern(path, options)
        raise SourceError(f"There is no file or folder at {path}.")
    if path.is_dir():
        if is_idx_folder(path):
            from .idx_source import IdxSource

            return IdxSource(path, options)
        return FolderSource(path, options, below)
    return _file(path, kind_of(path), options, below)


def _file(path: Path, kind: str, options: SourceOptions, below: Path | None) -> Rows:
    if kind in ("csv", "jsonl", "lines"):
        from .table import TextTable

        return TextTable(path, options, kind)
    if kind in CONTAINERS.names():
        return CONTAINERS.get(kind)(path, options)
    return FolderSource(path, options, below)


CONTAINERS: Registry[Callable[[Path, SourceOptions], Rows]] = Registry(
    "container",
    {
        "tar": "pixelmine.input.tar:TarSource",
        "zip": "pixelmine.input.zip:ZipSource",
        "npz": "pixelmine.input.npz:NpzSource",
        "idx": "pixelmine.input.idx_source:IdxSource",
        "parquet": "pixelmine.input.parquet:ParquetSource",
        "arrow": "pixelmine.input.arrow:ArrowSource",
    },
)
"""Files that hold many pictures, by their kind: called with the path and the options."""
