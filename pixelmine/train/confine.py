"""Limits on this process before it reads a stranger's file.

They are a second wall: the first is that `guard` lets only data through. Each applies where the
system offers it, and none can be taken back by this process.
"""

import ctypes
import resource
import signal
import socket
from types import FrameType
from typing import Any, NoReturn

from pixelmine.core.errors import TrainError

__all__ = ["confine", "refuse_network"]

_CPU_S = 900
"""Processor time in seconds. Starting TensorFlow and exporting a small network takes 15."""

_GIB = 2**30
_LIMITS = {
    resource.RLIMIT_AS: 32 * _GIB,  # of addresses, of which TensorFlow reserves more than it uses
    resource.RLIMIT_FSIZE: 4 * _GIB,  # twice the largest bundle
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 512,
}
_CLONE_NEWNET = 0x40000000


def confine() -> None:
    """Bound processor time, memory, file size and open files, and cut off the network.

    The number of processes is not bounded: it counts those of the user's other programs too.
    """
    for name, limit in _LIMITS.items():
        _lower(name, limit)
    signal.signal(signal.SIGXCPU, _out_of_time)
    _lower(resource.RLIMIT_CPU, _CPU_S)
    refuse_network()
    _leave_network()


def refuse_network() -> None:
    """Make every attempt of Python code to open a socket fail."""
    socket.socket = _NoSocket  # type: ignore[misc]  # it stands in for a class


class _NoSocket(socket.socket):
    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        raise PermissionError("training and importing open no network connection.")


def _leave_network() -> None:
    """Enter a network namespace with no interface, where the system permits it (Linux, root)."""
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    if unshare is not None:
        unshare(_CLONE_NEWNET)


def _lower(name: int, limit: int) -> None:
    """Lower a soft limit; the hard one of processor time stays above, so that the signal comes."""
    _, hard = resource.getrlimit(name)
    spare = 30 if name == resource.RLIMIT_CPU else 0
    highest = limit + spare if hard == resource.RLIM_INFINITY else min(hard, limit + spare)
    resource.setrlimit(name, (min(limit, highest), highest))


def _out_of_time(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TrainError(f"Taking in the network took more than {_CPU_S} s of processor time.")
