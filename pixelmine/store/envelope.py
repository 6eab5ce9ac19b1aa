"""Envelopes: bytes of any size, sealed with a data key of their own.

    magic          8    PXSEALED
    version        1    1
    chunk          1    log2 of the bytes in a chunk
    key id         8    of the master key
    data key      72    the data key and SHA-256 of the object id, wrapped by the master key
    chunks              AES-256-GCM, each with its tag of 16 bytes; there is always one

Chunks are those of STREAM (Hoang, Reyhanitabar, Rogaway and Vizar 2015): a nonce is the chunk's
number (11 bytes) and whether it is the last one (1 byte), so that a chunk that is left out, moved,
doubled, or cut off is found. The data key is random and for one sealing, so that numbers are nonces
that never repeat. Bound in with each chunk: magic, version, chunk size, object id. Not bound in:
the master key's id, so that `rewrap` changes the header alone. A wrapped key is told from a changed
one by AES key wrap itself (`MasterKeys.wrap` says why it is that).

What is not hidden: how long an object is, and which master key it needs. What is not found: an
older envelope of the same object id in place of the newer one.
"""

import hashlib
import io
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import TamperedError

from .keys import KEY_BYTES, MasterKeys

__all__ = [
    "CHUNK_BYTES",
    "OVERHEAD",
    "key_id_of",
    "open_sealed",
    "open_whole",
    "rewrap",
    "seal",
    "seal_whole",
]

CHUNK_BYTES = 2**18
"""Of plain bytes: few enough to stay in a processor's cache, many enough that the call is cheap."""

_MAGIC = b"PXSEALED"
_VERSION = 1
_FIRST = len(_MAGIC) + 2
_HEADER = _FIRST + 8 + KEY_BYTES + 32 + 8
_TAG = 16
_SMALLEST, _LARGEST = 10, 26
"""log2 of chunk sizes that are opened: a changed header must not ask for all memory."""

OVERHEAD = _HEADER + _TAG
"""Bytes that an envelope of one chunk is longer than what is in it; each more chunk adds 16."""


class _Header(NamedTuple):
    first: bytes
    key_id: str
    wrapped: bytes

    @property
    def chunk(self) -> int:
        return 1 << self.first[-1]

    def pack(self) -> bytes:
        return self.first + bytes.fromhex(self.key_id) + self.wrapped


def seal(source: BinaryIO | bytes, sink: BinaryIO, object_id: str, keys: MasterKeys) -> int:
    """Write the envelope of all that `source` gives; gives its number of plain bytes.

    `object_id`: what it is, as `open_sealed` will be asked for it; it is not written in plain.
    Memory: two chunks.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = secrets.token_bytes(KEY_BYTES)
    name = _digest(object_id)
    first = _MAGIC + bytes([_VERSION, CHUNK_BYTES.bit_length() - 1])
    sink.write(_Header(first, keys.current, keys.wrap(key + name)).pack())
    cipher, total = AESGCM(key), 0
    for number, (chunk, last) in enumerate(_pieces(_stream(source), CHUNK_BYTES)):
        sink.write(cipher.encrypt(_nonce(number, last), chunk, first + name))
        total += len(chunk)
    return total


def seal_whole(data: bytes | memoryview, object_id: str, keys: MasterKeys) -> bytes:
    """The envelope of bytes."""
    sink = io.BytesIO()
    seal(bytes(data), sink, object_id, keys)
    return sink.getvalue()


def open_sealed(source: BinaryIO | bytes, object_id: str, keys: MasterKeys) -> Iterator[bytes]:
    """What is in the envelope of this object, chunk by chunk.

    Each chunk is authentic and in its place, but those before a bad one are given before it is
    met: keep nothing until the end is reached, or take `open_whole`. Raises WrongKeyError where the
    master key is not among `keys`, TamperedError where it was changed, or is another object's.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    stream = _stream(source)
    header = _read_header(stream)
    secret = keys.unwrap(header.key_id, header.wrapped)
    key, name = secret[:KEY_BYTES], secret[KEY_BYTES:]
    if name != _digest(object_id):
        raise TamperedError(
            "It is the sealed form of another object: somebody has put it in the place of the one "
            "that was asked for. Restore it from a copy."
        )
    cipher = AESGCM(key)
    for number, (chunk, last) in enumerate(_pieces(stream, header.chunk + _TAG)):
        try:
            yield cipher.decrypt(_nonce(number, last), chunk, header.first + name)
        except (InvalidTag, ValueError) as error:
            raise TamperedError(
                f"It was changed or cut off since it was sealed (chunk {number + 1}). "
                "Restore it from a copy."
            ) from error


def open_whole(source: BinaryIO | bytes, object_id: str, keys: MasterKeys) -> bytes:
    """All that is in it, or an error and nothing; see `open_sealed`."""
    return b"".join(open_sealed(source, object_id, keys))


def key_id_of(path: Path) -> str:
    """Of the master key that an envelope needs. Raises OSError, TamperedError."""
    with path.open("rb") as file:
        return _read_header(file).key_id


def rewrap(path: Path, old: MasterKeys, new: MasterKeys) -> bool:
    """Put the data key under the current key of `new`; False where it is already.

    The file is there whole at any moment: it is copied with its new header and renamed. Chunks
    are copied as they are. Raises OSError, WrongKeyError, TamperedError.
    """
    with path.open("rb") as file:
        header = _read_header(file)
        if header.key_id == new.current:
            return False
        wrapped = new.wrap(old.unwrap(header.key_id, header.wrapped))
        with replace_file(path) as temporary, temporary.open("wb") as changed:
            changed.write(_Header(header.first, new.current, wrapped).pack())
            shutil.copyfileobj(file, changed, 2**20)
    return True


def _read_header(stream: BinaryIO) -> _Header:
    data = _exactly(stream, _HEADER)
    first = data[:_FIRST]
    if not data.startswith(_MAGIC):
        raise TamperedError("It is not an envelope of Pixelmine, or its first bytes were changed.")
    if len(data) < _HEADER:
        raise TamperedError("It was cut off since it was sealed. Restore it from a copy.")
    if first[-2] != _VERSION or not _SMALLEST <= first[-1] <= _LARGEST:
        raise TamperedError(
            f"It is an envelope of version {first[-2]}, and this Pixelmine knows {_VERSION}: it "
            "was changed, or a newer Pixelmine has sealed it."
        )
    return _Header(first, data[_FIRST : _FIRST + 8].hex(), data[_FIRST + 8 :])


def _pieces(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """Pieces of `size` bytes, and whether each is the last; of nothing one that is empty."""
    piece = _exactly(stream, size)
    while following := _exactly(stream, size):
        yield piece, False
        piece = following
    yield piece, True


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end: one `read` of a pipe may give less."""
    data = stream.read(size)
    if len(data) in (0, size):
        return data
    parts, missing = [data], size - len(data)
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _digest(object_id: str) -> bytes:
    return hashlib.sha256(object_id.encode()).digest()


def _stream(source: BinaryIO | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source
