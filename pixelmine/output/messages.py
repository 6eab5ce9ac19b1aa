"""Results as messages with an id: what every broker sink shares.

At least once: a batch is noted when the broker has acknowledged it. The same answer to the same
picture at the same place has the same id, so that a receiver that drops repeats by id ends with
each once; what has changed since, or could not be read before, is another message.
"""

import json
import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pixelmine.core import ids
from pixelmine.core.errors import OutputError
from pixelmine.core.schema import RESULTS

from .address import Address
from .committed import CommittedSink
from .formats import json_rows

__all__ = ["BrokerSink", "Message", "messages"]

_NAMED_BY = ("row_id", "model_digest", "picture_id", "reason")

PAUSES_S = (0.1, 1.0, 4.0)
"""Between tries of a batch; after the last one the run stops."""

TIMEOUT_S = 10.0
"""For a connection and for an answer of the broker."""


@dataclass(frozen=True)
class Message:
    """`body`: the row as JSON, UTF-8, as in `.jsonl`.

    `id`: SHA-256 of row_id, model_digest, picture_id and reason.
    """

    id: str
    body: bytes


def messages(rows: pa.Table) -> list[Message]:
    """A message for each row."""
    return [
        Message(
            ids.digest(*(row[name] or "" for name in _NAMED_BY)),
            json.dumps(row, ensure_ascii=False).encode(),
        )
        for row in json_rows(rows.select(RESULTS.names))
    ]


class BrokerSink(CommittedSink):
    """Publishes batches; a broker that goes away is tried again, then the run stops."""

    def __init__(self, address: Address, state: Path) -> None:
        super().__init__(state)
        self.address = address
        self._connected = False

    @abstractmethod
    def _connect(self) -> None:
        """Connect, and make sure that there is something to publish to."""

    @abstractmethod
    def _publish(self, batch: list[Message]) -> None:
        """Publish and wait until all are acknowledged."""

    @abstractmethod
    def _disconnect(self) -> None:
        """End the connection, in whatever state it is. Raises nothing."""

    @abstractmethod
    def _errors(self) -> tuple[type[Exception], ...]:
        """OSError, and what the client raises where the broker is away or refuses."""

    def _open(self) -> None:
        if not self._connected:
            self._try([])

    def _deliver(self, rows: pa.Table) -> None:
        self._try(messages(rows))
        self._note(rows)

    def _close(self) -> None:
        self._disconnect()
        self._connected = False

    def _try(self, batch: list[Message]) -> None:
        for pause in (*PAUSES_S, None):
            try:
                if not self._connected:
                    self._connect()
                    self._connected = True
                if batch:
                    self._publish(batch)
                return
            except self._errors() as error:
                self._close()
                if pause is None:
                    raise self._failed(error) from error
                time.sleep(pause)

    def _failed(self, error: Exception) -> OutputError:
        reason = self.address.hide(str(error) or type(error).__name__)
        return OutputError(
            f"{self.address.shown} does not take messages ({reason}), {len(PAUSES_S) + 1} times "
            f"in a row. {self.arrived} rows of this start were acknowledged. Mend it and run the "
            "same command again: it goes on there, and a repeated message has the same id."
        )
