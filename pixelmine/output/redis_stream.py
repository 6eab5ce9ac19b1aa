"""Results into a Redis stream."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pixelmine.core.errors import UsageError

from .address import Address, optional
from .messages import TIMEOUT_S, BrokerSink, Message

__all__ = ["RedisSink", "redis_address"]

_PATH: Final = re.compile(r"(?:(?P<db>[0-9]{1,5})/)?(?P<stream>[^/\s]{1,200})")


def redis_address(url: str) -> Address:
    """`redis[s]://[USER:PASSWORD@]HOST[:6379]/[DB/]STREAM`. Raises UsageError."""
    address = Address.parse(url, 6379)
    if not address.host or not _PATH.fullmatch(address.path):
        raise UsageError(
            "--out must name a stream, as redis://HOST/STREAM or redis://HOST/DB/STREAM. "
            f"Got {address.path!r} instead."
        )
    return address


class RedisSink(BrokerSink):
    """Adds entries with the fields `id` and `data`; a batch is one transaction, all or nothing.

    What Redis acknowledges is as durable as its own settings (`appendfsync`) make it.
    """

    def __init__(self, url: str, state: Path) -> None:
        super().__init__(redis_address(url), state)
        match = _PATH.fullmatch(self.address.path)
        self._db, self._stream = (match["db"] or "0", match["stream"]) if match else ("0", "")
        self._client: Any = None

    def _connect(self) -> None:
        redis, address = optional("redis", "streams"), self.address
        self._client = redis.Redis(
            host=address.host,
            port=address.port,
            db=int(self._db),
            username=address.user,
            password=address.password,
            retry=optional("redis.retry", "streams").Retry(
                optional("redis.backoff", "streams").NoBackoff(),
                0,  # BrokerSink tries again
            ),
            ssl=address.scheme == "rediss",
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
        )
        self._client.ping()

    def _publish(self, batch: list[Message]) -> None:
        with self._client.pipeline(transaction=True) as pipeline:
            for message in batch:
                pipeline.xadd(self._stream, {"id": message.id, "data": message.body})
            pipeline.execute()

    def _disconnect(self) -> None:
        if self._client is not None:
            with suppress(*self._errors()):
                self._client.close()
        self._client = None

    def _errors(self) -> tuple[type[Exception], ...]:
        return (OSError, optional("redis", "streams").RedisError)
