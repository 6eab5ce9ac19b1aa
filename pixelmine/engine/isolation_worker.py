"""Inside a decoding process: one picture after the other, each against its clock."""

import ctypes
import os
import resource
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import numpy as np

from pixelmine.core import Limits, budget

from .isolation_memory import Shared
from .isolation_wire import (
    Outgoing,
    TooLongError,
    Values,
    end_message,
    ready_message,
    receive_request,
)

__all__ = ["Target", "die_with", "no_new_privileges", "run_worker", "wall_s"]

Target = Callable[[Values, bytes], Iterable[tuple[Values, np.ndarray | None]]]

_WALL_FACTOR = 10
"""Wall time allowed for each second of processor time, on a machine with much else to do."""
_SIGN_S = 1.0
"""Between two signs of life, of a picture that is one of many frames."""
_ERROR_CHARACTERS = 4000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class Clock:
    """Ends this process, by a signal that nobody handles, when a picture takes too long.

    SIGPROF: too much processor time (`limits`), user and system, all threads. SIGALRM: too much
    time on the wall, for a decoder that sleeps or waits for ever: 10 times that and `spare_wall_s`.
    """

    def __init__(self, limits: Limits, spare_wall_s: float, sock: socket.socket) -> None:
        self._limits, self._spare_wall_s, self._sock = limits, spare_wall_s, sock
        self._wall_s = self._signed = 0.0
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        budget.listen(self._expect)

    def start(self, cpu_s: float | None = None) -> None:
        """Allow what a picture of unknown size may take, or `cpu_s` from now on."""
        cpu_s = self._limits.decode_cpu_s if cpu_s is None else cpu_s
        self._wall_s = wall_s(cpu_s, self._spare_wall_s)
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        signal.setitimer(signal.ITIMER_REAL, self._wall_s)

    def wait(self) -> None:
        """Stop the wall's clock: the parent may take as long as it likes to read."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def go_on(self) -> None:
        """Start the wall's clock anew."""
        signal.setitimer(signal.ITIMER_REAL, self._wall_s)

    def stop(self) -> None:
        """Stop both."""
        self._wall_s = 0.0
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _expect(self, pixels: int) -> None:
        if self._wall_s:  # else no picture is at hand
            self.start(self._limits.cpu_s(min(pixels, self._limits.max_pixels)))
            if (now := time.monotonic()) - self._signed > _SIGN_S:
                self._signed = now
                self._sock.sendall(ready_message())


def wall_s(cpu_s: float, spare_wall_s: float) -> float:
    """Time on the wall allowed for so much processor time, in seconds."""
    return cpu_s * _WALL_FACTOR + spare_wall_s


def run_worker(
    sock: socket.socket,
    shared: Shared,
    work: Target,
    limits: Limits,
    spare_wall_s: float,
    memory_bytes: int,
) -> None:
    """Answer requests until the parent closes the socket."""
    _confine(memory_bytes)
    clock = Clock(limits, spare_wall_s, sock)
    sock.sendall(ready_message())
    number = 0
    while True:
        try:
            header, data = receive_request(sock, shared, number)
        except (EOFError, ConnectionError):
            return
        clock.start()
        try:
            _answer(sock, shared, clock, number, work(header, data))
        except (MemoryError, TooLongError):
            _end()  # both are the picture's doing; what works after the first is anyone's guess
        except Exception:  # noqa: BLE001  it is a mistake in our code: the parent raises it
            clock.stop()
            text = traceback.format_exc()[-_ERROR_CHARACTERS:]
            sock.sendall(end_message(number, text))
        number += 1


def _answer(
    sock: socket.socket,
    shared: Shared,
    clock: Clock,
    number: int,
    frames: Iterable[tuple[Values, np.ndarray | None]],
) -> None:
    """Send the frames, small ones when it is known whether another follows: one message less."""
    held = None
    for index, (values, array) in enumerate(frames):
        if held is not None:
            _send(held, sock, clock)
        held = Outgoing(number, index, values, array, shared)
        if held.raw is not None:
            _send(held, sock, clock)
            held = None
    clock.stop()
    if held is None:
        sock.sendall(end_message(number))
    else:
        held.send(sock, last=True)


def _send(frame: Outgoing, sock: socket.socket, clock: Clock) -> None:
    clock.wait()
    frame.send(sock, last=False)
    clock.go_on()


def _confine(memory_bytes: int) -> None:
    """Bound memory, take away writing to files, be the first to go where memory is short."""
    with suppress(OSError):  # no /proc
        Path("/proc/self/oom_score_adj").write_text("1000")
    for name, limit in {
        resource.RLIMIT_DATA: memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }.items():
        _, hard = resource.getrlimit(name)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(name, (limit, limit))
    _prctl(_PR_SET_DUMPABLE, 0)  # the limit alone does not keep a system's own dump program away


def die_with(parent: int) -> None:
    """End this process, at once, when the thread that started it ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        _end()


def no_new_privileges() -> None:
    """Take away what a set-uid program would give."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        zero = ctypes.c_ulong(0)
        prctl(option, ctypes.c_ulong(value), zero, zero, zero)


def _end() -> NoReturn:
    os._exit(1)
