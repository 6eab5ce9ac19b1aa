"""Results into a NATS JetStream stream."""

import asyncio
import re
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pixelmine.core.errors import UsageError

from .address import Address, optional
from .messages import TIMEOUT_S, BrokerSink, Message

__all__ = ["NatsSink", "nats_address"]

_SUBJECT: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_AT_ONCE: Final = 256


def nats_address(url: str) -> Address:
    """`nats://[USER:PASSWORD@]HOST[:4222]/SUBJECT`. Raises UsageError."""
    address = Address.parse(url, 4222)
    if not address.host or not _SUBJECT.fullmatch(address.path) or len(address.path) > 200:
        raise UsageError(
            "--out must name a subject of letters, digits, _, - and dots, as nats://HOST/SUBJECT. "
            f"Got {address.path!r} instead."
        )
    return address


class NatsSink(BrokerSink):
    """Publishes with the header `Nats-Msg-Id` and waits for JetStream's acknowledgements.

    Where no stream takes the subject, one is made, kept in files, named by the subject. A stream
    drops a message whose id it has seen lately (`duplicate_window`, two minutes by default).
    """

    def __init__(self, url: str, state: Path) -> None:
        super().__init__(nats_address(url), state)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None

    def _connect(self) -> None:
        optional("nats", "streams")
        if self._loop is None:  # in a thread: the caller may have a loop that runs, and pings go on
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._wait(self._begin(), 3 * TIMEOUT_S)

    def _publish(self, batch: list[Message]) -> None:
        self._wait(self._send(batch), TIMEOUT_S * (2 + len(batch) // _AT_ONCE))

    def _disconnect(self) -> None:
        if self._loop is None:
            return
        if self._client is not None:
            with suppress(*self._errors()):
                self._wait(self._end(), TIMEOUT_S)
        loop, self._loop, self._client = self._loop, None, None
        loop.call_soon_threadsafe(loop.stop)
        while loop.is_running():
            threading.Event().wait(0.01)
        loop.close()

    def _errors(self) -> tuple[type[Exception], ...]:
        return (OSError, optional("nats.errors", "streams").Error)

    async def _begin(self) -> None:
        nats, address = optional("nats", "streams"), self.address
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._client = nats.NATS()  # known before it connects, so that it is closed if it fails
        await self._client.connect(
            f"nats://{host}:{address.port}",
            user=address.user,
            password=address.password,
            connect_timeout=TIMEOUT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # the first connection is tried so often again; 0: for ever
            reconnect_time_wait=0.1,
            error_cb=_silent,
        )
        stream = self._client.jetstream(timeout=TIMEOUT_S)
        missing = optional("nats.js.errors", "streams").NotFoundError
        try:
            await stream.find_stream_name_by_subject(address.path)
        except missing:
            name = re.sub(r"\W", "_", address.path)
            await stream.add_stream(name=name, subjects=[address.path])

    async def _end(self) -> None:
        await self._client.close()
        await asyncio.sleep(0.01)  # so that its sockets are closed before the loop is

    async def _send(self, batch: list[Message]) -> None:
        stream = self._client.jetstream(timeout=TIMEOUT_S)

        async def one(message: Message) -> None:
            headers = {"Nats-Msg-Id": message.id}
            await stream.publish(self.address.path, message.body, headers=headers)

        for begin in range(0, len(batch), _AT_ONCE):
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.gather(*map(one, batch[begin : begin + _AT_ONCE]))

    def _wait(self, work: Coroutine[Any, Any, None], timeout_s: float) -> None:
        if self._loop is None:
            raise OSError("not connected")
        task = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            task.result(timeout_s)
        except TimeoutError:
            task.cancel()
            raise


async def _silent(error: Exception) -> None:
    """What goes wrong is raised where it is waited for."""
