"""What is known of each host: how many ask it now, and whether it answers at all."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from pixelmine.core import Reason

from .http_options import HttpOptions

__all__ = ["Host", "Hosts"]


class Host:
    """One host's turns, and its run of failures.

    A host that does not answer for a while is left alone: without that, ten thousand URLs of a dead
    host would each wait for it. A short outage does not trip it, since every row that is asked in
    the pause fails at once. When the pause is over one row tries.
    """

    def __init__(self, options: HttpOptions) -> None:
        self.turns = threading.BoundedSemaphore(options.connections_per_host)
        self.users = 0
        self._options, self._lock = options, threading.Lock()
        self._failures, self._since, self._pause_until = 0, 0.0, 0.0
        self._reason = Reason.UNREACHABLE

    def refused(self) -> Reason | None:
        """Why the host is not asked now; None lets the caller ask."""
        with self._lock:
            now = time.monotonic()
            if now < self._pause_until:
                return self._reason
            if self._pause_until:
                self._pause_until = now + self._options.host_pause_s  # the others wait for this one
            return None

    def failed(self, reason: Reason) -> None:
        """No connection, or no answer in time."""
        with self._lock:
            now = time.monotonic()
            if not self._failures:
                self._since = now
            self._failures, self._reason = self._failures + 1, reason
            if (
                self._failures >= self._options.host_failures
                and now - self._since >= self._options.host_failing_s
            ):
                self._pause_until = now + self._options.host_pause_s

    def answered(self) -> None:
        """Whatever the answer was: the host lives."""
        with self._lock:
            self._failures, self._pause_until = 0, 0.0


class Hosts:
    """The hosts used last, at most `max_hosts` and those in use."""

    def __init__(self, options: HttpOptions) -> None:
        self._options, self._lock = options, threading.Lock()
        self._hosts: OrderedDict[str, Host] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hosts)

    @contextmanager
    def at(self, name: str) -> Iterator[Host]:
        """The host of a name, kept as long as it is in use."""
        with self._lock:
            host = self._hosts.setdefault(name, Host(self._options))
            self._hosts.move_to_end(name)
            host.users += 1
        try:
            yield host
        finally:
            with self._lock:
                host.users -= 1
                self._forget()

    def _forget(self) -> None:
        while len(self._hosts) > self._options.max_hosts:
            idle = next((name for name, host in self._hosts.items() if not host.users), None)
            if idle is None:
                return
            del self._hosts[idle]
