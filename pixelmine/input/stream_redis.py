"""Pictures from a Redis stream, shared with other readers of the same consumer group."""

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import pyarrow as pa

from pixelmine.core import Limits
from pixelmine.core.checks import check_positive
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.schema import LISTING

from .rows import Row
from .source import SourceOptions
from .stream import message_row, stream_address

__all__ = ["RedisFeed"]

Result = TypeVar("Result")

_BATCH_BYTES = 64 * 2**20
"""Bytes of pictures after which a batch is full."""

_STEP = 16
"""Entries asked for at once, so that a batch is never much larger than that."""

_BLOCK_S = 1.0
_ANSWER_S = 10.0
_FREE_MS = 10 * 365 * 86_400_000
"""Idle time by which a closed reader marks entries that anyone may take: more than any `idle_s`."""


class RedisFeed:
    """`redis://[user:password@]host[:port]/[db/]stream[?group=pixelmine]`, `rediss://` with TLS.

    An entry is a picture: its field `data` holds the file's bytes, `label` and `group` say what is
    known, other fields go to `meta`. `uri` is that of the stream, `member` the entry's id,
    `mtime_ns` the time in it. The group starts at the stream's beginning and is made where there is
    none, with an empty stream if need be.

    An entry is acknowledged by `acknowledge`. One that its reader took and did not acknowledge
    comes again: at once when the reader was closed, after `idle_s` seconds when it died. While a
    reader lives it tells so for what it holds. A lost connection is tried again each second at
    least, for `reconnect_s` seconds. Needs Redis 6.2 or newer. Raises SourceError, UsageError.
    """

    def __init__(
        self,
        text: str,
        options: SourceOptions,  # noqa: ARG002  the messages say what is known about them
        *,
        idle_s: float = 60.0,
        reconnect_s: float = 60.0,
        max_bytes: int = Limits().max_bytes,
    ) -> None:
        check_positive("idle_s", idle_s)
        check_positive("reconnect_s", reconnect_s)
        address = stream_address(text, 6379, {"group": "pixelmine"})
        first, _, rest = address.path.partition("/")
        db, self._stream = (int(first), rest) if rest and first.isdecimal() else (0, address.path)
        if not self._stream:
            raise UsageError(
                "A redis:// address must name a stream: redis://host:6379/0/photos, for example."
            )
        self._uri = f"{address.place}/{db}/{quote(self._stream, safe='~')}"
        self._group = address.options["group"]
        self._name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._idle_s, self._reconnect_s, self._max_bytes = idle_s, reconnect_s, max_bytes
        self._redis = _client(address, db)
        self._held: set[bytes] = set()
        self._committed: set[bytes] = set()
        self._cursor, self._next_claim = b"0-0", 0.0
        self._lost_since: float | None = None
        self._lock, self._closed = Lock(), Event()
        self._open()
        self._alive = Thread(target=self._stay_alive, name="pixelmine-redis", daemon=True)
        self._alive.start()

    @property
    def uri(self) -> str:
        """Of the stream: `redis://host:port/db/stream`."""
        return self._uri

    def pull(self, rows: int, wait_s: float) -> pa.RecordBatch:
        """Up to `rows` entries; those that others left behind come first. See `Feed`."""
        until, weight = time.monotonic() + wait_s, 0
        found: list[Row] = []
        while len(found) < rows and weight < _BATCH_BYTES:
            left = until - time.monotonic() if not found else 0.0
            entries = self._next(min(_STEP, rows - len(found)), left)
            if entries is None:
                break
            for row in self._rows(entries):
                found.append(row)
                weight += row["size"] or 0
        return pa.RecordBatch.from_pylist(found, LISTING)

    def acknowledge(self, rows: pa.RecordBatch) -> None:
        """Take the entries off the group's list of pending ones; see `Feed`."""
        ids = {member.encode() for member in rows["member"].to_pylist()}
        with self._lock:
            self._held -= ids
            self._committed |= ids
        self._try(self._acknowledge)

    def waiting(self) -> int | None:
        """The group's lag: entries that no reader took yet. None where Redis cannot tell."""
        groups = self._try(lambda: self._redis.xinfo_groups(self._stream)) or []
        for group in groups:
            if group["name"] == self._group.encode():
                lag = group.get("lag")
                return int(lag) if lag is not None else None
        return None

    def close(self) -> None:
        """End the connection, and let others take at once what was not acknowledged."""
        import redis

        if self._closed.is_set():
            return
        self._closed.set()
        self._alive.join()
        with suppress(redis.RedisError):  # it comes again all the same, after `idle_s`
            self._acknowledge()
            if self._held:
                self._claim(idle=_FREE_MS)
            elif not self._redis.xpending_range(self._stream, self._group, "-", "+", 1, self._name):
                self._redis.xgroup_delconsumer(self._stream, self._group, self._name)
        self._redis.close()

    def _next(self, count: int, wait_s: float) -> list[Any] | None:
        """Some entries, perhaps none that are new to us; None where there are none in time."""
        until = time.monotonic() + wait_s
        while True:
            entries = self._try(lambda: self._ask(count, until - time.monotonic()))
            if entries:
                return entries
            if time.monotonic() >= until:
                return None

    def _ask(self, count: int, wait_s: float) -> list[Any]:
        if time.monotonic() >= self._next_claim:
            claimed = self._claim_left_behind(count)
            if claimed:
                return claimed
        self._acknowledge()
        block = max(1, int(1000 * min(wait_s, _BLOCK_S)))
        answer = self._redis.xreadgroup(
            self._group, self._name, {self._stream: ">"}, count=count, block=block
        )
        return list(answer[0][1]) if answer else []

    def _claim_left_behind(self, count: int) -> list[Any]:
        """Entries whose reader has not been heard of for `idle_s`, a part of the list at a time."""
        answer = self._redis.xautoclaim(
            self._stream,
            self._group,
            self._name,
            min_idle_time=int(self._idle_s * 1000),
            start_id=self._cursor,
            count=count,
        )
        self._cursor = answer[0]
        if self._cursor == b"0-0":
            self._next_claim = time.monotonic() + self._idle_s / 2
        return list(answer[1])

    def _rows(self, entries: Iterable[tuple[bytes, dict[bytes, bytes] | None]]) -> Iterator[Row]:
        for entry, fields in entries:
            with self._lock:
                if entry in self._held or entry in self._committed:
                    continue
                if fields is None:  # it was deleted from the stream, Redis 6.2 says it so
                    self._committed.add(entry)
                    continue
                self._held.add(entry)
            yield self._row(entry.decode(), fields)

    def _row(self, entry: str, fields: dict[bytes, bytes]) -> Row:
        said = [
            (name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
            for name, value in fields.items()
            if name != b"data"
        ]
        time_ns = int(entry.partition("-")[0]) * 10**6
        return message_row(
            self._uri, entry, fields.get(b"data", b""), time_ns, said, self._max_bytes
        )

    def _acknowledge(self) -> None:
        with self._lock:
            ids = [*self._committed]
        if ids:
            self._redis.xack(self._stream, self._group, *ids)
            with self._lock:
                self._committed -= {*ids}

    def _stay_alive(self) -> None:
        """Tell Redis now and then that what is held is worked on."""
        import redis

        while not self._closed.wait(self._idle_s / 3):
            with suppress(redis.RedisError):  # `pull` says what is wrong
                self._claim(idle=0)

    def _claim(self, idle: int) -> None:
        with self._lock:
            held = [*self._held]
        if held:
            self._redis.xclaim(
                self._stream, self._group, self._name, 0, held, idle=idle, justid=True
            )

    def _open(self) -> None:
        import redis

        try:
            self._redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise self._refused(error) from error
        except redis.AuthenticationError as error:
            raise self._refused(error) from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise SourceError(
                f"No connection to {self._uri}. Check that Redis runs there."
            ) from error

    def _try(self, ask: Callable[[], Result]) -> Result | None:
        """Ask once; None while the connection is lost, SourceError when it was for too long."""
        import redis

        try:
            answer = ask()
        except (redis.AuthenticationError, redis.ResponseError) as error:
            raise self._refused(error) from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._wait_after_loss(error)
            return None
        self._lost_since = None
        return answer

    def _wait_after_loss(self, error: Exception) -> None:
        now = time.monotonic()
        self._lost_since = self._lost_since if self._lost_since is not None else now
        lost = now - self._lost_since
        if lost >= self._reconnect_s:
            raise SourceError(
                f"The connection to {self._uri} is lost, for {lost:.0f} seconds. What was not "
                "acknowledged comes again."
            ) from error
        time.sleep(min(1.0, max(0.1, lost / 2)))

    def _refused(self, error: Exception) -> SourceError:
        return SourceError(f"Redis at {self._uri} refuses: {error}")


def _client(address: Any, db: int) -> Any:
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise UsageError("redis:// needs an extra: pip install 'pixelmine[streams]'.") from None
    return redis.Redis(
        host=address.host,
        port=address.port,
        db=db,
        username=address.user,
        password=address.password,
        ssl=address.scheme == "rediss",
        socket_timeout=_ANSWER_S,
        socket_connect_timeout=_ANSWER_S,
        protocol=2,
        retry=Retry(NoBackoff(), 0),  # we try again ourselves: a lost answer may have been a batch
    )
