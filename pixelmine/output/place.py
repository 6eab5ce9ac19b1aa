"""Which sink a text after `--out` stands for, and how a run is named by it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import canonical_uri, file_uri
from pixelmine.core.registry import Registry

from .address import Address
from .file import FileSink
from .folder import PartsFolderSink
from .partitioned import PARTITIONS, PartitionedSink
from .sink import Sink

__all__ = ["SINKS", "canonical_out", "is_url", "open_sink", "places"]

SINKS: Registry[Callable[[str, Path], Sink]] = Registry(
    "destination",
    {
        "postgresql": "pixelmine.output.sql:SqlSink",
        "mysql": "pixelmine.output.sql:SqlSink",
        "mariadb": "pixelmine.output.sql:SqlSink",
        "sqlite": "pixelmine.output.sql:SqlSink",
        "nats": "pixelmine.output.nats_stream:NatsSink",
        "redis": "pixelmine.output.redis_stream:RedisSink",
        "rediss": "pixelmine.output.redis_stream:RedisSink",
        "amqp": "pixelmine.output.amqp_queue:AmqpSink",
        "amqps": "pixelmine.output.amqp_queue:AmqpSink",
        "http": "pixelmine.output.webhook:WebhookSink",
        "https": "pixelmine.output.webhook:WebhookSink",
    },
)
"""Destinations by the scheme of their URL: called with the URL and the run's state folder."""

_ADDRESSES: Registry[Callable[[str], Address]] = Registry(
    "destination",
    {
        **dict.fromkeys(
            ("postgresql", "mysql", "mariadb", "sqlite"), "pixelmine.output.sql:sql_address"
        ),
        "nats": "pixelmine.output.nats_stream:nats_address",
        **dict.fromkeys(("redis", "rediss"), "pixelmine.output.redis_stream:redis_address"),
        **dict.fromkeys(("amqp", "amqps"), "pixelmine.output.amqp_queue:amqp_address"),
        **dict.fromkeys(("http", "https"), "pixelmine.output.webhook:webhook_address"),
    },
)

_URL: Final = "://"


def is_url(out: str) -> bool:
    """Whether a destination is a URL, not a path."""
    return _URL in out


def open_sink(
    out: str, state: Path, endless: bool = False, partition_by: str | None = None
) -> Sink:
    """The sink for a destination; `state` is the run's folder. Nothing is opened yet.

    A URL: by its scheme, SINKS. `FILE.jsonl` (or .csv, .parquet, .arrow): a file at the end; of an
    `endless` run a folder of that name with numbered files of that format. `FOLDER/`, or a folder
    that is there: Parquet files, split by `partition_by` if given; of an endless run numbered
    Parquet files. Raises UsageError.
    """
    if partition_by is not None:
        check_one_of("partition by", partition_by, PARTITIONS)
    folder = not is_url(out) and (out.endswith(os.sep) or Path(out).is_dir())
    if partition_by is not None and (not folder or endless):
        raise UsageError(
            "Only a folder of a run that ends can be split by a column: give --out FOLDER/."
        )
    if is_url(out):
        return SINKS.get(_scheme(out))(out, state)
    path = Path(os.path.abspath(out))
    if endless:
        return PartsFolderSink(path, state)
    return PartitionedSink(path, state, partition_by) if folder else FileSink(path, state)


def canonical_out(out: str) -> str:
    """Names a destination, without user, password and whatever else may be a secret."""
    if not is_url(out):
        return file_uri(Path(out))
    scheme = _scheme(out)
    if scheme not in _ADDRESSES.names():  # one that was registered by others
        return canonical_uri(out)
    return _ADDRESSES.get(scheme)(out).canonical


def places() -> str:
    """The schemes that are known, for messages."""
    return ", ".join(f"{name}://" for name in SINKS.names())


def _scheme(out: str) -> str:
    return out.partition(_URL)[0].lower()
