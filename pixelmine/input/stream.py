"""What streams have in common: their address, and a message as a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from pixelmine.core import Reason
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import row_id

from .rows import Row, row

__all__ = ["Address", "message_row", "stream_address"]

_MOST_META, _LONGEST_META = 64, 1000
"""Entries and characters: a sender cannot fill the tables with what is no picture."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address of a stream, taken apart. `place`: scheme, host and port, which may be shown."""

    place: str
    scheme: str
    host: str
    port: int
    path: str
    options: Mapping[str, str]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def stream_address(text: str, port: int, options: Mapping[str, str]) -> Address:
    """Take an address apart; `port` and `options` (`?name=value`) are those where none are given.

    Raises UsageError, which does not repeat the address: it may hold a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or port
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise UsageError("The address of a stream is not well formed.") from None
    if not parts.hostname:
        raise UsageError(f"A {parts.scheme}:// address must name a host, and what to read there.")
    unknown = sorted({name for name, _ in given} - options.keys())
    if unknown:
        known = ", ".join(sorted(options))
        raise UsageError(f"A {parts.scheme}:// address takes the options {known}. Got {unknown}.")
    if not all(value for _, value in given):
        raise UsageError(f"An option of the {parts.scheme}:// address has no value.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        place=f"{parts.scheme.lower()}://{host}:{port}",
        scheme=parts.scheme.lower(),
        host=parts.hostname,
        port=port,
        path=unquote(parts.path.strip("/")),
        options={**options, **dict(given)},
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def message_row(
    uri: str,
    member: str,
    data: bytes,
    mtime_ns: int,
    said: Iterable[tuple[str, str]],
    max_bytes: int,
) -> Row:
    """The LISTING row of one message. `said`: `label` and `group`, anything else goes to `meta`."""
    known = {name: value[:_LONGEST_META] for name, value in said if value}
    label, group = known.pop("label", None), known.pop("group", None)
    large = len(data) > max_bytes
    return row(
        uri,
        member,
        row_id=row_id(uri, member),
        size=len(data),
        mtime_ns=mtime_ns,
        label=label,
        group=group,
        meta=[*known.items()][:_MOST_META],
        reason=Reason.TOO_LARGE_FILE if large else None if data else Reason.EMPTY,
        data=data if data and not large else None,
    )
