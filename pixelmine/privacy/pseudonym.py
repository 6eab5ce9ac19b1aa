"""Pseudonyms: the same text has the same one under the same key, and nobody without it can tell.

HMAC-SHA-256 (RFC 2104) of the text under a key for its purpose, which HKDF-SHA-256 (RFC 5869) makes
of the master key; so pseudonyms of two purposes cannot be joined. A plain hash would not do: who
has a list of names hashes them all and looks.

    k5rw3q-abcdefghijklmnopqrstuvwxyz234567
    |      `- 160 bits of the HMAC: at 1e9 texts the chance of any collision is below 1e-30
    `- the key's id: pseudonyms of an old key are told from those of a new one

Base 32 in small letters: fit for URLs and for file names, where capitals may not count. A
pseudonym is still personal data: who holds the key and a guess can test it.
"""

import base64
import hmac
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from pixelmine.core.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["KEY_BYTES", "PSEUDONYM_LENGTH", "Pseudonyms", "rotate"]

KEY_BYTES = 32
"""The least that a master key has."""
PSEUDONYM_LENGTH = 39
"""Characters: 6 of the key's id, a hyphen, 32 of the HMAC."""

_ID_BYTES = 4
_ID_LENGTH = 6
_KEPT_BYTES = 20


class Pseudonyms:
    """Pseudonyms of texts for one purpose.

    `key`: the master key, at least KEY_BYTES random bytes. `purpose`: any text; another purpose has
    other pseudonyms. The key shows in no message, and an instance cannot be pickled.

    Text is brought to Unicode's form NFC and nothing else: capitals and blanks count. An empty text
    has a pseudonym as any other has; null has none and stays null.
    """

    __slots__ = ("_key", "key_id", "purpose")

    def __init__(self, key: bytes, purpose: str) -> None:
        if not isinstance(key, bytes) or len(key) < KEY_BYTES:
            got = f"{len(key)} bytes" if isinstance(key, bytes) else type(key).__name__
            raise UsageError(
                f"A key for pseudonyms needs {KEY_BYTES} random bytes or more, "
                f"or it can be guessed. Got {got}."
            )
        if not purpose:
            raise UsageError("Pseudonyms need a purpose, so that those of two cannot be joined.")
        self._key = _derive(key, "key", purpose, 32)
        self.key_id = _letters(_derive(key, "id", purpose, _ID_BYTES))[:_ID_LENGTH]
        self.purpose = purpose

    def __repr__(self) -> str:
        return f"Pseudonyms(purpose={self.purpose!r}, key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Pseudonyms hold a key and are not pickled: make them where they are used.")

    def of(self, text: str) -> str:
        """The pseudonym of a text: PSEUDONYM_LENGTH characters of a-z, 2-7 and a hyphen."""
        data = unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape")
        return f"{self.key_id}-{_letters(hmac.digest(self._key, data, 'sha256')[:_KEPT_BYTES])}"

    def of_column(self, column: "pa.Array | pa.ChunkedArray") -> "pa.Array | pa.ChunkedArray":
        """The pseudonyms of a column, as `string`; each different text is computed once.

        Takes text, or what Arrow can write as text (numbers, times). Null stays null. Raises
        UsageError for lists, maps and structs.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise UsageError(f"Pseudonyms are made of text. Got a column of {column.type}.")
        if isinstance(column, pa.ChunkedArray):
            whole = column.combine_chunks() if column.num_chunks else pa.array([], column.type)
            if isinstance(whole, pa.ChunkedArray):  # where one chunk cannot hold it
                return pa.chunked_array([self.of_column(chunk) for chunk in whole.chunks])
            return pa.chunked_array([self.of_column(whole)])
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        found = plain.cast(pa.string()).dictionary_encode()
        names = pa.array([self.of(text) for text in found.dictionary.to_pylist()], pa.string())
        return pc.take(names, found.indices)

    def made(self, pseudonym: str) -> bool:
        """Whether it bears the id of this key and purpose; not whether it belongs to any text."""
        return len(pseudonym) == PSEUDONYM_LENGTH and pseudonym.startswith(f"{self.key_id}-")


def rotate(old: Pseudonyms, new: Pseudonyms, originals: Iterable[str]) -> dict[str, str]:
    """Old pseudonym to new, for changing the key: needs the originals, for none can be undone.

    Raises UsageError where the two have one key, or are of two purposes, which would join them.
    """
    if old.purpose != new.purpose:
        raise UsageError(
            f"Pseudonyms change their key, not their purpose: that would join the two. "
            f"Got {old.purpose!r} and {new.purpose!r}."
        )
    if old.key_id == new.key_id:
        raise UsageError("The old and the new key of the pseudonyms are the same: nothing to do.")
    return {old.of(text): new.of(text) for text in originals}


def _derive(key: bytes, use: str, purpose: str, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"pixelmine pseudonym {use}\0{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key)


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()
