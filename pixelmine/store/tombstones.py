"""What was erased from a collection and must not come back, by a keyed hash of its bytes.

    tombstones.bin    a header, then 32 bytes a tombstone, sorted: HMAC-SHA-256 of a content_id
    tombstones.key    the key: 32 random bytes, for the user alone; in an encrypted collection there
                      is none, and it comes from the collection's own secret (`sealing`)

Who has the tombstones without the key cannot ask them whether some picture was erased; without it
neither can we, so that a lost key is an error and not "nothing was erased".
"""

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import CollectionError

from .sealing import Sealing

__all__ = ["Tombstones"]

_HEADER = b"pixelmine tombstones 1".ljust(32, b"\n")
_SIZE = 32
_FRESH_S = 1.0
"""A run that began before an erasure sees its tombstones so much later."""


_Stamp: TypeAlias = tuple[int, int, int]


class _Read(NamedTuple):
    """`keys`: uint64 (N,), the first 8 bytes of each, sorted. `stamp`: of the file."""

    secret: bytes
    keys: np.ndarray
    stamp: _Stamp | None


class Tombstones:
    """Of the collection in a folder: 8 MB of memory a million. Any number of threads may ask.

    `add` is for one process at a time: whoever calls it holds the collection's lock, or is alone.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tombstones.bin"
        self.key_path = folder / "tombstones.key"
        self._read = _Read(b"", np.empty(0, np.uint64), None)
        self._looked = -_FRESH_S

    def __len__(self) -> int:
        return len(self._fresh().keys)

    def __contains__(self, content: object) -> bool:
        """Whether the bytes of this content_id were erased. Raises CollectionError for damage."""
        read = self._fresh()
        if not len(read.keys):
            return False
        wanted = _digest(read.secret, str(content))
        key = np.uint64(int.from_bytes(wanted[:8], "big"))
        first, last = (int(np.searchsorted(read.keys, key, side)) for side in ("left", "right"))
        if first == last:
            return False
        found = self._records(first, last, read.stamp)
        if found is None:  # more were added just now
            self._looked = -_FRESH_S
            return content in self
        return wanted in found

    def add(self, contents: Iterable[str]) -> list[str]:
        """Note that the bytes of these content_ids were erased; gives their tombstones, in hex.

        Those that are noted already stay as they are. Raises OSError, CollectionError.
        """
        self._looked = -_FRESH_S
        known, wanted = self._all(), set(contents)
        if not wanted:
            return []
        secret = self._secret() or self._make_secret()
        new = {_digest(secret, content) for content in wanted}
        if not new <= known:
            with replace_file(self.path) as temporary:
                temporary.write_bytes(_HEADER + b"".join(sorted(known | new)))
        self._looked = -_FRESH_S
        return sorted(one.hex() for one in new)

    def _fresh(self) -> _Read:
        now = time.monotonic()
        if now - self._looked < _FRESH_S:
            return self._read
        stamp = self._stamp()
        if stamp != self._read.stamp:
            self._read = self._load(stamp)
        self._looked = now
        return self._read

    def _stamp(self) -> _Stamp | None:
        try:
            return _stamp_of(self.path.stat())
        except FileNotFoundError:
            return None

    def _load(self, stamp: _Stamp | None) -> _Read:
        if stamp is None:
            return _Read(b"", np.empty(0, np.uint64), None)
        data = np.frombuffer(self._bytes(), np.uint8).reshape(-1, _SIZE)
        keys = np.ascontiguousarray(data[:, :8]).view(">u8").ravel().astype(np.uint64)
        if np.any(keys[1:] < keys[:-1]):
            raise self._damaged("they are not in order")
        return _Read(self._secret(), keys, stamp)

    def _bytes(self) -> bytes:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise self._damaged(str(error.strerror)) from error
        if data[:_SIZE] != _HEADER or len(data) % _SIZE:
            raise self._damaged("the file is cut off, or is something else")
        return data[_SIZE:]

    def _records(self, first: int, last: int, stamp: _Stamp | None) -> set[bytes] | None:
        """Those from `first` to before `last`; None where the file is not that of `stamp`."""
        with self.path.open("rb") as file:
            if _stamp_of(os.fstat(file.fileno())) != stamp:
                return None
            file.seek((1 + first) * _SIZE)
            data = file.read((last - first) * _SIZE)
        return _cut(data)

    def _all(self) -> set[bytes]:
        return _cut(self._bytes()) if self.path.exists() else set()

    def _secret(self) -> bytes:
        """The key; empty where there is none, as long as there are no tombstones either."""
        if (sealing := Sealing.beside(self.path.parent)) is not None:
            return sealing.table_key("tombstones")
        try:
            found = self.key_path.read_bytes()
        except FileNotFoundError:
            found = b""
        if len(found) != _SIZE and (found or self.path.exists()):
            raise self._damaged(f"their key {self.key_path.name} is lost or damaged")
        return found

    def _make_secret(self) -> bytes:
        """Whole or not at all, and never readable by others."""
        made = secrets.token_bytes(_SIZE)
        handle, name = tempfile.mkstemp(".tmp", ".tombstones.key.", self.key_path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.key_path)
        return made

    def _damaged(self, why: str) -> CollectionError:
        return CollectionError(
            f"The tombstones {self.path} cannot be used: {why}. Without them, pictures that were "
            "erased could come back. Restore both tombstones.bin and tombstones.key from a copy."
        )


def _stamp_of(stat: os.stat_result) -> _Stamp:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _digest(secret: bytes, content: str) -> bytes:
    return hmac.new(secret, content.encode(), hashlib.sha256).digest()


def _cut(data: bytes) -> set[bytes]:
    return {data[start : start + _SIZE] for start in range(0, len(data), _SIZE)}
