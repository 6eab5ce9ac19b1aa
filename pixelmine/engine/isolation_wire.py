"""How a decoding process and its parent talk: JSON and raw numbers, never anything that runs.

    message   b"pxm", flags (uint8), header bytes (uint32), blob bytes (uint64); header; blob
    request   {...}                            and the picture's bytes, in a slot or a file
    answer    [number, {...}, [dtype, shape]]  and the array, C-order; a message a frame
              [number, {...}, null]            a frame without an array
              [number, null, null]             the end, where the last frame did not say so
              [number, "what went wrong"]      the target raised: a mistake in our code
              []                               ready, before all others; later: still at it

The parent trusts none of it: a decoder that was taken over writes what it likes.
"""

import json
import os
import socket
import struct
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .isolation_memory import ANSWER_BYTES, REQUEST_BYTES, Shared, holding

__all__ = [
    "Data",
    "Frame",
    "Outgoing",
    "Reader",
    "TooLongError",
    "Values",
    "WireError",
    "end_message",
    "ready_message",
    "receive_request",
    "request_header",
    "send_request",
    "widen",
]

Values = dict[str, Any]
Data = bytes | bytearray | memoryview

_MAGIC = b"pxm"
_PREFIX = struct.Struct("<3sBIQ")
_BEHIND, _SLOT, _FILE = range(3)
"""Where a blob is: behind the header, in a slot of the shared memory, in a file sent along."""
_LAST = 4
"""Flag: the answer ends with this message."""
_REQUEST_HEADER_BYTES = 2**15
"""DEPTH of these fit into any system's socket buffer: to send a request never has to wait."""
_HEADER_BYTES = 2**22
_MAX_AXES = 8
_DTYPES = {
    kind: np.dtype(kind)
    for kind in ("|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8")
}
_AHEAD = 16 * 2**10
"""Bytes asked for at once: one system call for a whole small answer, each of which is a turn at the
interpreter's lock; the part of a large one that comes along is copied once more, 2 microseconds."""
_SOCKET_BYTES = 4 * 2**20
"""Asked for as a socket's buffer (systems grant less): a worker puts its answer in and goes on."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


class WireError(ValueError):
    """What came is no message."""


class TooLongError(ValueError):
    """A frame has so much to say that the parent would not listen."""


class Frame(NamedTuple):
    """One message of an answer. `values`: None where it ends; `error`: of the target."""

    number: int
    last: bool
    values: Values | None
    array: np.ndarray | None
    error: str | None = None


def ready_message() -> bytes:
    """What a worker says first, and while a picture takes long."""
    return _message([])


def end_message(number: int, error: str | None = None) -> bytes:
    """The end of an answer: there are no more frames, or the target raised."""
    return _message([number, None, None] if error is None else [number, error])


def request_header(values: Values) -> bytes:
    """A request's JSON. Raises TypeError for what is not, ValueError for too much of it."""
    text = _encode(values).encode()
    if len(text) > _REQUEST_HEADER_BYTES:
        raise ValueError(f"A header must have at most {_REQUEST_HEADER_BYTES} bytes.")
    return text


def send_request(
    sock: socket.socket, shared: Shared, number: int, header: bytes, data: Data
) -> None:
    """Send a request without ever waiting. Raises OSError where the worker is gone."""
    size = len(data)
    place = _SLOT if size <= REQUEST_BYTES else _FILE
    message = _PREFIX.pack(_MAGIC, place, len(header), size) + header
    if place == _SLOT:
        shared.request(number, size)[:] = data
        sent = sock.send(message, socket.MSG_DONTWAIT)
    else:
        descriptor = holding(data)
        try:
            sent = socket.send_fds(sock, [message], [descriptor], socket.MSG_DONTWAIT)
        finally:
            os.close(descriptor)
    if sent < len(message):
        raise BlockingIOError("the worker does not read")


def receive_request(sock: socket.socket, shared: Shared, number: int) -> tuple[Values, bytes]:
    """The next request, from the parent, who is trusted. Raises EOFError where there is none."""
    prefix, files, _, _ = socket.recv_fds(sock, _PREFIX.size, 1)
    if len(prefix) < _PREFIX.size:
        raise EOFError
    _, place, length, size = _PREFIX.unpack(prefix)
    header = json.loads(sock.recv(length, socket.MSG_WAITALL))
    if place == _SLOT:
        return header, bytes(shared.request(number, size))
    try:
        return header, os.pread(files[0], size, 0)
    finally:
        os.close(files[0])


class Outgoing:
    """A frame on its way out of a worker, which does not depend on what its array becomes next.

    Its array is in the slot, for the first frame of an answer and where it fits (`raw` is None);
    else it must be sent at once. Raises TypeError for a dtype not listed, TooLongError.
    """

    def __init__(
        self, number: int, index: int, values: Values, array: np.ndarray | None, shared: Shared
    ) -> None:
        self._size, self._place = 0, _BEHIND
        self.raw: memoryview | None = None
        kind = None
        if array is not None:
            if array.dtype.str not in _DTYPES or array.ndim > _MAX_AXES:
                raise TypeError(f"An array must hold numbers. Got {array.dtype} {array.shape}.")
            kind, self._size = [array.dtype.str, array.shape], array.nbytes
            self.raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
            if index == 0 and self._size <= ANSWER_BYTES:
                shared.answer(number, self._size)[:] = self.raw
                self._place, self.raw = _SLOT, None
        self._text = _text([number, values, kind])

    def send(self, sock: socket.socket, last: bool) -> None:
        """Send it. `last`: no other frame follows."""
        flags = self._place | (_LAST if last else 0)
        sock.sendall(_PREFIX.pack(_MAGIC, flags, len(self._text), self._size) + self._text)
        if self.raw is not None:
            sock.sendall(self.raw)


def _message(header: list[Any]) -> bytes:
    text = _text(header)
    return _PREFIX.pack(_MAGIC, _LAST, len(text), 0) + text


def _text(header: list[Any]) -> bytes:
    text = _encode(header).encode()
    if len(text) > _HEADER_BYTES:
        raise TooLongError
    return text


def widen(sock: socket.socket) -> None:
    """Ask for a large buffer."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)


class Reader:
    """Reads what a worker says.

    `answer_bytes`: the most that one answer may have, all frames. `silent`: called when nothing
    came for `silence_s` seconds; reading goes on unless it raises.
    """

    def __init__(
        self,
        sock: socket.socket,
        shared: Shared,
        answer_bytes: int,
        silence_s: float,
        silent: Callable[[], None],
    ) -> None:
        self._sock, self._shared, self._silent = sock, shared, silent
        whole = int(silence_s)  # the kernel's timer: Python's asks the kernel twice each time
        timeval = struct.pack("@ll", whole, int((silence_s - whole) * 1e6) + 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        self._answer_bytes = self._left = answer_bytes
        self._ahead = memoryview(bytearray(_AHEAD))
        self._start = self._end = 0

    def ready(self) -> None:
        """Wait for the first message. Raises EOFError, OSError or WireError, as `frame` does."""
        if self._header() != ([], 0, _LAST):
            raise WireError("it does not begin with being ready")

    def frame(self) -> Frame:
        """Wait for the next frame of an answer."""
        header, size, flags = self._header()
        while header == []:
            header, size, flags = self._header()
        last, place = bool(flags & _LAST), flags & ~_LAST
        match header:
            case [int(number), None, None] if last and not size:
                frame = Frame(number, True, None, None)
            case [int(number), dict(values), None] if not size:
                frame = Frame(number, last, values, None)
            case [int(number), dict(values), [str(dtype), list(shape)]]:
                array = self._array(dtype, shape, size)
                self._fill_array(array, number, place)
                frame = Frame(number, last, values, array)
            case [int(number), str(error)] if last and not size:
                frame = Frame(number, True, None, None, error)
            case _:
                raise WireError("it is not a frame")
        if frame.last:
            self._left = self._answer_bytes
        return frame

    def _header(self) -> tuple[Any, int, int]:
        self._fill(_PREFIX.size)
        magic, flags, header, size = _PREFIX.unpack_from(self._ahead, self._start)
        self._start += _PREFIX.size
        self._left -= header + size
        if magic != _MAGIC or header > _HEADER_BYTES or self._left < 0:
            raise WireError("it is not a message, or too long")
        try:
            return json.loads(self._text(header)), size, flags
        except (ValueError, RecursionError) as error:
            raise WireError("its header is not JSON") from error

    def _text(self, size: int) -> str:
        if size > _AHEAD:
            text = bytearray(size)
            self._into(memoryview(text))
            return str(text, "utf-8")
        self._fill(size)
        self._start += size
        return str(self._ahead[self._start - size : self._start], "utf-8")

    def _array(self, dtype: str, shape: list[Any], size: int) -> np.ndarray:
        kind = _DTYPES.get(dtype)
        axes = len(shape) <= _MAX_AXES and all(type(n) is int and 0 <= n < 2**31 for n in shape)
        if kind is None or not axes or prod(shape) * kind.itemsize != size:
            raise WireError("its array is not what it says")
        try:
            return np.empty(shape, kind)
        except (ValueError, MemoryError) as error:
            raise WireError("its array cannot be held") from error

    def _fill_array(self, array: np.ndarray, number: int, place: int) -> None:
        view, size = array.reshape(-1).view(np.uint8).data, array.nbytes
        if place == _BEHIND:
            self._into(view)
        elif place == _SLOT and size <= ANSWER_BYTES:
            view[:] = self._shared.answer(number, size)
        else:
            raise WireError("its array is nowhere")

    def _into(self, view: memoryview) -> None:
        """Fill `view` with what was read ahead, then from the socket."""
        done = min(len(view), self._end - self._start)
        view[:done] = self._ahead[self._start : self._start + done]
        self._start += done
        while done < len(view):
            done += self._receive(view[done:], socket.MSG_WAITALL)

    def _fill(self, size: int) -> None:
        """Have at least `size` bytes read ahead."""
        if self._end - self._start >= size:
            return
        if self._start:
            rest = bytes(self._ahead[self._start : self._end])
            self._ahead[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        while self._end < size:
            self._end += self._receive(self._ahead[self._end :])

    def _receive(self, view: memoryview, flags: int = 0) -> int:
        while True:
            try:
                got = self._sock.recv_into(view, 0, flags)
            except BlockingIOError:
                self._silent()
                continue
            if not got:
                raise EOFError
            return got
