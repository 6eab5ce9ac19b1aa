"""Results into an AMQP 0-9-1 queue or exchange (RabbitMQ)."""

import logging
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from pixelmine.core.errors import UsageError

from .address import Address, optional
from .messages import TIMEOUT_S, BrokerSink, Message

__all__ = ["AmqpSink", "amqp_address"]

_HEARTBEAT_S = 30


def amqp_address(url: str) -> Address:
    """`amqp[s]://USER:PASSWORD@HOST[:5672]/[VHOST]?queue=NAME`.

    Or `?exchange=NAME&routing_key=KEY`. Without a VHOST it is `/`. Raises UsageError.
    """
    secure = url.lower().startswith("amqps:")
    address = Address.parse(url, 5671 if secure else 5672, ("queue", "exchange", "routing_key"))
    names = {name for name, value in address.query.items() if 0 < len(value.encode()) <= 255}
    wanted = ({"queue"}, {"exchange"}, {"exchange", "routing_key"})
    if not address.host or names != set(address.query) or names not in wanted:
        raise UsageError(
            "--out must be amqp://HOST/VHOST?queue=NAME or amqp://HOST/VHOST?exchange=NAME"
            f"&routing_key=KEY, names of 1 to 255 bytes. Got {', '.join(sorted(names)) or 'none'}."
        )
    return address


class AmqpSink(BrokerSink):
    """Publishes persistent messages with `message_id`, each confirmed by the broker.

    A queue is made durable where it is not there; an exchange must be there, with a queue that
    takes the message: one that no queue takes is an error, not a loss.
    """

    def __init__(self, url: str, state: Path) -> None:
        super().__init__(amqp_address(url), state)
        self._connection: Any = None
        self._channel: Any = None

    def _connect(self) -> None:
        pika, address = optional("pika", "streams"), self.address
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it logs is raised as well
        user, password = address.user or "guest", address.password or "guest"
        secure = ssl.create_default_context() if address.scheme == "amqps" else None
        self._connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                host=address.host,
                port=address.port,
                virtual_host=address.path or "/",
                credentials=pika.PlainCredentials(user, password),
                ssl_options=pika.SSLOptions(secure, address.host) if secure else None,
                heartbeat=_HEARTBEAT_S,  # so that waiting ends when the broker has died
                blocked_connection_timeout=TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
                stack_timeout=2 * TIMEOUT_S,
            )
        )
        if "queue" in address.query:
            self._declare(address.query["queue"])
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def _declare(self, queue: str) -> None:
        channel = self._connection.channel()
        try:
            channel.queue_declare(queue, passive=True)  # as it is, whatever its arguments
        except optional("pika", "streams").exceptions.ChannelClosedByBroker as error:
            if error.reply_code != 404:
                raise
            self._connection.channel().queue_declare(queue, durable=True)

    def _publish(self, batch: list[Message]) -> None:
        query = self.address.query
        key = query.get("queue") or query.get("routing_key", "")
        for message in batch:
            self._channel.basic_publish(
                query.get("exchange", ""),
                key,
                message.body,
                properties=optional("pika", "streams").BasicProperties(
                    content_type="application/json", delivery_mode=2, message_id=message.id
                ),
                mandatory=True,
            )

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(*self._errors()):
                self._connection.close()
        self._connection = self._channel = None

    def _errors(self) -> tuple[type[Exception], ...]:
        return (OSError, optional("pika", "streams").exceptions.AMQPError)
