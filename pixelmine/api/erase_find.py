"""What an erasure would reach, looked for before anything is done.

A picture is its bytes: with a row go all rows of the same bytes, wherever they lie, and all frames
of the file. What only looks alike stays, and is named so that somebody can look at it.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.ids import canonical_uri, file_uri
from pixelmine.evaluate.near import QUALITY
from pixelmine.features import FEATURES
from pixelmine.index import distinct, near_pairs
from pixelmine.index.hamming import PDQ_RADIUS
from pixelmine.store import Collection
from pixelmine.store.by_id import check_row_id

from .erase_quarantine import quarantined
from .mine.found import read_found

__all__ = ["COLUMNS", "UNFINISHED", "Near", "ToErase", "find_to_erase"]

COLUMNS = ("row_id", "uri", "member", "frame", "size", "mtime_ns", "content_id", "picture_id")
"""Of `images`, what an erasure has to know of a row."""

UNFINISHED = "erasures/unfinished.json"
"""In a collection: what is being erased, as long as it is."""

_PLACE = ["row_id", "picture_id", "uri", "member", "frame"]


@dataclass(frozen=True, kw_only=True)
class Near:
    """A row that is not erased, but looks like one that is: `why` says by what."""

    row_id: str
    uri: str
    member: str
    frame: int
    why: str


@dataclass(frozen=True, kw_only=True)
class ToErase:
    """What was found, and nothing done. `rows`: of COLUMNS and `why`: `named` or `same bytes`.

    `near`: what looks like them and stays. `copied`, `set_aside`: how many of the contents lie in
    the collection's bytes/ and in its quarantine. `unread`: rows whose bytes were never read: they
    leave no tombstone, as nobody knows what would come back. `unfinished`: the picture_ids of an
    earlier erasure that was stopped in the middle, which is gone on with first; else None.
    """

    collection: Path
    rows: tuple[dict[str, Any], ...] = field(repr=False)
    near: tuple[Near, ...] = field(repr=False)
    copied: int
    set_aside: int
    unfinished: tuple[str, ...] | None

    @property
    def unread(self) -> int:
        """Rows without a content_id."""
        return sum(row["content_id"] is None for row in self.rows)

    @property
    def contents(self) -> list[str]:
        """The content_ids, each once, sorted."""
        return sorted({row["content_id"] for row in self.rows if row["content_id"]})

    @property
    def pictures(self) -> list[str]:
        """The picture_ids, each once, sorted."""
        return sorted({row["picture_id"] for row in self.rows if row["picture_id"]})

    @property
    def learnt(self) -> list[str]:
        """The picture_ids that no model should know: those of the unfinished erasure too."""
        return sorted({*self.pictures, *(self.unfinished or ())})

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        shown = ("row_id", "uri", "member", "frame", "why")
        return {
            "collection": str(self.collection),
            "rows": [{name: row[name] for name in shown} for row in self.rows],
            "contents": len(self.contents),
            "unread": self.unread,
            "copied": self.copied,
            "set_aside": self.set_aside,
            "not_erased_but_alike": [vars(one) for one in self.near],
            "unfinished": self.unfinished is not None,
        }


def find_to_erase(
    path: str | Path,
    *,
    ids: Sequence[str] = (),
    uris: Sequence[str | Path] = (),
    groups: Sequence[str] = (),
) -> ToErase:
    """The rows with these row_ids (or their beginnings), URIs (or paths) and groups; not done yet.

    Raises UsageError where nothing is named, CollectionError where a name fits no row, or the
    beginning of a row_id more than one.
    """
    if not (ids or uris or groups):
        raise UsageError("Say what to erase: --id, --uri or --group, each as often as you like.")
    with Collection.open(Path(os.path.abspath(path))) as collection:
        unfinished = _unfinished(collection)
        try:
            rows = _with_same_bytes(collection, _named(collection, ids, uris, groups))
        except CollectionError:
            if unfinished is None:
                raise
            rows = ()  # gone already: the earlier erasure is finished
        contents = {row["content_id"] for row in rows} - {None}
        aside = set(quarantined(collection)["content_id"].to_pylist())
        return ToErase(
            collection=collection.path,
            rows=rows,
            near=tuple(_near(collection, rows)),
            copied=sum(map(collection.bytes.has, contents)),
            set_aside=len(contents & aside),
            unfinished=unfinished,
        )


def _unfinished(collection: Collection) -> tuple[str, ...] | None:
    path = collection.path / UNFINISHED
    if not path.is_file():
        return None
    try:
        return tuple(json.loads(path.read_text("utf-8"))["pictures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CollectionError(
            f"{path} cannot be read: {error}. It says what an erasure that was stopped has still "
            "to do. Delete it and erase the same again: what is still there is found."
        ) from error


def _batches(collection: Collection) -> Iterator[pa.RecordBatch]:
    """Every row of `images`, then what rows were when a plan set them aside: COLUMNS and group."""
    columns = [*COLUMNS, "group"]
    yield from collection.images.scan(columns, batch_size=65_536)
    yield from quarantined(collection).select(columns).to_batches()


def _named(
    collection: Collection, ids: Sequence[str], uris: Sequence[str | Path], groups: Sequence[str]
) -> set[str]:
    """The row_ids that are asked for."""
    for prefix in ids:
        check_row_id(prefix)
    wanted = [("--uri", one, "uri", _uri(one)) for one in uris]
    wanted += [("--group", one, "group", [one]) for one in groups]
    found: list[set[str]] = [set() for _ in range(len(ids) + len(wanted))]
    for batch in _batches(collection):
        masks = [pc.starts_with(batch["row_id"], prefix) for prefix in ids]
        masks += [pc.is_in(batch[column], value_set=pa.array(v)) for _, _, column, v in wanted]
        for names, mask in zip(found, masks, strict=True):
            names.update(batch["row_id"].filter(mask).to_pylist())
    for prefix, names in zip(ids, found[: len(ids)], strict=True):
        if len(names) != 1:
            raise CollectionError(
                f"{len(names)} rows of the collection have an id that starts with {prefix}: name "
                "one."
            )
    for (option, one, _, _), names in zip(wanted, found[len(ids) :], strict=True):
        if not names:
            raise CollectionError(f"No row of the collection has the {option} {one}.")
    return set().union(*found)


def _uri(given: str | Path) -> list[str]:
    """How a URI, or a path, may stand in the collection."""
    text = str(given)
    if "://" in text:
        return [text, canonical_uri(text)]
    return [file_uri(text)]


def _with_same_bytes(collection: Collection, named: set[str]) -> tuple[dict[str, Any], ...]:
    """The named rows and those of the same content, the former first, then by uri, each once."""
    names, contents = set(named), set[str]()
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    while True:  # a row that was set aside and came back with other bytes stands for both
        known = len(names), len(contents)
        by_row, by_content = (pa.array(sorted(some), pa.string()) for some in (names, contents))
        for batch in _batches(collection):
            mask = pc.or_(
                pc.is_in(batch["row_id"], value_set=by_row),
                pc.is_in(batch["content_id"], value_set=by_content),
            )
            for row in batch.filter(mask).select(COLUMNS).to_pylist():
                why = "named" if row["row_id"] in named else "same bytes"
                found.setdefault((row["row_id"], row["content_id"]), {**row, "why": why})
        names |= {row for row, _ in found}
        contents |= {content for _, content in found if content}
        if known == (len(names), len(contents)):
            break
    order = sorted(found.values(), key=lambda r: (r["why"], r["uri"], r["member"], r["frame"]))
    return tuple(order)


def _near(collection: Collection, rows: Sequence[dict[str, Any]]) -> Iterator[Near]:
    """Rows that stay and look like one that goes, by their hashes and by the finding."""
    going = {row["row_id"] for row in rows}
    pictures = {row["picture_id"] for row in rows} - {None}
    if not pictures:
        return
    why = {**_in_finding(collection, pictures), **_by_hash(collection, pictures)}
    alike = pa.array(sorted(why), pa.string())
    found = []
    for batch in collection.images.scan(_PLACE):
        found += batch.filter(pc.is_in(batch["picture_id"], value_set=alike)).to_pylist()
    for row in sorted(found, key=lambda row: (row["uri"], row["member"], row["frame"])):
        if row["row_id"] not in going:
            picture = row.pop("picture_id")
            yield Near(**row, why=why[picture])


def _by_hash(collection: Collection, pictures: set[str]) -> dict[str, str]:
    """Upright, by the hashes that ingest has kept: a stream, whatever the collection's size."""
    feature = FEATURES.get("pdq")()
    table = collection.feature(feature.producer, feature.fields)
    mine = [_hashes(batch, pictures) for batch in table.scan()]
    hashes = distinct(np.concatenate([some for _, some in mine]))[0] if mine else _bits([])
    found: dict[str, int] = {}
    for batch in table.scan() if len(hashes) else ():
        others, near = _hashes(batch, pictures, stay=True)
        pairs, bits = near_pairs(hashes, PDQ_RADIUS, others=near)
        for at, apart in zip(pairs[:, 1].tolist(), bits.tolist(), strict=True):
            found[others[at]] = min(apart, found.get(others[at], apart))
    return {name: f"its hash is {apart} of 256 bits away" for name, apart in found.items()}


def _hashes(
    batch: pa.RecordBatch, pictures: set[str], stay: bool = False
) -> tuple[list[str], np.ndarray]:
    """Of these pictures, or of all others: those whose hash says something, and their hashes."""
    good = pc.greater_equal(batch["pdq_quality"], QUALITY)
    named = pc.is_in(batch["picture_id"], value_set=pa.array(sorted(pictures), pa.string()))
    kept = pc.and_(good, pc.invert(named) if stay else named)
    names, hashes = (batch[name].filter(kept).to_pylist() for name in ("picture_id", "pdq"))
    return names, _bits(hashes)


def _bits(hashes: Sequence[bytes]) -> np.ndarray:
    """Uint8 (N, 32)."""
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)


def _in_finding(collection: Collection, pictures: set[str]) -> dict[str, str]:
    """What `mine duplicates` has found to be a copy of one of these."""
    found = read_found(collection, "duplicates")
    if found is None:
        return {}
    rows = found.rows.select(["picture_id", "group_id", "tier"]).to_pylist()
    groups = {row["group_id"] for row in rows if row["picture_id"] in pictures}
    return {
        row["picture_id"]: f"found by mine duplicates ({row['tier']})"
        for row in rows
        if row["group_id"] in groups and row["picture_id"] not in pictures
    }
