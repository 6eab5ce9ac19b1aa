"""Memory that a worker and its parent share: a picture in and its pixels out at one copy each.

A slot each for the requests that a worker may have at hand: the slot of request n is free again
when answer n - DEPTH was taken, and it is not sent before that, so that nobody has to say it.
"""

import fcntl
import mmap
import os
from typing import Any, Self

__all__ = ["ANSWER_BYTES", "DEPTH", "REQUEST_BYTES", "Shared", "holding"]

DEPTH = 4
"""Requests a worker has at hand at once: while it works on one the next is there already."""
REQUEST_BYTES = 2**20
"""Of a slot: most pictures of the web. A page costs memory only once it was used."""
ANSWER_BYTES = 2**20
"""Of a slot: 224 x 224 x 3 float32, or 512 x 512 x 3 uint8."""

_BYTES = DEPTH * (REQUEST_BYTES + ANSWER_BYTES)
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class Shared:
    """The slots, seen from either side. What a worker puts there is copied, then looked at."""

    def __init__(self, descriptor: int) -> None:
        self._map = memoryview(mmap.mmap(descriptor, _BYTES))

    @classmethod
    def create(cls) -> tuple[Self, int]:
        """New slots, and the descriptor for the other side, which is to be closed after use.

        Sealed: a worker that cuts the file short would end its parent by SIGBUS.
        """
        descriptor = os.memfd_create("pixelmine", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, _BYTES)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
            return cls(descriptor), descriptor
        except OSError:
            os.close(descriptor)
            raise

    def close(self) -> None:
        """Let go of the memory."""
        self._map.release()

    def request(self, number: int, size: int) -> memoryview:
        """The first `size` bytes of the slot of a request."""
        start = number % DEPTH * REQUEST_BYTES
        return self._map[start : start + size]

    def answer(self, number: int, size: int) -> memoryview:
        """The first `size` bytes of the slot of an answer."""
        start = DEPTH * REQUEST_BYTES + number % DEPTH * ANSWER_BYTES
        return self._map[start : start + size]


def holding(data: Any) -> int:
    """The descriptor of a file in memory that holds `data`, for what is larger than a slot."""
    descriptor = os.memfd_create("pixelmine", os.MFD_CLOEXEC)
    try:
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += os.pwrite(descriptor, view[done:], done)
        return descriptor
    except OSError:
        os.close(descriptor)
        raise
