"""Rows as a source makes them: as dicts, then in batches."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from pixelmine.core.schema import LISTING

__all__ = ["BATCH", "Places", "Row", "Rows", "batches", "member_name", "readable", "row"]

BATCH = 4096
"""Rows of a batch."""

_BATCH_BYTES = 64 * 2**20
"""Bytes of inline data after which a batch is full: what listing holds in memory."""

Row = dict[str, Any]
"""A LISTING row without those columns that are null, and perhaps without `row_id`."""


class Rows(Protocol):
    """One file, folder or table that can be listed row by row."""

    @property
    def uri(self) -> str:
        """Absolute and canonical."""
        ...

    @property
    def root(self) -> Path | None:
        """The folder below which a table of labels names pictures; None where there is none."""
        ...

    def rows(self) -> Iterator[Row]:
        """In a stable order, streamed."""
        ...


def row(uri: str, member: str = "", **more: Any) -> Row:
    """The row of a place; `more`: other columns."""
    return {"uri": uri, "member": member, "frame": 0, **more}


def batches(rows: Iterable[Row], size: int = BATCH) -> Iterator[pa.RecordBatch]:
    """LISTING batches of at most `size` rows, sooner full where rows carry their bytes."""
    full: list[Row] = []
    weight = 0
    for item in rows:
        full.append(item)
        weight += len(item.get("data") or b"")
        if len(full) == size or weight >= _BATCH_BYTES:
            yield pa.RecordBatch.from_pylist(full, LISTING)
            full, weight = [], 0
    if full:
        yield pa.RecordBatch.from_pylist(full, LISTING)


def readable(name: str) -> str:
    r"""A name or text whose bytes that are not UTF-8 are written as `\xNN`."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return name


def member_name(name: str) -> str:
    """The member that a file of an archive is; one without a name gets one, since "" is none."""
    return readable(name) or "(no name)"


class Places:
    """Which members were seen, so that one that comes again gets a name of its own.

    Holds 8 bytes a member and up to a sixteenth of them in a set: 15 MB for a million.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._old = np.empty(0, np.uint64)
        self._next: dict[int, int] = {}

    def member(self, uri: str, member: str) -> str:
        """The member itself the first time, then `MEMBER#2`, `MEMBER#3`, ..."""
        key = _key(uri, member)
        if self._add(key):
            return member
        number = self._next.get(key, 2)
        while not self._add(_key(uri, name := f"{member}#{number}")):
            number += 1
        self._next[key] = number + 1
        return name

    def _add(self, key: int) -> bool:
        at = int(np.searchsorted(self._old, np.uint64(key)))
        if key in self._recent or (at < len(self._old) and self._old[at] == key):
            return False
        self._recent.add(key)
        if len(self._recent) > max(2**16, len(self._old) // 16):
            recent = np.fromiter(self._recent, np.uint64, len(self._recent))
            self._old = np.sort(np.concatenate([self._old, recent]))
            self._recent = set()
        return True


def _key(uri: str, member: str) -> int:
    text = f"{uri}\0{member}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
