"""Connections over which a list of URLs cannot reach what only this machine can.

A host is resolved here, once, its addresses are checked, and a checked address is what is dialled:
a name cannot resolve to something else in between, and a redirect passes the same check. TLS and
the Host header still go by the name.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext
from typing import Any

import httpcore

__all__ = ["Deadline", "GuardedBackend", "PrivateAddressError", "Resolve", "is_public", "resolve"]

Resolve = Callable[[str, int], list[str]]
"""Host and port to IP addresses as text. Raises OSError where there are none."""

_Dial = Callable[[str, int, float], httpcore.NetworkStream]

_MAX_ADDRESSES = 8
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_6TO4 = IPv6Network("2002::/16")
_DOCUMENTATION = IPv6Network("3fff::/20")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC_V4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))


class PrivateAddressError(Exception):
    """All addresses of a host belong to private networks."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, whatever form it is written in.

    Of IPv6 only global unicast (2000::/3, RFC 4291) is, without documentation, Teredo and 6to4,
    which carry an IPv4 address that a relay would go to. Of an IPv4-mapped or NAT64 address (RFC
    6052) the IPv4 address decides.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped
        if inner is None and found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is None:
            return (
                found.is_global
                and found.scope_id is None
                and found in _GLOBAL_UNICAST
                and found not in _6TO4
                and found not in _DOCUMENTATION
            )
        found = inner
    return (
        found.is_global
        and not found.is_multicast
        and not found.is_reserved
        and not any(found in network for network in _NOT_PUBLIC_V4)
    )


def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver: host to addresses, in the order in which to try them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError as error:  # a name that no resolver takes, such as `a..b`
        raise OSError(f"no name of a host: {error}") from error
    return [str(address[0]) for *_, address in found]


class Deadline:
    """When a picture's time is over, in seconds of the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds, below 0 when it is over."""
        return self.at - time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.at += time.monotonic() - start


class GuardedBackend(httpcore.NetworkBackend):
    """Dials checked addresses; what is read and written ends with the thread's deadline.

    One thread works at one picture at a time, so the deadline is the thread's: a server that drips
    its headers is stopped by it as well, which timeouts between two bytes never do.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolve = resolve) -> None:
        self._allow_private, self._resolve = allow_private, resolve
        self._thread, self._dial = threading.local(), httpcore.SyncBackend()

    @contextmanager
    def until(self, deadline: Deadline) -> Iterator[None]:
        """Set the deadline of what this thread does."""
        self._thread.deadline = deadline
        try:
            yield
        finally:
            del self._thread.deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check, dial. Raises PrivateAddressError before anything is sent."""
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"the host is not known: {error}") from error
        addresses = [a for a in dict.fromkeys(found) if self._allow_private or is_public(a)]
        if not addresses:
            raise PrivateAddressError if found else httpcore.ConnectError("no address")
        dial = partial(
            self._dial.connect_tcp, local_address=local_address, socket_options=socket_options
        )
        return _TimedStream(self._first(addresses[:_MAX_ADDRESSES], port, timeout, dial), self)

    def _first(
        self, addresses: list[str], port: int, timeout: float | None, dial: _Dial
    ) -> httpcore.NetworkStream:
        together = Deadline(self.limit(timeout))
        for left in range(len(addresses), 1, -1):
            try:
                return dial(addresses[-left], port, max(together.left(), 0.001) / left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next address may answer; the last one's error is the one raised
        return dial(addresses[-1], port, max(together.left(), 0.001))

    def limit(self, timeout: float | None) -> float:
        """The smaller of a timeout and what the deadline leaves, in seconds, above 0."""
        deadline: Deadline | None = getattr(self._thread, "deadline", None)
        left = 3600.0 if deadline is None else deadline.left()
        if left <= 0:
            raise httpcore.ReadTimeout("the picture's time is over")
        return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: GuardedBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.limit(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._backend.limit(timeout)
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, limit), self._backend
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
