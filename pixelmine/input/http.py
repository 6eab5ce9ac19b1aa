"""Pictures behind http and https URLs. Nothing is fetched when they are listed."""

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import canonical_uri, digest, row_id

from .http_options import HttpOptions
from .rows import batches
from .source import SourceOptions

if TYPE_CHECKING:
    from .http_fetch import Fetcher

__all__ = ["HttpOptions", "HttpSource", "fetch_row", "url_row"]

_SIGNED_BY_PREFIX = ("x-amz-", "x-goog-")
_SIGNED_WITH = {
    "signature": {
        *("signature", "expires", "policy", "key-pair-id", "awsaccesskeyid", "googleaccessid")
    },
    "sig": {
        *("sig", "se", "st", "sp", "sv", "sr", "sip", "spr", "skoid", "sktid", "skt", "ske"),
        *("sks", "skv", "ss", "srt", "sdd"),
    },
}
"""What a signature (the key) brings along: CloudFront and older S3 and Google; Azure."""


_MAKING = threading.Lock()


class HttpSource:
    """One URL, one row."""

    def __init__(self, text: str, options: SourceOptions) -> None:  # noqa: ARG002 -- as all sources
        self._row = url_row(text)
        if self._row["reason"] is not None:
            raise SourceError(
                f"The URL of {len(text)} characters makes no sense: it must be "
                "http://HOST/PATH or https://HOST/PATH, in quotes where it has a `&`."
            )

    @property
    def uri(self) -> str:
        """Without user, password, query and fragment."""
        return str(self._row["uri"])

    def list(self) -> Iterator[pa.RecordBatch]:
        """Its row."""
        yield from batches([self._row])


def url_row(url: str) -> dict[str, Any]:
    """The LISTING row of an http or https URL, as a dict of the columns that say something.

    `uri` has no query, which can be a signature; pictures that differ in nothing else are told
    apart by `member`, the first 16 digits of the query's digest, without what signs it: a URL that
    is signed anew is the same row. What is no URL is a row with reason `unreadable`, named by a
    digest.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        uri = canonical_uri(url) if fits else ""
    except ValueError:
        uri = ""
    if not uri:
        uri = f"invalid:{digest(url)[:32]}"
        return _row(uri, "", address=None, reason=Reason.UNREADABLE)
    query = _without_signature(parts.query)
    return _row(uri, digest(query)[:16] if query else "", address=url, reason=None)


def fetch_row(
    row: Mapping[str, Any], limits: Limits, allow_private: bool = False
) -> bytes | Reason:
    """The bytes of a row, or why there are none; from any number of threads at once.

    Private addresses are refused unless `allow_private`. Connections are kept and shared by all
    calls of the process.
    """
    with _MAKING:
        fetcher = _fetcher(os.getpid(), HttpOptions(allow_private=allow_private))
    return fetcher.fetch(row, limits)


@lru_cache(maxsize=8)
def _fetcher(process: int, options: HttpOptions) -> "Fetcher":  # noqa: ARG001 -- of the key
    from .http_fetch import Fetcher

    fetcher = Fetcher(options)
    atexit.register(fetcher.close)
    return fetcher


def _row(uri: str, member: str, **more: Any) -> dict[str, Any]:
    return {"row_id": row_id(uri, member), "uri": uri, "member": member, "frame": 0, **more}


def _without_signature(query: str) -> str:
    """The query as it is written, without the parameters that sign it."""
    pairs = [(pair, pair.partition("=")[0].lower()) for pair in query.split("&") if pair]
    names = {name for _, name in pairs}
    signing = set[str]().union(*(also for key, also in _SIGNED_WITH.items() if key in names))
    return "&".join(
        pair
        for pair, name in pairs
        if name not in signing and not name.startswith(_SIGNED_BY_PREFIX)
    )
