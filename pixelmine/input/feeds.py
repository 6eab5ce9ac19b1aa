"""Which feed a text stands for: a source that never ends."""

import re
from collections.abc import Callable
from pathlib import Path

from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry

from .source import Feed, SourceOptions
from .watch import Done, WatchFeed

__all__ = ["FEEDS", "is_feed", "open_feed"]

FEEDS: Registry[Callable[[str, SourceOptions], Feed]] = Registry(
    "stream",
    {
        "nats": "pixelmine.input.stream_nats:NatsFeed",
        "redis": "pixelmine.input.stream_redis:RedisFeed",
        "rediss": "pixelmine.input.stream_redis:RedisFeed",
        "watch": "pixelmine.input.watch:WatchFeed",
    },
)
"""Feeds by the scheme of their address, called with it and the options. `watch` is a folder that is
watched, which has no address of its own."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def is_feed(text: str | Path) -> bool:
    """Whether a text is the address of a stream: it never ends, watched or not."""
    scheme = _scheme(text)
    return scheme in FEEDS.names() and scheme != "watch"


def open_feed(
    text: str | Path, options: SourceOptions, watch: bool, done: Done | None = None
) -> Feed:
    """The feed that a text names: a stream by its scheme, or a folder that is watched.

    `done`: see `WatchFeed`; a stream itself knows what was acknowledged. Raises UsageError for what
    is no feed, SourceError where it cannot be reached.
    """
    if is_feed(text):
        return FEEDS.get(_scheme(text))(str(text), options)
    if _scheme(text) not in ("", "file"):
        known = ", ".join(name for name in FEEDS.names() if name != "watch")
        raise UsageError(
            f"{_scheme(text)}:// cannot be watched. Give a folder, or a stream of: {known}."
        )
    if not watch:
        raise UsageError(
            f"{text} is not a stream. To go on with new files of a folder, use --watch."
        )
    return WatchFeed(text, options, done=done)


def _scheme(text: str | Path) -> str:
    """In lower case; empty for a path."""
    found = _SCHEME.match(text) if isinstance(text, str) else None
    return found[1].lower() if found else ""
