"""A run: what is to be done, remembered on the disk, so that a killed one goes on.

    FOLDER/run.json            the run's id, what it was asked, when it began, what it settled on
    FOLDER/listing/*.parquet   every row that the sources gave, in shards
    FOLDER/listing/*.done      a shard all of whose results are committed

Shards go through in groups. A group that is done is never looked at again; of the first that is
not, what is done already is read from where the results are (a table, or the parts of a file), and
what remains is the group without it.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from pixelmine.core.atomic import replace_folder, write_json
from pixelmine.core.errors import OutputError, RunError
from pixelmine.core.ids import digest_json
from pixelmine.core.schema import LISTING

from .keys import Keys

__all__ = ["Run"]

SHARD_ROWS = 10_000
SHARD_BYTES = 64 * 2**20
"""Of the pictures that a listing brings along."""

GROUP = 1
"""Shards that go to an engine at once. Daft reads them all ahead, 7 MB each."""

_ROW_GROUP = 1024


class Run:
    """An open run. Only one process works on it at a time (`Run.open` is a context manager)."""

    def __init__(self, folder: Path, state: dict[str, Any]) -> None:
        self.folder = folder
        self.state = state

    @classmethod
    @contextmanager
    def open(cls, folder: Path, asked: dict[str, Any], overwrite: bool = False) -> Iterator[Self]:
        """Begin a run, or go on with the one in `folder` if it was asked the same.

        Another run's folder is refused, or emptied with `overwrite`.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / ".lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"Another process is working on {folder}. Wait for it or stop it."
            ) from error
        except OSError as error:
            raise OutputError(f"Cannot write to {folder}: {error.strerror}.") from error
        try:
            yield cls(folder, _state(folder, asked, overwrite))
        finally:
            lock.release()

    @property
    def id(self) -> str:
        """Digest of what was asked."""
        return str(self.state["id"])

    def settle(self, **values: Any) -> None:
        """Remember what the run settled on (runtime, precision...), for when it goes on."""
        self.state.update(values)
        write_json(self.folder / "run.json", self.state)

    def list(self, source: Callable[[], Iterable[pa.RecordBatch]], anew: bool = False) -> int:
        """Record the listing. Returns its row count.

        A run that was not finished keeps the listing it has, unless it is to be made `anew`.
        """
        listing = self.folder / "listing"
        if anew or self.state["finished"] or not listing.is_dir():
            with replace_folder(listing) as folder:
                _write_shards(folder, source())
            self.settle(finished=None)
        return self.rows_of(self.shards())

    def shards(self) -> Sequence[Path]:
        """The listing's files, in order."""
        return sorted((self.folder / "listing").glob("*.parquet"))

    def rows(self) -> Iterator[pa.RecordBatch]:
        """The listing, as a stream, without the pictures that it may bring along."""
        names = [name for name in LISTING.names if name != "data"]
        for shard in self.shards():
            with pq.ParquetFile(shard) as file:
                yield from file.iter_batches(columns=names)

    def rows_of(self, shards: Iterable[Path]) -> int:
        """How many rows these shards hold."""
        return sum(pq.read_metadata(shard).num_rows for shard in shards)

    def left(self) -> int:
        """How many rows are in shards that are not done."""
        return sum(self.rows_of(group) for group in self.groups())

    def groups(self) -> Iterator[Sequence[Path]]:
        """The shards that are not done, so many at a time."""
        left = [shard for shard in self.shards() if not shard.with_suffix(".done").exists()]
        for start in range(0, len(left), GROUP):
            yield left[start : start + GROUP]

    def mark(self, shards: Sequence[Path]) -> None:
        """Note that all results of these shards are committed."""
        for shard in shards:
            shard.with_suffix(".done").touch()

    @contextmanager
    def remaining(self, shards: Sequence[Path], done: Keys) -> Iterator[tuple[Sequence[Path], int]]:
        """Shards of the rows whose DONE_KEY is not in `done`, and their number."""
        if not len(done):
            yield shards, self.rows_of(shards)
            return
        folder = self.folder / "remaining"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            rows = (rows.filter(pa.array(~done.contains(rows))) for rows in _read(shards))
            yield _write_shards(folder, rows)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self) -> None:
        """Note that everything listed is done; the next call of the same run lists anew."""
        self.settle(finished=_now())
        shutil.rmtree(self.folder / "listing", ignore_errors=True)


def _state(folder: Path, asked: dict[str, Any], overwrite: bool) -> dict[str, Any]:
    identity = digest_json(asked)
    path = folder / "run.json"
    if path.exists():
        try:
            state: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if state["id"] == identity:
                return state
        except (ValueError, KeyError, TypeError):
            state = {}
        if not overwrite:
            raise RunError(_difference(folder, state.get("asked", {}), asked))
        _empty(folder)
    state = {"id": identity, "asked": asked, "started": _now(), "finished": None}
    write_json(path, state)
    return state


def _difference(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> str:
    names = sorted(n for n in {*before, *now} if before.get(n) != now.get(n))
    changes = "; ".join(f"{n}: {before.get(n)!r} then, {now.get(n)!r} now" for n in names)
    return (
        f"{folder} holds another run ({changes or 'unreadable state'}). Give the same options to "
        "go on with it, another output to keep both, or --overwrite to begin anew."
    )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != ".lock":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _read(shards: Iterable[Path]) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        with pq.ParquetFile(shard) as file:
            yield from file.iter_batches(_ROW_GROUP)


def _write_shards(folder: Path, batches: Iterable[pa.RecordBatch]) -> tuple[list[Path], int]:
    shards: list[Path] = []
    total, held, size, pending = 0, 0, 0, []
    for batch in _small(batches):
        pending.append(batch)
        held += batch.num_rows
        size += batch.nbytes
        if held >= SHARD_ROWS or size >= SHARD_BYTES:
            total += held
            shards.append(_write_shard(folder, len(shards), pending))
            held, size, pending = 0, 0, []
    if held:
        total += held
        shards.append(_write_shard(folder, len(shards), pending))
    return shards, total


def _small(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches that have rows, cut so that a shard is no larger than it may be."""
    for batch in batches:
        for start in range(0, batch.num_rows, SHARD_ROWS):
            yield batch.slice(start, SHARD_ROWS)


def _write_shard(folder: Path, index: int, batches: list[pa.RecordBatch]) -> Path:
    path = folder / f"{index:06d}.parquet"
    rows = pa.Table.from_batches(batches, LISTING)
    pq.write_table(rows, path, compression="zstd", row_group_size=_ROW_GROUP)
    return path


def _now() -> str:
    return datetime.now(UTC).isoformat()
