"""The URL of a destination: taken apart, checked, and shown without its secrets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pixelmine.core.errors import OutputError, UsageError

__all__ = ["Address", "optional"]


@dataclass(frozen=True, kw_only=True)
class Address:
    """A URL's parts, decoded. `path` is without its first slash. `query`: values that are known."""

    scheme: str
    host: str
    port: int
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str, port: int, known: Collection[str] = ()) -> "Address":
        """Take a URL apart; `port` where it has none. Raises UsageError for a query not `known`."""
        try:
            parts = urlsplit(url)
            given = parts.port
        except ValueError as error:
            raise UsageError(f"--out is no valid URL: {_without_userinfo(url)}.") from error
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        unknown = sorted({name for name, _ in pairs} - set(known))
        if unknown or len(dict(pairs)) != len(pairs):
            takes = f"takes {', '.join(sorted(known))}" if known else "takes nothing"
            wrong = f"Got {', '.join(unknown)}." if unknown else "Got one of them twice."
            raise UsageError(f"After the ? a {parts.scheme}:// address {takes}. {wrong}")
        return cls(
            scheme=parts.scheme.lower(),
            host=parts.hostname or "",
            port=given or port,
            path=unquote(parts.path.removeprefix("/")),
            query=dict(pairs),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def shown(self) -> str:
        """For messages: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}" if self.port else f"{self.scheme}://{host}"

    @property
    def canonical(self) -> str:
        """What the destination is, without user and password: a run is named by it."""
        query = f"?{urlencode(sorted(self.query.items()))}" if self.query else ""
        return f"{self.shown}/{self.path}{query}"

    def hide(self, text: object) -> str:
        """One line of another's message, without the password should that be in it."""
        lines = [line.strip() for line in str(text).splitlines()] or [type(text).__name__]
        line = lines[0][:300] or type(text).__name__
        return line.replace(self.password, "***") if self.password else line


def optional(module: str, extra: str) -> Any:
    """Import an optional package. Raises OutputError, naming the extra that brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise OutputError(
            f"Writing there needs {error.name}, which is not installed. Run: "
            f"pip install 'pixelmine[{extra}]'"
        ) from error


def _without_userinfo(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
