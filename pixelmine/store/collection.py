"""A collection: a folder of Lance tables about pictures that stay where they are.

    collection.json        id, schema version, settings, the pinned decode rule
    images.lance           one row for each picture seen
    labels.lance           append-only, the latest row wins
    splits.lance           named divisions into parts
    features/ID.lance      one table a producer, keyed by picture_id
    predictions/ID.lance   one table a bundle, keyed by picture_id
    findings/NAME.lance    what mining found last, with NAME.json beside it
    decisions.lance        append-only: what people said of findings, the latest row wins
    runs/ID/               the state of each run
    bytes/                 copies of what cannot be read again

In an encrypted collection the values of features and predictions and the copies are sealed, and the
rest is not: `sealing` says it all. Its master key is one of the environment (`keys`).

Commit order is bytes, features, `images` last: a row in `images` never points at something missing.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.atomic import write_json
from pixelmine.core.errors import CollectionError, SchemaVersionError
from pixelmine.core.schema import (
    DECISIONS,
    IMAGES,
    LABELS,
    SCHEMA_VERSION,
    SPLITS,
    features_schema,
    predictions_schema,
)

from .bytes import ByteStore
from .lock import WriteLock
from .sealed_rows import RowSeal
from .sealing import Sealing, find_keys
from .table import Table

__all__ = ["DECODE_RULE", "Collection", "is_collection"]

DECODE_RULE = "scaled-256"
"""The smallest of the scales 1/8, 1/4, 1/2, 1 whose short side is at least 256 pixels, or 1."""

_PRODUCER = re.compile(r"[0-9a-f]{64}")
_FINDING = re.compile(r"[a-z][a-z-]{0,40}")


def is_collection(path: Path) -> bool:
    """Whether a folder holds a collection."""
    return (path / "collection.json").is_file()


class Collection:
    """An open collection. Made by `create`, `open` or `open_or_create`; a context manager."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.settings = settings
        self.sealing = Sealing.of(settings, path)
        self._lock = WriteLock(path / ".lock")
        self.images = self._table("images", IMAGES, ["row_id"])
        self.labels = self._table("labels", LABELS, [])
        self.splits = self._table("splits", SPLITS, ["split_id", "row_id"])
        self.decisions = self._table("decisions", DECISIONS, [])
        self.bytes = ByteStore(path / "bytes", self.sealing)

    @classmethod
    def create(cls, path: str | Path, *, encrypt: bool = False) -> Self:
        """Make an empty collection in a new or empty folder.

        `encrypt`: seal it with the current master key. Raises CollectionError, WrongKeyError.
        """
        path = Path(path)
        keys = find_keys(f"{path} is to be encrypted,") if encrypt else None
        if path.exists() and (not path.is_dir() or any(map(_is_foreign, path.iterdir()))):
            raise CollectionError(
                f"{path} is there already and is not a collection. Give --into a new folder, so "
                "that nothing of yours is mixed with it."
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
            with WriteLock(path / ".lock"):
                if not is_collection(path):
                    settings: dict[str, Any] = {
                        "id": uuid4().hex,
                        "schema_version": SCHEMA_VERSION,
                        "created": datetime.now(UTC).isoformat(timespec="seconds"),
                        "decode": DECODE_RULE,
                    }
                    if keys is not None:
                        settings["encrypted"] = Sealing.made(keys, settings["id"])
                    write_json(path / "collection.json", settings)
        except OSError as error:
            raise CollectionError(
                f"Cannot make a collection at {path}: {error.strerror}."
            ) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open what is there. Raises CollectionError, SchemaVersionError, WrongKeyError."""
        path = Path(path)
        if not is_collection(path):
            raise CollectionError(
                f"{path} is not a collection: it holds no collection.json. "
                "Make one with: pixelmine ingest SOURCE --into COLLECTION."
            )
        try:
            settings = json.loads((path / "collection.json").read_text("utf-8"))
            version, _, _ = settings["schema_version"], settings["id"], settings["decode"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CollectionError(f"{path}/collection.json cannot be read: {error}.") from error
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{path} has schema version {version}; this Pixelmine knows up to "
                f"{SCHEMA_VERSION}. Update Pixelmine to open it; nothing was changed."
            )
        return cls(path, settings)

    @classmethod
    def open_or_create(cls, path: str | Path, *, encrypt: bool = False) -> Self:
        """Open what is there, or make it.

        Raises CollectionError for one that is there and not encrypted as it should be.
        """
        path = Path(path)
        if not is_collection(path):
            try:
                return cls.create(path, encrypt=encrypt)
            except CollectionError:
                if not is_collection(path):  # else another process made it just now
                    raise
        found = cls.open(path)
        if encrypt and not found.encrypted:
            raise CollectionError(
                f"{path} is there already and not encrypted: what lies in it would stay plain. "
                "Make a new collection with --encrypt from the same sources, then delete this one."
            )
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held between commits; a closed collection can be moved or copied."""

    @property
    def id(self) -> str:
        """Given at creation; kept when the folder moves."""
        return str(self.settings["id"])

    @property
    def encrypted(self) -> bool:
        """Whether copies, features and predictions are sealed."""
        return self.sealing is not None

    def feature(self, producer: str, fields: Sequence[pa.Field]) -> Table:
        """The named values of one designed feature."""
        schema = pa.schema([pa.field("picture_id", pa.string(), nullable=False), *fields])
        return self._table(_named("features", producer), schema, ["picture_id"])

    def features(self, producer: str, dimensions: int) -> Table:
        """The (D,) float32 vectors of one producer."""
        return self._table(
            _named("features", producer), features_schema(dimensions), ["picture_id"]
        )

    def predictions(self, bundle: str, classes: int) -> Table:
        """The (K,) float32 logits of one bundle."""
        name = _named("predictions", bundle)
        return self._table(name, predictions_schema(classes), ["picture_id"])

    def finding(self, name: str, schema: pa.Schema | None = None) -> Table:
        """What mining found last, by the finding's name; `schema`: None for the one it has."""
        if not _FINDING.fullmatch(name):
            raise CollectionError(f"A finding's name is of a-z and '-'. Got {name!r} instead.")
        table = self._table(f"findings/{name}", schema or pa.schema([]), [])
        if schema is None and table.exists:
            table.schema = table.stored_schema()
        return table

    def producers(self, kind: str) -> list[str]:
        """Digests of the producers that have a table under `features` or `predictions`."""
        return sorted(path.stem for path in (self.path / kind).glob("*.lance"))

    def run_folder(self, run_id: str) -> Path:
        """Where a run keeps its state."""
        return self.path / "runs" / run_id

    def current_labels(self) -> pa.Table:
        """The latest row of each picture that has one, taken-back ones (empty list) left out."""
        rows = self.labels.read()
        if rows.num_rows == 0:
            return rows
        order = pc.sort_indices(rows, sort_keys=[("row_id", "ascending"), ("time", "ascending")])
        rows = rows.take(order)
        ids = rows["row_id"].combine_chunks()
        last = pc.not_equal(ids[:-1], ids[1:]) if len(ids) > 1 else pa.array([], pa.bool_())
        rows = rows.filter(pa.concat_arrays([last, pa.array([True])]))
        return rows.filter(pc.greater(pc.list_value_length(rows["labels"]), 0))

    def compact(self, keep: timedelta = timedelta(days=7)) -> None:
        """Merge small files and drop table versions older than `keep`."""
        for table in self.tables():
            table.compact(keep)

    def tables(self) -> list[Table]:
        """Every table that exists, `images` last."""
        producers = [
            self._table(f"{kind}/{name}", pa.schema([]), ["picture_id"])
            for kind in ("features", "predictions")
            for name in self.producers(kind)
        ]
        findings = [
            Table(path, pa.schema([]), [], self._lock)
            for path in sorted((self.path / "findings").glob("*.lance"))
        ]
        said = (self.decisions, self.splits, self.labels, self.images)
        return [t for t in (*producers, *findings, *said) if t.exists]

    def _table(self, name: str, schema: pa.Schema, key: list[str]) -> Table:
        seal = None
        if self.sealing is not None and name.startswith(("features/", "predictions/")):
            seal = RowSeal(name, self.sealing.table_key(name))
        return Table(self.path / f"{name}.lance", schema, key, self._lock, seal)


def _is_foreign(path: Path) -> bool:
    """Whether a file is none of those that lie there while a collection is being made."""
    return path.name != ".lock" and not path.name.startswith(".collection.json.")


def _named(kind: str, producer: str) -> str:
    if not _PRODUCER.fullmatch(producer):
        raise CollectionError(f"A producer is a SHA-256 digest. Got {producer!r} instead.")
    return f"{kind}/{producer}"
