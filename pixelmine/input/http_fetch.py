"""Pictures over HTTP: bytes or a reason, whatever the server does.

Proxies of the environment are not used: over a proxy the address check would mean nothing. Nor are
cookies. Certificates are checked against certifi's list, or `$SSL_CERT_FILE` or `$SSL_CERT_DIR`.
"""

import random
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import httpcore
import httpx

from pixelmine.core import Limits, Reason

from .http_body import header, read_body
from .http_guard import Deadline, GuardedBackend, PrivateAddressError, Resolve, resolve
from .http_hosts import Host, Hosts
from .http_options import HttpOptions
from .http_target import Target

__all__ = ["Fetcher"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASONS = {
    401: Reason.DENIED,
    403: Reason.DENIED,
    404: Reason.NOT_FOUND,
    410: Reason.NOT_FOUND,
}


@dataclass(frozen=True)
class _Again:
    """A failure that may pass. `pause_s`: what the server asks for."""

    reason: Reason
    pause_s: float | None = None


@dataclass(frozen=True)
class _Redirect:
    location: str


class Fetcher:
    """Fetches from many threads; connections are kept open and shared. Close it at the end.

    A call blocks for at most `total_timeout_s`, a name server's own timeout, and its turn at the
    host.
    """

    def __init__(self, options: HttpOptions | None = None, *, resolve: Resolve = resolve) -> None:
        self._options = options = options or HttpOptions()
        self._backend = GuardedBackend(allow_private=options.allow_private, resolve=resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=options.connections,
            keepalive_expiry=5.0,
            network_backend=self._backend,
        )
        self._hosts, self._closed = Hosts(options), threading.Event()
        self._turns = threading.BoundedSemaphore(options.connections)
        self._agent = options.user_agent or _agent()
        self._timeouts = {
            "connect": options.connect_timeout_s,
            "read": options.read_timeout_s,
            "write": options.read_timeout_s,
        }

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; threads that still wait come back soon, with a reason."""
        self._closed.set()
        self._pool.close()

    def fetch(self, row: Mapping[str, Any], limits: Limits) -> bytes | Reason:
        """The bytes behind a row's `address`, or its `uri` where it has none."""
        target = Target.parse(row["address"] or row["uri"])
        deadline = Deadline(self._options.total_timeout_s)
        for _ in range(self._options.max_redirects + 1):
            if isinstance(target, Reason):
                return target
            answer = self._ask(target, limits, deadline)
            if not isinstance(answer, _Redirect):
                return answer
            target = target.redirected(answer.location)
            if deadline.left() <= 0:
                return Reason.SOURCE_TIMEOUT
        return target if isinstance(target, Reason) else Reason.SERVER_ERROR

    def _ask(
        self, target: Target, limits: Limits, deadline: Deadline
    ) -> bytes | Reason | _Redirect:
        """One URL, as often as its failures may pass."""
        with self._hosts.at(target.host) as host:
            with deadline.paused():
                host.turns.acquire()
                self._turns.acquire()
            try:
                return self._attempts(host, target, limits, deadline)
            finally:
                self._turns.release()
                host.turns.release()

    def _attempts(
        self, host: Host, target: Target, limits: Limits, deadline: Deadline
    ) -> bytes | Reason | _Redirect:
        answer: bytes | Reason | _Redirect | _Again = Reason.UNREACHABLE
        for attempt in range(self._options.attempts):
            if (refused := host.refused()) is not None:
                return refused
            answer = self._attempt(host, target, limits, deadline)
            if not isinstance(answer, _Again):
                return answer
            pause = answer.pause_s
            if pause is None:
                most = self._options.backoff_s * 2**attempt
                pause = random.uniform(most / 2, most)  # noqa: S311 -- spreads load, hides nothing
            elif pause > self._options.max_retry_after_s:
                break
            last = attempt == self._options.attempts - 1
            if last or pause >= deadline.left() or self._closed.wait(pause):
                break
        return answer.reason if isinstance(answer, _Again) else answer

    def _attempt(
        self, host: Host, target: Target, limits: Limits, deadline: Deadline
    ) -> bytes | Reason | _Redirect | _Again:
        answered = False
        try:
            with (
                self._backend.until(deadline),
                self._pool.stream(
                    "GET",
                    httpcore.URL(
                        scheme=target.scheme,
                        host=target.host,
                        port=target.port,
                        target=target.url.raw_path,
                    ),
                    headers=target.headers(self._agent),
                    extensions={"timeout": self._timeouts},
                ) as response,
            ):
                answered = True
                host.answered()
                return self._answer(response, limits)
        except PrivateAddressError:
            host.answered()
            return Reason.PRIVATE_ADDRESS
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return self._failure(error, answered, host, deadline)

    def _answer(
        self, response: httpcore.Response, limits: Limits
    ) -> bytes | Reason | _Redirect | _Again:
        status = response.status
        if 200 <= status < 300:
            return read_body(response, limits.max_bytes, self._options)
        if status in _REDIRECTS and (location := header(response, b"location")):
            return _Redirect(location.decode("utf-8", "replace"))
        if status == 429 or status >= 500:
            return _Again(Reason.SERVER_ERROR, _retry_after(header(response, b"retry-after")))
        return _REASONS.get(status, Reason.SERVER_ERROR)

    def _failure(
        self, error: Exception, answered: bool, host: Host, deadline: Deadline
    ) -> Reason | _Again:
        if isinstance(error, httpcore.TimeoutException):
            connecting = isinstance(error, httpcore.ConnectTimeout) and deadline.left() > 0
            reason = Reason.UNREACHABLE if connecting else Reason.SOURCE_TIMEOUT
            if not answered:
                host.failed(reason)
            return _Again(reason) if connecting else reason
        if answered:
            return _Again(Reason.TRUNCATED)
        if isinstance(error, httpcore.ProtocolError):
            return _Again(Reason.SERVER_ERROR)
        host.failed(Reason.UNREACHABLE)
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return Reason.UNREACHABLE
        return _Again(Reason.UNREACHABLE)


def _retry_after(value: bytes) -> float | None:
    """Seconds, from a number of them or a date (RFC 9110, 10.2.3); None where it says neither."""
    text = value.decode("ascii", "replace")
    if text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _agent() -> str:
    from importlib.metadata import version

    return f"pixelmine/{version('pixelmine')}"
