"""What an erasure does, step by step, each of which may be done again without harm.

Tombstones come first, so that nothing comes back meanwhile, and `images` last, so that a row points
at what is still to be erased. `Unfinished` names it all until the end: an erasure that was killed,
even after its rows are gone, is gone on with.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from filelock import FileLock, Timeout

from pixelmine.core.atomic import write_json
from pixelmine.core.errors import CollectionError, OutputError, UsageError
from pixelmine.core.ids import uri_path
from pixelmine.store import Collection, Table
from pixelmine.store.lock import WriteLock
from pixelmine.store.tombstones import Tombstones

from .erase_find import UNFINISHED, ToErase
from .erase_quarantine import half_applied, leave_quarantine

__all__ = ["STEPS", "Unfinished", "check_quiet", "name_of"]

_ROUNDS = "next-rounds"
"""The one finding that names no picture: how many labels there were, each time labels were asked
for. It is nowhere else."""


@dataclass(kw_only=True)
class Unfinished:
    """`erasures/unfinished.json`: what is being erased, as long as it is.

    `unread`: rows whose bytes nobody knows. `originals`: uri, size, mtime_ns and content_id of
    files to be deleted. `left`: those that were not, and why. `counts`: what was taken away.
    `resumed`: an earlier call has begun it.
    """

    path: Path
    begun: str
    rows: list[str]
    pictures: list[str]
    contents: list[str]
    unread: int = 0
    originals: list[list[Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    resumed: bool = False

    @classmethod
    def of(cls, found: ToErase, originals: bool) -> Self:
        """What was found, written down before anything is done."""
        job = cls(
            path=_path(found.collection),
            begun=datetime.now(UTC).isoformat(timespec="seconds"),
            rows=sorted({row["row_id"] for row in found.rows}),
            pictures=found.pictures,
            contents=found.contents,
            unread=found.unread,
        )
        if originals:
            job.delete_too(found)
        return job

    @classmethod
    def read(cls, collection: Path) -> Self | None:
        """What was stopped in the middle; None where nothing was."""
        path = _path(collection)
        if not path.is_file():
            return None
        try:
            job = cls(path=path, **json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CollectionError(
                f"{path} cannot be read: {error}. It says what an erasure that was stopped has "
                "still to do. Delete it and erase the same again: what is still there is found."
            ) from error
        job.resumed = True
        return job

    def delete_too(self, found: ToErase) -> None:
        """The user's own files: where a row is a whole file on this machine."""
        known = [*map(tuple, self.originals)]
        for row in found.rows:
            if row["uri"].startswith("file://") and not row["member"]:
                one = (row["uri"], row["size"], row["mtime_ns"], row["content_id"])
                if one not in known:
                    known.append(one)
        self.originals = [list(one) for one in known]

    def save(self) -> None:
        """Keep it as it is now."""
        write_json(self.path, {k: v for k, v in asdict(self).items() if k != "path"})

    def count(self, name: str, number: int) -> None:
        """Add to what was taken away."""
        self.counts[name] = self.counts.get(name, 0) + number

    def covers(self, found: ToErase) -> bool:
        """Whether all of what was found is in it."""
        rows, contents = set(self.rows), set(self.contents)
        return {row["row_id"] for row in found.rows} <= rows and set(found.contents) <= contents


def name_of(collection: Collection, table: Table) -> str:
    """A table as receipts name it: `labels`, `features/ab12...`."""
    return table.path.relative_to(collection.path).with_suffix("").as_posix()


def check_quiet(collection: Collection) -> None:
    """Raise UsageError where something is half done that holds, or brings, what is to be erased."""
    if plans := half_applied(collection):
        raise UsageError(
            f"The plan {plans[0]} was stopped while it was applied. Go on with it, or bring its "
            f"pictures back (pixelmine mine plan undo {collection.path} {plans[0]}); then erase."
        )
    for folder in _runs(collection):
        state = _run_state(folder)
        if state is not None and not state.get("finished"):
            what = state.get("asked", {}).get("job", "unknown")
            raise UsageError(
                f"A run ({what}) is at work on the collection, or was stopped in the middle: its "
                "listing names pictures, and it would write about them. Wait for it, or run its "
                f"command again to finish it, or delete {folder}. Then erase."
            )


def _tombstones(collection: Collection, job: Unfinished) -> None:
    with WriteLock(collection.path / ".lock"):
        job.tombstones = Tombstones(collection.path).add(job.contents)
    check_quiet(collection)  # a run that began just before has not seen them


def _originals(_collection: Collection, job: Unfinished) -> None:
    job.left = []
    for uri, size, mtime_ns, content in job.originals:
        path = uri_path(uri)
        try:
            if path.is_symlink():
                job.left.append(f"{path}: a link; what it leads to is not deleted.")
            elif not path.is_file():
                continue
            elif not _is_it(path, size, mtime_ns, content):
                job.left.append(f"{path}: other bytes lie there by now.")
            else:
                path.unlink()
                job.count("originals", 1)
        except OSError as error:
            job.left.append(f"{path}: {error.strerror}.")


def _is_it(path: Path, size: int | None, mtime_ns: int | None, content: str | None) -> bool:
    """By its bytes; where they were never read, by size and time."""
    stat = path.stat()
    if content is None:
        return (stat.st_size, stat.st_mtime_ns) == (size, mtime_ns)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == content


def _copies(collection: Collection, job: Unfinished) -> None:
    """A sealed copy has its data key in its own file, which is destroyed with it."""
    for content in job.contents:
        path = collection.bytes.path(content)
        for left in path.parent.glob(f".{path.name}.*"):  # of a copy that was being written
            left.unlink(missing_ok=True)
        job.count("bytes", path.is_file())
        path.unlink(missing_ok=True)


def _quarantine(collection: Collection, job: Unfinished) -> None:
    gone = leave_quarantine(collection, set(job.rows), set(job.contents))
    for name, number in gone.items():
        job.count(f"quarantine {name}", number)


def _findings(collection: Collection, job: Unfinished) -> None:
    """All but `_ROUNDS`, whole: each was made of the whole collection, and is made anew."""
    folder = collection.path / "findings"
    for path in sorted(folder.glob("*.json")):
        job.findings.append(path.stem)
        path.unlink()
    for path in sorted(folder.glob("*")):
        if not path.is_dir():
            path.unlink()
        elif path.name != f"{_ROUNDS}.lance":
            shutil.rmtree(path)
    job.findings = sorted(set(job.findings))


def _derived(collection: Collection, job: Unfinished) -> None:
    """Features, predictions, labels, splits, decisions."""
    names = pa.array(sorted({*job.rows, *job.pictures}), pa.string())
    columns = {"labels": ["row_id"], "splits": ["row_id"], "decisions": ["first", "second"]}
    for table in collection.tables():
        name = name_of(collection, table)
        if name != "images" and not name.startswith("findings/"):
            job.count(name, table.remove(columns.get(name, ["picture_id"]), names))


def _run_folders(collection: Collection, job: Unfinished) -> None:
    """Of finished runs: they say where pictures lie, and are made again when they are called."""
    for folder in _runs(collection):
        try:
            with FileLock(folder / ".lock", timeout=0):
                pass
        except Timeout as error:
            raise UsageError(f"A run is at work in {folder}. Wait for it, then erase.") from error
        shutil.rmtree(folder)
        job.count("runs", 1)


def _images(collection: Collection, job: Unfinished) -> None:
    for column, names in (("row_id", job.rows), ("content_id", job.contents)):
        job.count("images", collection.images.remove([column], pa.array(names, pa.string())))


def _forget(collection: Collection, _job: Unfinished) -> None:
    """Old versions, indexes, and what killed processes have left half written."""
    for table in collection.tables():
        with _nobody_indexes(table) as beside:
            table.forget()
            beside.unlink(missing_ok=True)
    for path in collection.path.rglob(".*"):
        if path.name.endswith((".tmp", ".old")) or path.name.startswith(".join-"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def _nobody_indexes(table: Table) -> Iterator[Path]:
    """What is known of a table's index of vectors, which is made without the collection's lock."""
    beside = table.path.with_suffix(".index.json")
    if not beside.exists():
        yield beside
        return
    try:
        with FileLock(beside.with_suffix(".lock"), timeout=600):
            yield beside
    except Timeout as error:
        raise CollectionError(f"{table.path} is being indexed. Erase again afterwards.") from error


STEPS: dict[str, Callable[[Collection, Unfinished], None]] = {
    "tombstones": _tombstones,
    "originals": _originals,
    "copies": _copies,
    "quarantine": _quarantine,
    "findings": _findings,
    "derived": _derived,
    "runs": _run_folders,
    "images": _images,
    "forget": _forget,
}
"""In this order."""


def _path(collection: Path) -> Path:
    return collection / UNFINISHED


def _runs(collection: Collection) -> list[Path]:
    return sorted(path for path in (collection.path / "runs").glob("*") if path.is_dir())


def _run_state(folder: Path) -> dict[str, Any] | None:
    """What a run has noted; None where it had not begun."""
    try:
        found: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
        return found
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OutputError(f"{folder}/run.json cannot be read: {error}.") from error
