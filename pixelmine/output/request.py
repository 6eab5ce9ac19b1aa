"""One signed HTTP request, tried until it is taken, refused or given up."""

import hashlib
import hmac
import random
import threading
import time
from typing import TYPE_CHECKING, Final

from .messages import Message

if TYPE_CHECKING:
    import httpx

__all__ = ["Request", "signature"]

TRIES = 5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
"""Pauses double from the first, less up to half by chance; `Retry-After` is kept to the longest."""

TIMEOUT_S: Final = 10.0
MAX_BODY: Final = 4 * 2**20
"""Bytes of a request: a row with a thousand labels has about 100 kB."""

_MAX_ANSWER: Final = 64 * 1024
_AGAIN: Final = frozenset({408, 425, 429})


def signature(key: bytes, at: int, body: bytes) -> str:
    """The header's value; a receiver computes it anew and compares in constant time."""
    mac = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


class Request:
    """Sends messages to one URL over kept connections. No redirect is followed."""

    def __init__(self, url: str, key: bytes) -> None:
        self._url = url
        self._key = key
        self._client: httpx.Client | None = None
        self._closed = threading.Event()

    def open(self, connections: int) -> None:
        """Make ready for so many requests at a time."""
        import httpx

        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.Client(timeout=TIMEOUT_S, limits=limits, follow_redirects=False)
        self._closed.clear()

    def close(self) -> None:
        """End the connections."""
        self._closed.set()
        if self._client is not None:
            self._client.close()

    def send(self, message: Message) -> str | None:
        """None where it was taken; else why not: a status, or an error's name."""
        if len(message.body) > MAX_BODY:
            return f"not sent: more than {MAX_BODY} bytes"
        import httpx

        status = ""
        for attempt in range(TRIES):
            asked: str | None = None
            try:
                code, asked = self._post(message)
                status = f"HTTP {code}"
                if 200 <= code < 300:
                    return None
                if code < 500 and code not in _AGAIN:
                    return status
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                status = type(error).__name__
            if attempt + 1 < TRIES and self._closed.wait(_pause(attempt, asked)):
                break
        return status

    def _post(self, message: Message) -> tuple[int, str | None]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.id,
            "User-Agent": "pixelmine",
        }
        if self._key:
            headers["X-Pixelmine-Signature"] = signature(self._key, int(time.time()), message.body)
        if self._client is None:
            raise OSError("not open")
        with self._client.stream(
            "POST", self._url, content=message.body, headers=headers
        ) as answer:
            read = 0
            for piece in answer.iter_raw():  # to its end, so that the connection is kept
                read += len(piece)
                if read > _MAX_ANSWER:
                    break
            return answer.status_code, answer.headers.get("Retry-After")


def _pause(attempt: int, asked: str | None) -> float:
    if asked is not None and asked.isascii() and asked.isdecimal():
        return min(float(asked), LONGEST_PAUSE_S)
    pause: float = min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  no secret: it spreads the tries
