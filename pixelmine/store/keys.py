"""Master keys: what seals a collection, and the keys for one purpose that come from them.

    PIXELMINE_KEY         one key, or several with blanks or commas between them
    PIXELMINE_KEY_FILE    a file with them, or several files with `:` between them

The first key is the current one, which seals; the others are older and only open. A key is 32
random bytes, written as 64 hexadecimal digits or in base64, or the bare bytes as a file of their
own. No key, and nothing of one, is ever in a message.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pixelmine.core.errors import OutputError, TamperedError, UsageError, WrongKeyError

__all__ = ["KEY_BYTES", "MasterKeys", "derive", "make_key"]

KEY_BYTES = 32
"""Of AES-256, and of every key here."""

_OTHERS = 0o077
"""Permission bits of the group and of others."""

_HOW = (
    "A key is 32 random bytes as 64 hexadecimal digits or base64; `store.keys.make_key` writes one."
)


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose: HKDF-SHA-256 (RFC 5869), which tell nothing of the key or others.

    Equal key and purpose give equal bytes. Raises UsageError where the purpose is empty.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if not purpose:
        raise UsageError("A key needs a purpose, such as `pseudonym`. Got an empty one.")
    info = b"pixelmine 1 " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


class MasterKeys:
    """The current key and older ones, each known by its id: 16 hexadecimal digits.

    Raises UsageError for a key that is not 32 bytes long, or is one byte over and over.
    """

    def __init__(self, current: bytes, older: Sequence[bytes] = ()) -> None:
        for key in (current, *older):
            _check(key)
        self._keys = {_id(key): bytes(key) for key in (current, *older)}
        self.current = _id(current)

    @classmethod
    def from_file(cls, path: str | Path, *older: str | Path) -> Self:
        """The keys of a file, one a line, the current one first; then those of older files.

        Raises UsageError where a file cannot be read, is readable by others, or holds no key.
        """
        return cls._of([key for one in (path, *older) for key in _of_file(Path(one))])

    @classmethod
    def from_environment(cls) -> Self | None:
        """Of `PIXELMINE_KEY` or `PIXELMINE_KEY_FILE`; None where neither is set.

        Raises UsageError where both are, or what is there is no key.
        """
        text = os.environ.get("PIXELMINE_KEY", "")
        files = os.environ.get("PIXELMINE_KEY_FILE", "")
        if text.strip() and files:
            raise UsageError("PIXELMINE_KEY and PIXELMINE_KEY_FILE are both set. Set one of them.")
        if text.strip():
            return cls._of(_of_text(text, "PIXELMINE_KEY"))
        return cls.from_file(*files.split(os.pathsep)) if files else None

    @classmethod
    def _of(cls, keys: Sequence[bytes]) -> Self:
        return cls(keys[0], keys[1:])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.ids)})"

    def __reduce__(self) -> str:
        raise TypeError("Master keys are not pickled: each process reads them for itself.")

    @property
    def ids(self) -> list[str]:
        """Of all keys, the current one first."""
        return list(self._keys)

    def purpose_key(self, purpose: str) -> bytes:
        """32 bytes of the current key for one purpose, such as `pseudonym`; see `derive`."""
        return derive(self._keys[self.current], purpose)

    def wrap(self, secret: bytes) -> bytes:
        """Under the current key: AES key wrap (RFC 3394), 8 bytes longer than `secret`.

        It needs no nonce, which is why it is used and not AES-GCM: random nonces of 96 bits are
        good for 2^32 uses of a key, fewer than there may be pictures. A data key is random and
        wrapped once, so that nothing is lost by equal secrets having equal wraps.
        """
        from cryptography.hazmat.primitives.keywrap import aes_key_wrap

        return aes_key_wrap(self.purpose_key("wrap"), secret)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """What was wrapped under the key of this id. Raises WrongKeyError, TamperedError."""
        from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

        if key_id not in self._keys:
            raise WrongKeyError(
                f"It is sealed with the master key {key_id}, which is not here; here: "
                f"{', '.join(self.ids)}. Set PIXELMINE_KEY_FILE to the file of that key too."
            )
        try:
            return aes_key_unwrap(derive(self._keys[key_id], "wrap"), wrapped)
        except (InvalidUnwrap, ValueError) as error:
            raise TamperedError(
                f"Its data key does not open with the master key {key_id} that it names: it was "
                "changed since it was sealed. Restore it from a copy."
            ) from error


def make_key(path: str | Path) -> str:
    """Write a new random key, for the user alone (mode 0600); gives its id.

    Keep a copy elsewhere: what is sealed with a key that is lost is lost. Raises OutputError where
    something is there already, or the file cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise OutputError(
            f"{path} is there already, and a key is never written over: what it has sealed could "
            "not be opened again. Give another name."
        ) from error
    except OSError as error:
        raise OutputError(f"Cannot write a key to {path}: {error.strerror}.") from error
    with os.fdopen(handle, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return _id(key)


def _check(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise UsageError(f"A key must be {KEY_BYTES} bytes. Got {len(key)} instead. {_HOW}")
    if len(set(key)) == 1:
        raise UsageError(f"A key of one byte over and over protects nothing. {_HOW}")


def _id(key: bytes) -> str:
    return hashlib.sha256(derive(key, "id")).digest()[:8].hex()


def _of_file(path: Path) -> list[bytes]:
    try:
        handle = os.open(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            mode = os.fstat(handle).st_mode
            data = file.read(2**16)
    except OSError as error:
        raise UsageError(f"The key file {path} cannot be read: {error.strerror}.") from error
    if os.name == "posix" and mode & _OTHERS:
        raise UsageError(
            f"The key file {path} can be used by others (mode {mode & 0o777:o}). "
            f"Make it yours alone: chmod 600 {path}"
        )
    if len(data) == KEY_BYTES:
        return [data]
    return _of_text(data.decode("ascii", "replace"), str(path))


def _of_text(text: str, where: str) -> list[bytes]:
    words = text.replace(",", " ").split()
    if not words:
        raise UsageError(f"{where} holds no key. {_HOW}")
    return [_of_word(word, f"{where}, key {place}") for place, word in enumerate(words, 1)]


def _of_word(word: str, where: str) -> bytes:
    try:
        if len(word) == 2 * KEY_BYTES:
            return bytes.fromhex(word)
        plain = word.translate(str.maketrans("-_", "+/")).rstrip("=")
        found = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != KEY_BYTES:
        raise UsageError(f"{where}: {len(word)} characters are no key. {_HOW}")
    return found
