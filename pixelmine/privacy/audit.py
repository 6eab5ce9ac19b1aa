"""The audit log: what was done with pictures, under which policy, each line bound to the last.

One JSON object a line, appended and flushed to the disk:

    {"n": 3, "time": "...", "did": "protect", "who": "5e1f...", "policy": "ab12...",
     "counts": {"written": 12}, "about": {}, "before": "HASH OF LINE 2", "hash": "..."}

`hash` is the HMAC-SHA-256 of the line without it under a key of the log's own, so that a line that
was changed, taken out, put in or moved shows, and nobody without the key can write a fitting one
(Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999, without their
evolving keys). What a chain cannot show is that its end was cut off: keep `head` elsewhere.

Nothing in it names a person, a picture or a place: `who` is a keyed hash, the rest are counts and
digests.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from pixelmine.core.errors import OutputError, PixelmineError, UsageError

__all__ = ["DEEDS", "AuditLog", "Verified", "read_secret"]

DEEDS = ("protect", "export", "decrypt", "encrypt", "rotate", "erase", "verify")
"""What is noted."""

_FIRST = "0" * 64
_LONGEST = 100_000
"""Bytes of a line; ours have some 500."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What is right with a log. `entries`: lines that fit. `head`: the hash of the last of them.

    `broken`: the number of the first line that does not fit, from 1, and why; None where all fit.
    """

    entries: int
    head: str
    broken: tuple[int, str] | None = None


class AuditLog:
    """The log in one file. Any number of processes may append."""

    def __init__(self, path: Path, secret: bytes) -> None:
        if len(secret) < 32:
            raise UsageError(f"The key of an audit log needs 32 bytes. Got {len(secret)}.")
        self.path = path
        self._secret = secret

    def append(
        self,
        did: str,
        *,
        who: str,
        policy: str | None = None,
        counts: Mapping[str, int] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> str:
        """Add a line; gives its hash. `about`: digests, ids of runs: never a name or a path.

        Raises OutputError where it cannot be written, and where the last line is not whole or does
        not fit: a log that was tampered with is not gone on with.
        """
        if did not in DEEDS:
            raise UsageError(f"An audit log notes {', '.join(DEEDS)}. Got {did!r}.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock", timeout=60), self.path.open("ab+") as file:
                number, before = self._last(file)
                line = {
                    "n": number + 1,
                    "time": datetime.now(UTC).isoformat(timespec="seconds"),
                    "did": did,
                    "who": self.name_of(who),
                    "policy": policy,
                    "counts": dict(counts or {}),
                    "about": dict(about or {}),
                    "before": before,
                }
                line["hash"] = self._hash(line)
                file.write(_canonical(line) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"Cannot write to {self.path}: {error.strerror}.") from error
        return str(line["hash"])

    def entries(self) -> Iterator[dict[str, Any]]:
        """The lines, without a look at their hashes. None where there is no log."""
        if self.path.is_file():
            with self.path.open("rb") as file:
                for raw in iter(lambda: file.readline(_LONGEST), b""):
                    yield json.loads(raw)

    def verify(self, head: str | None = None) -> Verified:
        """Check every line against the one before it, and the last against `head`, if it is known.

        Raises OutputError where the log cannot be read.
        """
        count, before = 0, _FIRST
        try:
            with self.path.open("rb") as file:
                for raw in iter(lambda: file.readline(_LONGEST), b""):
                    wrong = self._wrong(raw, count + 1, before)
                    if isinstance(wrong, str):
                        return Verified(entries=count, head=before, broken=(count + 1, wrong))
                    count, before = count + 1, str(wrong["hash"])
        except OSError as error:
            raise OutputError(f"Cannot read {self.path}: {error.strerror}.") from error
        if head is not None and not hmac.compare_digest(head, before):
            return Verified(entries=count, head=before, broken=(count + 1, "the end is missing"))
        return Verified(entries=count, head=before)

    def name_of(self, who: str) -> str:
        """What stands for a person: the same for the same name in this log, and no name."""
        return hmac.new(self._secret, b"who\0" + who.encode(), hashlib.sha256).hexdigest()[:16]

    def _last(self, file: Any) -> tuple[int, str]:
        """Number and hash of the last line, which must be whole."""
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return 0, _FIRST
        start = max(0, size - _LONGEST)
        file.seek(start)
        lines = file.read().splitlines(keepends=True)
        raw = lines[-1]
        try:
            found = json.loads(raw)
            number, before = int(found["n"]), str(found["before"])
        except (ValueError, KeyError, TypeError) as error:
            raise OutputError(self._refusal(f"its last line is not whole: {error}")) from error
        wrong = self._wrong(raw, number, before)
        if isinstance(wrong, str):
            raise OutputError(self._refusal(wrong))
        return number, str(wrong["hash"])

    def _refusal(self, why: str) -> str:
        return (
            f"{self.path} cannot be gone on with: {why}. See what fits with: pixelmine privacy "
            "verify; then move the log away to begin a new one."
        )

    def _wrong(self, raw: bytes, number: int, before: str) -> dict[str, Any] | str:
        """The line, or what is wrong with it."""
        if not raw.endswith(b"\n"):
            return "the line is not whole"
        try:
            line = json.loads(raw)
            said = line.pop("hash")
            fits = hmac.compare_digest(str(said), self._hash(line))
            if not fits or raw != _canonical({**line, "hash": said}) + b"\n":
                return "the line was changed, or another key wrote it"
            if line["n"] != number or line["before"] != before:
                return "a line before it is missing, or was put in"
        except (ValueError, KeyError, TypeError, AttributeError):
            return "the line cannot be read"
        return {**line, "hash": said}

    def _hash(self, line: Mapping[str, Any]) -> str:
        return hmac.new(self._secret, _canonical(line), hashlib.sha256).hexdigest()


def read_secret(path: Path) -> bytes:
    """The log's key: 32 random bytes that only the user may read; made where there are none.

    Raises OutputError; PixelmineError where others may read it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                raise PixelmineError(
                    f"{path} holds the key of the audit log and may be read by others. "
                    f"Take that away with: chmod 600 {path}"
                ) from None
            return path.read_bytes()
        with os.fdopen(handle, "wb") as file:
            made = secrets.token_bytes(32)
            file.write(made)
        return made
    except OSError as error:
        raise OutputError(f"Cannot keep the audit log's key: {error.strerror}: {path}.") from error


def _canonical(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
