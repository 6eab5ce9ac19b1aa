"""Where a request goes: one URL, and what a redirect may make of it."""

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import httpx

from pixelmine.core import Reason

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """A URL that can be asked. Its text may hold a signature, so it shows its host only."""

    scheme: str
    host: str
    port: int
    url: httpx.URL = field(repr=False)
    authorization: bytes | None = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Target | Reason":
        """A user and password in the URL are sent to its host as HTTP Basic (RFC 7617)."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            return Reason.UNREADABLE
        basic = None
        if url.userinfo:
            user, _, password = url.userinfo.partition(b":")
            basic = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        return cls._of(url, b"Basic " + b64encode(basic) if basic else None)

    @classmethod
    def _of(cls, url: httpx.URL, authorization: bytes | None) -> "Target | Reason":
        port = url.port if url.port is not None else 443 if url.scheme == "https" else 80
        if url.scheme not in ("http", "https") or not url.host or not 0 < port < 2**16:
            return Reason.UNREADABLE
        return cls(url.scheme, url.raw_host.decode("ascii"), port, url, authorization)

    def redirected(self, location: str) -> "Target | Reason":
        """Where a redirect leads; `denied` for another scheme, and from https back to http.

        A user and password in the redirect are dropped; those of the URL stay with its own origin.
        """
        try:
            url = self.url.join(location).copy_with(userinfo=b"")
        except httpx.InvalidURL:
            return Reason.SERVER_ERROR
        if url.scheme not in ("http", "https") or (self.scheme, url.scheme) == ("https", "http"):
            return Reason.DENIED
        target = self._of(url, self.authorization)
        if isinstance(target, Reason):
            return Reason.SERVER_ERROR
        if (target.scheme, target.host, target.port) == (self.scheme, self.host, self.port):
            return target
        return Target(target.scheme, target.host, target.port, target.url, None)

    def headers(self, user_agent: str) -> list[tuple[bytes, bytes]]:
        """Of a request; no compression is asked for, since pictures have their own."""
        headers = [
            (b"Host", self.url.netloc),
            (b"User-Agent", user_agent.encode("ascii")),
            (b"Accept", b"image/*,*/*;q=0.5"),
            (b"Accept-Encoding", b"identity"),
        ]
        if self.authorization:
            headers.append((b"Authorization", self.authorization))
        return headers
