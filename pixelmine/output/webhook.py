"""Results as signed HTTP requests: one row a request, several at a time."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pixelmine.core.errors import OutputError, UsageError

from .address import Address
from .committed import CommittedSink
from .messages import Message, messages
from .request import Request

__all__ = ["KEY_VARIABLE", "WebhookSink", "webhook_address"]

KEY_VARIABLE: Final = "PIXELMINE_WEBHOOK_KEY"
AT_ONCE: Final = 8
FAILURES = 20
"""So many rows one after another that are not taken stop the run: the receiver is bad."""


def webhook_address(url: str) -> Address:
    """`http[s]://HOST/PATH`, without its query, which may hold a secret. Raises UsageError."""
    plain = url.partition("#")[0].partition("?")[0]
    address = Address.parse(plain, 443 if url.lower().startswith("https:") else 80)
    if not address.host:
        raise UsageError("--out must name a host, as https://HOST/PATH.")
    return address


class WebhookSink(CommittedSink):
    """POSTs the row as JSON with its id as `Idempotency-Key`, and takes any 2xx as received.

    With a key in `$PIXELMINE_WEBHOOK_KEY` each request carries `X-Pixelmine-Signature: t=T,v1=S`:
    T in seconds since 1970, S the hexadecimal HMAC-SHA256 of T, a dot and the body. What the
    receiver refuses, or does not take after all tries, goes to `dead-letter.jsonl` in `state`, and
    the run goes on; the next run of the same command tries those rows again.
    """

    batch_rows = 100

    def __init__(self, url: str, state: Path) -> None:
        super().__init__(state)
        self.address = webhook_address(url)
        key = os.environ.get(KEY_VARIABLE, "")
        self._request = Request(url.partition("#")[0], key.encode())
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._failures = 0

    @property
    def dead_letters(self) -> Path:
        """Rows that were not taken, one JSON object a line: `time`, `status`, `row`."""
        return self._state / "dead-letter.jsonl"

    def _open(self) -> None:
        if self._pool is None:
            self._request.open(AT_ONCE)
            self._pool = ThreadPoolExecutor(AT_ONCE)

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._request.close()
        self._pool = None

    def _deliver(self, rows: pa.Table) -> None:
        batch = messages(rows)
        if self._pool is None:
            raise OutputError("A webhook is written to before it was started.")
        answers = list(self._pool.map(self._one, batch))
        tried = np.array([answer is not _NOT_TRIED for answer in answers], bool)
        refused = np.array([isinstance(answer, str) for answer in answers], bool) & tried
        self._bury([(m, a) for m, a, no in zip(batch, answers, refused, strict=True) if no])
        whole = _whole(rows, tried)
        self._note(rows.filter(pa.array(whole)), refused[whole])
        if self._failures >= FAILURES:
            raise self._stopped([answer for answer in answers if isinstance(answer, str)])

    def _one(self, message: Message) -> Any:
        """None: received. A text: why not."""
        if self._failures >= FAILURES:
            return _NOT_TRIED
        answer = self._request.send(message)
        with self._lock:
            self._failures = self._failures + 1 if answer else 0
        return answer

    def _bury(self, letters: list[tuple[Message, str]]) -> None:
        if not letters:
            return
        with self.dead_letters.open("a", encoding="utf-8") as file:
            for message, status in letters:
                letter = {
                    "time": datetime.now(UTC).isoformat(),
                    "status": status,
                    "row": json.loads(message.body),
                }
                file.write(json.dumps(letter, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _stopped(self, answers: list[str]) -> OutputError:
        last = answers[-1] if answers else "no answer"
        return OutputError(
            f"{self.address.shown} did not take {self._failures} rows one after another ({last}). "
            f"Rows not taken are in {self.dead_letters}. Mend the receiver and run the same "
            "command again: it goes on there and tries these rows too."
        )


_NOT_TRIED: Final = object()


def _whole(rows: pa.Table, tried: np.ndarray) -> np.ndarray:
    """Rows of items all of whose frames were tried: an item is noted as a whole."""
    items = [item or name for item, name in zip(*_columns(rows), strict=True)]
    left = {item for item, was in zip(items, tried.tolist(), strict=True) if not was}
    return np.array([item not in left for item in items], bool)


def _columns(rows: pa.Table) -> tuple[list[str | None], list[str]]:
    return rows["item"].to_pylist(), rows["row_id"].to_pylist()
