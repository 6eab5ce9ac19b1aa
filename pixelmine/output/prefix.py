"""Row ids in little memory: 16 bytes of each, in sorted arrays."""

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Names", "places", "prefixes"]

_DIGITS: Final = 64
"""Hexadecimal digits of a row id (SHA-256)."""

_NIBBLES = np.full(256, 255, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)

_CHUNK = 100_000


def prefixes(names: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Names as (N,) `S16`: the first 16 bytes of each row id; what is no row id is hashed.

    Among 10^8 ids the chance that any two share them is about 10^-23.
    """
    if isinstance(names, pa.ChunkedArray):
        names = names.combine_chunks()
    if names.null_count == 0 and pc.all(pc.equal(pc.binary_length(names), _DIGITS)).as_py():
        fixed = names.cast(pa.binary()).cast(pa.binary(_DIGITS))
        data = fixed.buffers()[1] or b""
        start = fixed.offset * _DIGITS
        text = np.frombuffer(data, np.uint8)[start : start + len(names) * _DIGITS]
        digits = _NIBBLES[text.reshape(-1, _DIGITS)[:, :32]]
        if digits.max(initial=0) < 16:
            packed = np.ascontiguousarray((digits[:, ::2] << 4) | digits[:, 1::2])
            return packed.reshape(-1).view("S16")
    return np.array([_prefix(name) for name in names.to_pylist()], "S16")


class Names:
    """A set of row ids, 16 bytes each (10^7: 160 MB)."""

    def __init__(self, names: Iterable[str]) -> None:
        chunks: list[np.ndarray] = [np.empty(0, "S16")]
        names = iter(names)
        while chunk := list(islice(names, _CHUNK)):
            chunks.append(prefixes(pa.array(chunk, pa.string())))
        self._keys = np.concatenate(chunks)
        self._keys.sort()

    def contains(self, keys: np.ndarray) -> np.ndarray:
        """Which of (N,) `S16` are there: (N,) bool."""
        return places(self._keys, keys) >= 0


def places(ordered: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Where (N,) `S16` keys lie in (M,) ordered ones: (N,) integers, -1 for those that do not."""
    if not len(ordered):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.where(ordered[at] == keys, at, -1)


def _prefix(name: str) -> bytes:
    try:
        data = bytes.fromhex(name) if len(name) == _DIGITS else b""
    except ValueError:
        data = b""
    if len(data) != _DIGITS // 2:
        data = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return data[:16]
