"""One Lance table of a collection: written in small atomic commits, read as a stream."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import CollectionError, OutputError

from .lock import WriteLock
from .sealed_rows import SEALED, RowSeal, plain_schema

if TYPE_CHECKING:
    import lance

__all__ = ["Rows", "Table"]

Rows: TypeAlias = "pa.Table | pa.RecordBatch"

_WORTH_AN_INDEX = 20_000
"""Rows; below, a scan takes a few milliseconds."""

_TOGETHER = 10_000
"""Rows that are deleted by one commit."""

FORMAT = "2.2"
"""Of Lance's files: the first that stores maps, which `meta` is."""


class Table:
    """Rows of one schema, identified by the columns of `key` (none: append-only).

    Each write is one commit: it is there whole or not at all, and a killed process leaves the
    version before it. Writers of different processes take turns by the collection's lock. A table
    that was never written has no folder and reads as empty.

    `seal`: of an encrypted collection's table; all but the key is then sealed on the disk, and rows
    are opened as they are read. A `where` can ask for the key alone.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        key: Sequence[str],
        lock: WriteLock,
        seal: RowSeal | None = None,
    ) -> None:
        self.path = path
        self.schema = schema
        self.key = list(key)
        self.seal = seal
        self._lock = lock

    @property
    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return any(self.path.glob("_versions/*.manifest")) or any(self.path.glob("data/*"))

    @property
    def version(self) -> int:
        """Number of the newest commit; 0 before the first."""
        return self._open().version if self.exists else 0

    def stored_schema(self) -> pa.Schema:
        """Of what lies there, opened. Raises CollectionError for a damaged table."""
        return plain_schema(self._open().schema)

    def append(self, rows: Rows) -> None:
        """Add rows as they are."""
        self._commit(rows, update=None)

    def insert_new(self, rows: Rows) -> None:
        """Add the rows whose key is not there yet; the same commit twice changes nothing."""
        self._commit(rows, update=False)

    def upsert(self, rows: Rows) -> None:
        """Add rows, and replace those of the same key."""
        self._commit(rows, update=True)

    def replace(self, rows: Rows) -> None:
        """These rows instead of all that are there, also of another schema; none is a state too."""
        import lance

        table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
        table = self._sealed(table.select(self.schema.names).cast(self.schema))
        try:
            with self._lock:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                mode = "overwrite" if self.exists else "create"
                lance.write_dataset(table, str(self.path), mode=mode, data_storage_version=FORMAT)
        except OSError as error:
            raise self._unwritable(error) from error

    def count(self, where: str | None = None) -> int:
        """How many rows, or how many that an SQL expression holds for."""
        if not self.exists:
            return 0
        try:
            return int(self._open().count_rows(where))
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def scan(
        self,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        batch_size: int = 8192,
    ) -> Iterator[pa.RecordBatch]:
        """Stream the newest version's rows, in no promised order.

        Raises ValueError for a `where` that makes no sense, CollectionError for a damaged table,
        TamperedError for sealed rows that were changed.
        """
        if not self.exists:
            return
        names = list(columns) if columns is not None else None
        if self.seal is not None and not set(names or self.schema.names) <= set(self.key):
            stored = [*self.key, SEALED]
            for rows in self._scan(stored, where, batch_size):
                opened = self.seal.open(rows, self.key, self.schema)
                yield opened.select(names or self.schema.names)
            return
        yield from self._scan(names, where, batch_size)

    def _scan(
        self, names: Sequence[str] | None, where: str | None, batch_size: int
    ) -> Iterator[pa.RecordBatch]:
        table = self._open()
        try:
            yield from table.to_batches(columns=names, filter=where, batch_size=batch_size)
        except (OSError, ValueError) as error:
            if where is not None:
                table.scanner(filter=where).explain_plan()  # a `where` without sense fails here
                if "Query Execution error" in str(error):  # or on the values, as 1/0 does
                    raise ValueError(_first_line(error)) from error
            raise self._unreadable(error) from error

    def read(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """All of what `scan` gives, in memory."""
        names = list(columns) if columns is not None else self.schema.names
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches(self.scan(names, where), schema)

    def newest(self) -> "lance.LanceDataset":
        """The newest version as Lance has it, to be searched and indexed, never to be written to.

        Lance lets an index be made while others add rows, so that it takes no lock.
        """
        return self._open()

    def index(self) -> None:
        """Index the first key column as far as it is not: queries by key then read little."""
        if not self.key or self.count() < _WORTH_AN_INDEX:
            return
        with self._lock:
            table = self._open()
            if table.describe_indices():
                table.optimize.optimize_indices()
            else:
                table.create_scalar_index(self.key[0], "BTREE")

    def compact(self, keep: timedelta) -> None:
        """Merge small files, index the first key column, and drop versions older than `keep`."""
        if not self.exists:
            return
        with self._lock:
            table = self._open()
            table.optimize.compact_files()
            if self.key:
                table.create_scalar_index(self.key[0], "BTREE", replace=True)
            table.cleanup_old_versions(older_than=keep)

    def remove(self, columns: Sequence[str], names: pa.Array) -> int:
        """Take out the rows that have one of `names` in one of these columns; gives their number.

        Older versions still hold them, until `forget`.
        """
        if not self.exists or len(names) == 0:
            return 0
        try:
            with self._lock:
                found: list[int] = []
                scanner = self._open().scanner(columns=list(columns), with_row_id=True)
                for batch in scanner.to_batches():
                    for column in columns:
                        named = pc.is_in(batch[column], value_set=names)
                        found += batch["_rowid"].filter(named).to_pylist()
                places = sorted(set(found))
                for start in range(0, len(places), _TOGETHER):
                    some = ", ".join(map(str, places[start : start + _TOGETHER]))
                    self._open().delete(f"_rowid IN ({some})")
        except OSError as error:
            raise self._unwritable(error) from error
        return len(places)

    def forget(self) -> None:
        """Leave no file that holds a row which is not in the newest version.

        Files with deleted rows are written anew; older versions, what killed commits have left and
        every index go. An index of the key is made again; one of vectors is not. Whoever reads an
        older version meanwhile gets an error.
        """
        if not self.exists:
            return
        try:
            with self._lock:
                had = self._open().describe_indices()
                for index in had:
                    self._open().drop_index(index.name)
                self._open().optimize.compact_files(
                    materialize_deletions=True, materialize_deletions_threshold=0.0
                )
                if self.key and any(index.field_names == self.key[:1] for index in had):
                    self._open().create_scalar_index(self.key[0], "BTREE")
                self._open().cleanup_old_versions(retain_versions=1, delete_unverified=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _sealed(self, rows: pa.Table) -> pa.Table:
        return rows if self.seal is None else self.seal.seal(rows, self.key)

    def _open(self) -> "lance.LanceDataset":
        import lance

        try:
            return lance.dataset(str(self.path))
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> CollectionError:
        return CollectionError(
            f"The table {self.path} cannot be read ({_first_line(error)}). Restore it from a "
            "copy, or delete the collection and ingest again; the pictures are untouched."
        )

    def _commit(self, rows: Rows, update: bool | None) -> None:
        if rows.num_rows == 0:
            return
        import lance

        table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
        table = table.select(self.schema.names).cast(self.schema)
        if update is not None:
            table = _one_of_each(table, self.key, "max" if update else "min")
        table = self._sealed(table)
        try:
            with self._lock:
                if not self.exists:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    lance.write_dataset(
                        table.slice(0, 0), str(self.path), data_storage_version=FORMAT
                    )
                if update is None:
                    lance.write_dataset(table, str(self.path), mode="append")
                    return
                merge = self._open().merge_insert(self.key).when_not_matched_insert_all()
                if update:
                    merge = merge.when_matched_update_all()
                merge.execute(table)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"Cannot write to {self.path} ({_first_line(error)}). What was committed before is "
            "kept; make room or mend the folder, then run the same command again."
        )


def _one_of_each(rows: pa.Table, key: list[str], which: str) -> pa.Table:
    """A merge takes each key once: keep the first (`min`) or the last (`max`) row of each."""
    at = pa.array(range(rows.num_rows), pa.int64())
    kept = rows.select(key).append_column("at", at).group_by(key).aggregate([("at", which)])
    return rows.take(kept[f"at_{which}"]) if kept.num_rows < rows.num_rows else rows


def _first_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return (str(error).splitlines() or [type(error).__name__])[0].split(", /")[0]
