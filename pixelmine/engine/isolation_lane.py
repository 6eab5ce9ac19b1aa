"""One worker after the other on one lane: what is sent, what comes back, and who is to blame."""

import itertools
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from pixelmine.core import Reason

from .isolation_host import Host
from .isolation_memory import DEPTH, Shared
from .isolation_wire import Data, Reader, Values, WireError, send_request, widen

__all__ = ["Answer", "Lane", "Request", "verdict"]

Answer = list[tuple[Values, np.ndarray | None]]

_DEATHS = 2
"""A crash is blamed on a picture when it happens again in another process: the first may be the
work of the picture before it, of a decoder that leaks, or of a system short of memory."""
_LOST = 3
"""Servers that may die while a worker has the picture at hand."""
_JOIN_S = 5.0
_OVERDUE = int(signal.SIGALRM)
"""The status of a worker whose own clock should have ended it, had it not been stopped itself."""

_ids = itertools.count()


class Request:
    """A picture that waits for its answer, and how many workers and servers died of it so far."""

    def __init__(self, header: bytes, data: Data) -> None:
        self.header, self.data = header, data
        self.future: Future[Answer | Reason] = Future()
        self.deaths = self.lost = 0
        self._started = False

    def start(self) -> bool:
        """Whether it is still wanted; it cannot be cancelled from now on."""
        self._started = self._started or self.future.set_running_or_notify_cancel()
        return self._started


@dataclass
class _Line:
    """To one worker. `theirs`, `memory`: its ends, until they are handed over. `given`: so far."""

    sock: socket.socket
    shared: Shared
    theirs: socket.socket
    memory: int
    worker: int = field(default_factory=lambda: next(_ids))
    given: int = 0

    @classmethod
    def open(cls) -> "_Line":
        shared, memory = Shared.create()
        ours, theirs = socket.socketpair()
        widen(theirs)
        return cls(ours, shared, theirs, memory)

    def hand_over(self, host: Host) -> bool:
        """Have the worker forked; what it is sent meanwhile waits for it."""
        forked = host.fork(self.worker, self.theirs, self.memory)
        self._drop_theirs()
        return forked

    def close(self) -> None:
        self.sock.close()
        self.shared.close()
        self._drop_theirs()

    def _drop_theirs(self) -> None:
        self.theirs.close()
        if self.memory >= 0:
            os.close(self.memory)
            self.memory = -1


class Lane:
    """A line to a worker, and the thread that reads from it.

    `done(lane, answer)` and `broken(lane, status, ready)` are called by that thread; all methods
    but `join` are called under the pool's lock.
    """

    def __init__(
        self,
        host: Host,
        answer_bytes: int,
        frames: int,
        silence_s: float,
        done: "Callable[[Lane, Answer | str], bool]",
        broken: "Callable[[Lane, int | None, bool], bool]",
    ) -> None:
        self._host, self._answer_bytes, self._frames = host, answer_bytes, frames
        self._silence_s, self._sign, self._ready = silence_s, 0.0, False
        self._done, self._broken = done, broken
        self.flying: deque[Request] = deque()
        self.barren = 0
        self._line = _Line.open()
        self._thread = threading.Thread(target=self._run, name="isolation-lane", daemon=True)

    @property
    def worker(self) -> int:
        """The id of the present worker."""
        return self._line.worker

    @property
    def room(self) -> int:
        """How many requests it takes now."""
        return DEPTH - len(self.flying)

    def start(self) -> None:
        """Begin with the first worker."""
        self._thread.start()

    def give(self, request: Request) -> None:
        """Send a request."""
        line = self._line
        if not self.flying:
            self._sign = time.monotonic()
        self.flying.append(request)
        try:
            send_request(line.sock, line.shared, line.given, request.header, request.data)
        except OSError:  # it died, or does not listen: then it is to die
            self.hang_up()
        line.given += 1

    def renew(self, begun: bool) -> list[Request]:
        """Leave a worker that died for a new one; the requests that it owes, the culprit first.

        `barren` counts those in a row that had not `begun`.
        """
        old, self._line = self._line, _Line.open()
        old.close()
        self.barren = 0 if begun else self.barren + 1
        owed, self.flying = list(self.flying), deque()
        return owed

    def hang_up(self) -> None:
        """End the connection: what was sent can still be read, then it is at its end."""
        with suppress(OSError):
            self._line.sock.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait for the thread to end."""
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        going = True
        while going:
            line, status = self._line, None
            self._ready = False
            if line.hand_over(self._host):
                reader = Reader(
                    line.sock, line.shared, self._answer_bytes, self._silence_s, self._silent
                )
                overdue = False
                try:
                    reader.ready()
                    self._ready, self._sign = True, time.monotonic()
                    self._answers(reader)
                except TimeoutError:
                    overdue = True
                except (EOFError, OSError, WireError):
                    pass
                status = self._host.end(line.worker)
                status = _OVERDUE if overdue else status
            going = self._broken(self, status, self._ready)
        self._line.close()

    def _silent(self) -> None:
        """Give a worker up that has had a picture at hand for too long."""
        late = time.monotonic() - self._sign >= self._silence_s
        if self._ready and self.flying and late:
            raise TimeoutError

    def _answers(self, reader: Reader) -> None:
        """Take answers until the worker dies or talks nonsense."""
        for number in itertools.count():
            answer: Answer = []
            frame = reader.frame()
            while frame.number == number and len(answer) <= self._frames:
                if frame.values is not None:
                    answer.append((frame.values, frame.array))
                if frame.last:
                    break
                self._sign = time.monotonic()
                frame = reader.frame()
            else:
                raise WireError("it answers what was not asked")
            self._sign = time.monotonic()
            if not self._done(self, answer if frame.error is None else frame.error):
                raise WireError("it answers what was not asked")


def verdict(request: Request, status: int | None) -> Reason | None:
    """What a worker's death says about the picture that it had at hand; None: try it again.

    `status`: as waitpid gives it; None when the server died too.
    """
    if status is None:
        request.lost += 1
        return Reason.DECODER_CRASH if request.lost >= _LOST else None
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM):
        return Reason.DECODER_TIMEOUT
    request.deaths += 1
    return Reason.DECODER_CRASH if request.deaths >= _DEATHS else None
