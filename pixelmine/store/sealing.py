"""What seals a collection at rest: its secret, and the keys that come from it.

    collection.json    "encrypted": {"key_id": ..., "secret": ...}

The secret is 32 random bytes, wrapped by the master key. Names of copied bytes and the keys of
tables come from it, and not from the master key, so that they stay when that is changed; copied
bytes themselves have a data key each, wrapped by the master key (`envelope`).

Sealed are copied bytes and their names, and the values of features (hashes, measures, embeddings)
and predictions. Not sealed in this version are `images` (where pictures lie, their sizes, their
metadata, and SHA-256 of their bytes), labels, splits, decisions, findings and plans, the state of a
run (while it is at work, also pictures that a query or a table gives), how many rows there are, and
when they were written. Nor is an old copy of the whole collection in place of the newer one found.
"""

import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Any, Self

from pixelmine.core.atomic import write_json
from pixelmine.core.errors import CollectionError, TamperedError, WrongKeyError

from .keys import KEY_BYTES, MasterKeys, derive

__all__ = ["Sealing", "find_keys"]


def find_keys(what: str) -> MasterKeys:
    """Of the environment. Raises WrongKeyError where there are none, UsageError for wrong ones."""
    keys = MasterKeys.from_environment()
    if keys is None:
        raise WrongKeyError(
            f"{what} and there is no master key here. Set PIXELMINE_KEY_FILE to the file of the "
            "key (it must be yours alone: chmod 600), or PIXELMINE_KEY to the key itself."
        )
    return keys


class Sealing:
    """Of one collection, opened. Never pickled: each process opens it for itself."""

    def __init__(self, keys: MasterKeys, secret: bytes) -> None:
        self.keys = keys
        self._secret = secret
        self._names = derive(secret, "names")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.keys!r})"

    def __reduce__(self) -> str:
        raise TypeError("What seals a collection is not pickled.")

    @classmethod
    def made(cls, keys: MasterKeys, collection: str) -> dict[str, str]:
        """Settings for a new collection of this id."""
        return _settings(keys, secrets.token_bytes(KEY_BYTES), collection)

    @classmethod
    def of(cls, settings: dict[str, Any], path: Path) -> Self | None:
        """From a collection's settings; None for one that is not encrypted.

        Raises WrongKeyError, which names the key that is wanted, TamperedError, CollectionError.
        """
        if (found := settings.get("encrypted")) is None:
            return None
        try:
            wanted, wrapped = str(found["key_id"]), bytes.fromhex(found["secret"])
        except (KeyError, TypeError, ValueError) as error:
            raise CollectionError(
                f"{path}/collection.json does not say how the collection is encrypted. "
                "Restore it from a copy."
            ) from error
        keys = find_keys(f"The collection {path} is encrypted with the master key {wanted},")
        try:
            opened = keys.unwrap(wanted, wrapped)
        except WrongKeyError as error:
            raise WrongKeyError(f"The collection {path} cannot be opened. {error}") from error
        if opened[KEY_BYTES:] != _digest(settings["id"]):
            raise TamperedError(
                f"The secret in {path}/collection.json is another collection's. "
                "Restore the file from a copy."
            )
        return cls(keys, opened[:KEY_BYTES])

    @classmethod
    def beside(cls, collection: Path) -> Self | None:
        """Of the collection in a folder; None where there is none, or it is not encrypted."""
        path = collection / "collection.json"
        try:
            settings = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CollectionError(f"{path} cannot be read: {error}.") from error
        return cls.of(settings, collection)

    def rewrap(self, path: Path, settings: dict[str, Any]) -> dict[str, Any]:
        """Put the secret under the current master key, in the settings and in collection.json."""
        changed = {**settings, "encrypted": _settings(self.keys, self._secret, settings["id"])}
        write_json(path / "collection.json", changed)
        return changed

    def name(self, content: str) -> str:
        """Of a copy: HMAC-SHA-256 of its content_id, which would say which known pictures are held.

        64 hexadecimal digits.
        """
        return hmac.new(self._names, content.encode(), hashlib.sha256).hexdigest()

    def table_key(self, table: str) -> bytes:
        """32 bytes that seal the rows of a table."""
        return derive(self._secret, f"table {table}")


def _settings(keys: MasterKeys, secret: bytes, collection: str) -> dict[str, str]:
    wrapped = keys.wrap(secret + _digest(collection))
    return {"key_id": keys.current, "secret": wrapped.hex()}


def _digest(collection: str) -> bytes:
    return hashlib.sha256(b"collection " + collection.encode()).digest()
