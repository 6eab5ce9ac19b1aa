"""What a collection holds, and whether it is sound."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import FAILED, OK, Limits, Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.input import read
from pixelmine.store import Collection

__all__ = ["CollectionSummary", "compact", "failed_rows", "show", "verify"]


@dataclass(frozen=True)
class CollectionSummary:
    """`pictures` = `ok` + `failed`; `different`: by content; `splits`: rows of each part."""

    path: str
    id: str
    pictures: int
    ok: int
    failed: int
    different: int
    bytes: int
    formats: dict[str, int]
    reasons: dict[str, int]
    labelled: int
    labels: dict[str, int]
    groups: int
    splits: dict[str, dict[str, int]]
    predictions: dict[str, int]
    features: dict[str, int]
    versions: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def show(path: str | Path) -> CollectionSummary:
    """Count what a collection holds. Raises CollectionError."""
    with Collection.open(Path(path)) as collection:
        columns = ["size", "content_id", "format", "status", "reason", "group"]
        images = collection.images.read(columns)
        labels = collection.current_labels()["labels"]
        status = _counts(images["status"])
        return CollectionSummary(
            path=str(path),
            id=collection.id,
            pictures=images.num_rows,
            ok=status.get(OK, 0),
            failed=status.get(FAILED, 0),
            different=pc.count_distinct(images["content_id"]).as_py(),
            bytes=pc.sum(images["size"]).as_py() or 0,
            formats=_counts(images["format"]),
            reasons=_counts(images["reason"]),
            labelled=len(labels),
            labels=_counts(pc.list_flatten(labels)),
            groups=pc.count_distinct(images["group"]).as_py(),
            splits=_splits(collection),
            predictions=_rows(collection, "predictions"),
            features=_rows(collection, "features"),
            versions={table.path.stem: table.version for table in collection.tables()},
        )


def failed_rows(path: str | Path) -> list[dict[str, Any]]:
    """`row_id`, `uri`, `member`, `frame` and `reason` of every row that failed, sorted by uri."""
    with Collection.open(path) as collection:
        columns = ["row_id", "uri", "member", "frame", "reason"]
        rows = collection.images.read(columns, f"status = '{FAILED}'").sort_by("uri")
        return list(rows.to_pylist())


def verify(path: str | Path, *, files: bool = False, progress: Progress | None = None) -> list[str]:
    """What is wrong with a collection, a sentence each; nothing where all is well.

    Reads every table and checks that rows agree. With `files` every picture is read again and
    compared with its content_id.
    """
    with Collection.open(Path(path)) as collection:
        problems = list(_disagreements(collection))
        if files:
            problems += _changed_files(collection, progress or SilentProgress())
        return problems


def compact(path: str | Path, *, keep_days: float = 7.0) -> None:
    """Merge small files of every table and drop versions older than `keep_days` days."""
    if not 0 <= keep_days <= 36_500:
        raise UsageError(f"keep_days must be from 0 to 36,500. Got {keep_days:g} instead.")
    with Collection.open(Path(path)) as collection:
        collection.compact(timedelta(days=keep_days))


def _disagreements(collection: Collection) -> Iterator[str]:
    images = collection.images.read(["row_id", "picture_id", "status", "reason"])
    if repeated := images.num_rows - pc.count_distinct(images["row_id"]).as_py():
        yield f"{repeated} rows of images repeat a row_id."
    failed = pc.equal(images["status"], FAILED)
    if odd := pc.sum(pc.xor(failed, pc.is_valid(images["reason"]))).as_py():
        yield f"{odd} rows of images have a reason without having failed, or the other way round."
    unknown = set(_counts(images["reason"])) - set(Reason)
    if unknown:
        yield f"images has reasons that are not on the list: {', '.join(sorted(unknown))}."
    known_rows = images["row_id"].combine_chunks()
    for table, name in ((collection.labels, "labels"), (collection.splits, "splits")):
        found = table.read(["row_id"])["row_id"]
        lost = pc.sum(pc.invert(pc.is_in(found, value_set=known_rows))).as_py()
        if lost:
            yield f"{lost} rows of {name} are about no row of images."
    known_pictures = images["picture_id"].combine_chunks()
    for table in collection.tables():
        if "picture_id" in table.key:
            schema = pa.schema([pa.field("picture_id", pa.string(), nullable=False)])
            found = pa.Table.from_batches(table.scan(["picture_id"]), schema)["picture_id"]
            if repeated := len(found) - pc.count_distinct(found).as_py():
                yield f"{repeated} rows of {table.path.stem[:12]} repeat a picture_id."
            lost = pc.sum(pc.invert(pc.is_in(found, value_set=known_pictures))).as_py()
            if lost:
                yield f"{lost} rows of {table.path.stem[:12]} are about no picture of images."


def _changed_files(collection: Collection, progress: Progress) -> list[str]:
    problems = []
    columns = ["uri", "member", "frame", "offset", "length", "mtime_ns", "content_id"]
    progress.start("verify", collection.images.count("content_id IS NOT NULL"))
    for rows in collection.images.scan(columns, "content_id IS NOT NULL", batch_size=64):
        bad = 0
        for row in rows.to_pylist():
            data = read(row, Limits(), collection.bytes)
            if isinstance(data, Reason):
                bad += 1
                problems.append(f"{row['uri']}: {data.meaning}")
        progress.advance(rows.num_rows, bad)
    progress.finish()
    return problems


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    counted = Counter(value for value in values.to_pylist() if value is not None)
    return dict(counted.most_common())


def _splits(collection: Collection) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for rows in collection.splits.scan(["split_id", "part"]):
        for name, part in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found.setdefault(name, Counter())[part] += 1
    return {name: dict(sorted(parts.items())) for name, parts in found.items()}


def _rows(collection: Collection, kind: str) -> dict[str, int]:
    return {
        table.path.stem: table.count()
        for table in collection.tables()
        if table.path.parent.name == kind
    }
