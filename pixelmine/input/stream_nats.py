"""Pictures from a NATS JetStream, by a durable pull consumer."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import quote

import pyarrow as pa

from pixelmine.core import Limits
from pixelmine.core.checks import check_positive
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.schema import LISTING

from .nats_client import connect, library
from .rows import Row
from .source import SourceOptions
from .stream import Address, message_row, stream_address

__all__ = ["NatsFeed"]

Result = TypeVar("Result")

_BATCH_BYTES = 64 * 2**20
"""Bytes of pictures after which a batch is full."""

_STEP = 16
"""Messages asked for at once, so that a batch is never much larger than that."""

_MOST_HELD = 8192
"""Messages that the server gives out and that are not acknowledged yet, over all readers."""

_SHORTEST_S = 0.05
_ANSWER_S = 10.0
_CHECK_S = 10.0
_OURS = "pixelmine-"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NatsFeed:
    """`nats://[user:password@ or token@]host[:port]/subject[?durable=pixelmine]`.

    The subject may have wildcards; the stream is the one that takes it. The durable consumer starts
    at the stream's beginning, is made where there is none, and is shared by all that name it.
    A message is a picture: its body is the file's bytes. Headers `Pixelmine-Label` and
    `Pixelmine-Group` say what is known, any other `Pixelmine-NAME` goes to `meta` as `name`, as do
    `Nats-Msg-Id` and the message's `subject`. `uri` is that of the subject, `member` the message's
    number in the stream, which stays when it is delivered again, `mtime_ns` the time at which the
    stream took it, to the microsecond.

    A message is acknowledged by `acknowledge`, and the server's answer awaited. One that its reader
    took and did not acknowledge comes again: at once when the reader was closed, after `ack_wait_s`
    seconds (those of the consumer, if there is one already) when it died. While a reader lives it
    tells so for what it holds. A lost connection is tried again each second for `reconnect_s`
    seconds. Raises SourceError, UsageError.
    """

    def __init__(
        self,
        text: str,
        options: SourceOptions,  # noqa: ARG002  the messages say what is known about them
        *,
        ack_wait_s: float = 60.0,
        reconnect_s: float = 60.0,
        max_bytes: int = Limits().max_bytes,
    ) -> None:
        check_positive("ack_wait_s", ack_wait_s)
        check_positive("reconnect_s", reconnect_s)
        address = stream_address(text, 4222, {"durable": "pixelmine"})
        if not address.path:
            raise UsageError(
                "A nats:// address must name a subject: nats://host:4222/photos, for example."
            )
        self._subject, self._durable = address.path, address.options["durable"]
        self._uri = f"{address.place}/{quote(self._subject, safe='~*>')}"
        self._ack_wait_s, self._reconnect_s, self._max_bytes = ack_wait_s, reconnect_s, max_bytes
        self._held: dict[str, Any] = {}
        self._committed: dict[str, Any] = {}
        self._lost_since: float | None = None
        self._next_check = time.monotonic() + _CHECK_S
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="pixelmine-nats", daemon=True)
        self._thread.start()
        try:
            self._wait(self._open(address))
        except BaseException:  # Ctrl-C too: the thread is not left behind
            self._stop()
            raise

    @property
    def uri(self) -> str:
        """Of the subject: `nats://host:port/subject`."""
        return self._uri

    def pull(self, rows: int, wait_s: float) -> pa.RecordBatch:
        """Up to `rows` messages; see `Feed`."""
        return pa.RecordBatch.from_pylist(self._wait(self._pull(rows, wait_s)), LISTING)

    def acknowledge(self, rows: pa.RecordBatch) -> None:
        """Tell the server, and wait for its answer; see `Feed`."""
        self._wait(self._acknowledge(rows["member"].to_pylist()))

    def waiting(self) -> int | None:
        """Messages that no reader of the consumer took yet; None while the connection is lost."""
        return self._wait(self._waiting())

    def close(self) -> None:
        """End the connection, and let others take at once what was not acknowledged."""
        if self._thread.is_alive():
            self._wait(self._close())
            self._stop()

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        if not self._thread.is_alive():
            work.close()
            raise SourceError(f"The stream {self._uri} was closed.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, address: Address) -> None:
        nats = library()
        self._client = await connect(nats, address, self._uri, _ANSWER_S)
        try:
            self._jetstream = self._client.jetstream(timeout=_ANSWER_S)
            stream = await self._jetstream.find_stream_name_by_subject(self._subject)
            self._pulled = await self._subscribe(nats, stream)
            self._ack_wait_s = await self._check_consumer()
        except nats.errors.Error as error:
            await self._client.close()
            raise self._refused(nats, error) from error
        except SourceError:
            await self._client.close()
            raise
        self._alive = asyncio.create_task(self._stay_alive())

    async def _subscribe(self, nats: Any, stream: str) -> Any:
        config = nats.js.api.ConsumerConfig(
            ack_policy=nats.js.api.AckPolicy.EXPLICIT,
            deliver_policy=nats.js.api.DeliverPolicy.ALL,
            ack_wait=self._ack_wait_s,
            max_ack_pending=_MOST_HELD,
        )
        return await self._jetstream.pull_subscribe(
            self._subject, durable=self._durable, stream=stream, config=config
        )

    async def _check_consumer(self) -> float:
        """Refuse a consumer that is for something else; give its `ack_wait`, in seconds."""
        config = (await self._pulled.consumer_info()).config
        if config.deliver_subject or config.ack_policy != "explicit":
            raise self._other_consumer("pushes messages, or wants no acknowledgement")
        if config.filter_subject and config.filter_subject != self._subject:
            raise self._other_consumer(f"is for the subject {config.filter_subject}")
        return float(config.ack_wait or self._ack_wait_s)

    def _other_consumer(self, what: str) -> SourceError:
        return SourceError(
            f"The consumer {self._durable} at {self._uri} {what}. Name another with ?durable=NAME."
        )

    async def _pull(self, rows: int, wait_s: float) -> list[Row]:
        until, weight = time.monotonic() + wait_s, 0
        found: list[Row] = []
        while len(found) < rows and weight < _BATCH_BYTES:
            left = until - time.monotonic() if not found else 0.0
            messages = await self._fetch(min(_STEP, rows - len(found)), left)
            for message in messages:
                row = await self._take(message)
                if row is not None:
                    found.append(row)
                    weight += row["size"]
            if not messages and (found or time.monotonic() >= until):
                break
        return found

    async def _fetch(self, count: int, wait_s: float) -> list[Any]:
        """Some messages; none after `wait_s`, or while the connection is lost."""
        nats = library()
        try:
            messages = await self._pulled.fetch(count, timeout=max(_SHORTEST_S, wait_s))
        except TimeoutError as error:
            await self._check_still_there(nats, error)
            messages = []
        except nats.errors.Error as error:
            await self._check_still_there(nats, error)
            await self._note_loss(wait_s)
            return []
        if not messages and not self._client.is_connected:
            await self._note_loss(wait_s)
        else:
            self._lost_since = None
        return list(messages)

    async def _check_still_there(self, nats: Any, error: Exception) -> None:
        """Raise SourceError where stream or consumer are gone: the server may just keep silent."""
        now = time.monotonic()
        if not isinstance(error, nats.js.errors.APIError) and now < self._next_check:
            return
        self._next_check = now + _CHECK_S
        try:
            await self._pulled.consumer_info()
        except nats.js.errors.NotFoundError as gone:
            raise self._refused(nats, gone) from gone
        except (nats.errors.Error, TimeoutError):
            return

    async def _note_loss(self, wait_s: float) -> None:
        now = time.monotonic()
        self._lost_since = self._lost_since if self._lost_since is not None else now
        if now - self._lost_since >= self._reconnect_s:
            raise SourceError(
                f"The connection to {self._uri} is lost, for {now - self._lost_since:.0f} seconds. "
                "What was not acknowledged comes again."
            )
        await asyncio.sleep(min(1.0, max(_SHORTEST_S, wait_s)))

    async def _take(self, message: Any) -> Row | None:
        """The row of a message; None for one that we hold, or that only its ack went astray of."""
        told = message.metadata
        number = str(told.sequence.stream)
        if number in self._committed:
            self._committed[number] = message
            await self._acknowledge([])
            return None
        data, message.data = message.data, b""  # what is held need not hold the picture
        known = number in self._held
        self._held[number] = message
        if known:
            return None
        return message_row(
            self._uri, number, data, _ns(told.timestamp), _said(message), self._max_bytes
        )

    async def _acknowledge(self, members: list[str]) -> None:
        """What is not confirmed is tried again when the server gives it out again."""
        nats = library()
        for member in members:
            if member in self._held:
                self._committed[member] = self._held.pop(member)
        asked = {**self._committed}
        answers = await asyncio.gather(
            *(message.ack_sync(timeout=_ANSWER_S) for message in asked.values()),
            return_exceptions=True,
        )
        for member, answer in zip(asked, answers, strict=True):
            if not isinstance(answer, BaseException):
                self._committed.pop(member, None)
            elif not isinstance(answer, nats.errors.Error | TimeoutError):
                raise answer

    async def _stay_alive(self) -> None:
        """Tell the server now and then that what is held is worked on."""
        nats = library()
        while True:
            await asyncio.sleep(self._ack_wait_s / 3)
            with suppress(nats.errors.Error):  # `pull` says what is wrong
                for message in [*self._held.values()]:
                    await message.in_progress()

    async def _waiting(self) -> int | None:
        nats = library()
        try:
            return int((await self._pulled.consumer_info()).num_pending or 0)
        except nats.js.errors.APIError as error:
            raise self._refused(nats, error) from error
        except (nats.errors.Error, TimeoutError):
            return None

    async def _close(self) -> None:
        nats = library()
        self._alive.cancel()
        await asyncio.wait({self._alive})
        with suppress(nats.errors.Error, TimeoutError):  # it comes again after `ack_wait_s`
            if self._client.is_connected:
                for message in self._held.values():
                    await message.nak()
                await self._client.flush(int(_ANSWER_S))
        await self._client.close()

    def _refused(self, nats: Any, error: Exception) -> SourceError:
        if isinstance(error, nats.js.errors.NotFoundError):
            return SourceError(f"There is no stream, or no consumer, for {self._uri}: {error}")
        return SourceError(f"NATS at {self._uri} refuses: {error}")


def _ns(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000


def _said(message: Any) -> list[tuple[str, str]]:
    """What subject and headers say; other headers are not ours, and may hold secrets."""
    said = [("subject", message.subject)]
    for name, value in (message.headers or {}).items():
        lower = name.lower()
        if lower.startswith(_OURS):
            said.append((lower.removeprefix(_OURS), value))
        elif lower == "nats-msg-id":
            said.append((lower, value))
    return said
