"""The bytes of an answer, never more than the limit of them."""

import io
import time
import zlib
from typing import Any

import httpcore

from pixelmine.core import Reason

from .http_options import HttpOptions

__all__ = ["header", "read_body"]

_PIECE = 2**16
_PACKED = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""Window bits of zlib for each coding (RFC 9110, 8.4.1)."""


def header(response: httpcore.Response, name: bytes) -> bytes:
    """The last value of a header, without blanks around it; empty where there is none."""
    return next((v.strip() for k, v in reversed(response.headers) if k.lower() == name), b"")


def read_body(response: httpcore.Response, max_bytes: int, options: HttpOptions) -> bytes | Reason:
    """All bytes, or the reason. A body is unpacked piece by piece where a server packs it unasked.

    A longer `Content-Length` than the limit is not read at all; without one, at most a piece more
    than the limit is. Raises httpcore's errors where the connection is lost.
    """
    length = header(response, b"content-length")
    if length.isdigit() and int(length[:20]) > max_bytes:
        return Reason.TOO_LARGE_FILE
    coding = header(response, b"content-encoding").lower()
    if coding not in (b"", b"identity", *_PACKED):
        return Reason.SERVER_ERROR
    body = io.BytesIO()  # hands its bytes over without a copy
    unpack = zlib.decompressobj(_PACKED[coding]) if coding in _PACKED else None
    start, wire = time.monotonic(), 0
    for piece in response.iter_stream():
        wire += len(piece)
        taken = time.monotonic() - start
        if taken > options.read_timeout_s and wire < options.min_bytes_per_s * taken:
            return Reason.SOURCE_TIMEOUT
        if wire > max_bytes:
            return Reason.TOO_LARGE_FILE
        if unpack is None:
            body.write(piece)
        elif (problem := _unpack(unpack, piece, body, max_bytes)) is not None:
            return problem
    return Reason.TRUNCATED if unpack and wire and not unpack.eof else body.getvalue()


def _unpack(unpack: Any, piece: bytes, body: io.BytesIO, max_bytes: int) -> Reason | None:
    while piece and not unpack.eof:
        try:
            body.write(unpack.decompress(piece, _PIECE))
        except zlib.error:
            return Reason.CORRUPT
        if body.tell() > max_bytes:
            return Reason.TOO_LARGE_FILE
        piece = unpack.unconsumed_tail
    return None
