"""How politely, and for how long, pictures are asked for over HTTP."""

from dataclasses import dataclass

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

__all__ = ["HttpOptions"]


@dataclass(frozen=True, kw_only=True)
class HttpOptions:
    """Options of a `Fetcher`.

    `connections`, `connections_per_host`: open at a time; 4 is what a small server bears, and
    fewer than browsers use (6). `connect_timeout_s`: for all addresses of a host together, and
    for the TLS handshake. `read_timeout_s`: between two pieces. `total_timeout_s`: for one
    picture, with retries and redirects, without waiting for its turn at the host.
    `min_bytes_per_s`: on average, once `read_timeout_s` have passed, so that a server that drips
    does not hold a connection to the end. `attempts`: in all, after a lost connection or the
    statuses 429 and 5xx; `backoff_s` is the first pause, doubled each time, half to all of it by
    chance. `max_retry_after_s`: a server that asks for more is not waited for. A host with
    `host_failures` failures and no answer between them over `host_failing_s` is left alone for
    `host_pause_s`. `max_hosts`: remembered. `allow_private`: whether addresses of private
    networks may be asked.
    """

    connections: int = 32
    connections_per_host: int = 4
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 10.0
    total_timeout_s: float = 60.0
    min_bytes_per_s: int = 1000
    attempts: int = 3
    backoff_s: float = 0.5
    max_retry_after_s: float = 30.0
    max_redirects: int = 5
    host_failures: int = 3
    host_failing_s: float = 10.0
    host_pause_s: float = 30.0
    max_hosts: int = 10_000
    allow_private: bool = False
    user_agent: str | None = None
    """None is `pixelmine/VERSION`."""

    def __post_init__(self) -> None:
        for name in (
            "connections",
            "connections_per_host",
            "connect_timeout_s",
            "read_timeout_s",
            "total_timeout_s",
            "attempts",
            "backoff_s",
            "host_failures",
            "host_pause_s",
            "max_hosts",
        ):
            check_positive(name, getattr(self, name))
        for name in ("min_bytes_per_s", "max_retry_after_s", "max_redirects", "host_failing_s"):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} must be 0 or more. Got {getattr(self, name)} instead.")
        agent = self.user_agent
        if agent is not None and not (agent.isascii() and agent.isprintable() and agent.strip()):
            raise UsageError(f"user_agent must be printable ASCII. Got {agent!r} instead.")
