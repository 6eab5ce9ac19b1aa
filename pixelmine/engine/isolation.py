"""Decoding in processes of its own, so that a decoder that dies costs its picture and nothing else.

    isolation.py          the pool: which lane gets what, and what a death means
    isolation_lane.py     a worker's socket and its two threads
    isolation_host.py     the parent's side of the fork server
    isolation_server.py   the process that workers are forked from
    isolation_worker.py   the worker: its clock and its limits
    isolation_wire.py     the messages

`multiprocessing` is not used: it runs the caller's main module again in each child, and pickles,
which would let a decoder that was taken over run code in the parent.
"""

import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from dataclasses import asdict
from types import TracebackType
from typing import Self

from pixelmine.core import Limits, Reason
from pixelmine.core.checks import check_positive
from pixelmine.core.errors import RunError, UsageError

from .isolation_host import Host
from .isolation_lane import Answer, Lane, Request, verdict
from .isolation_wire import Data, Values, request_header
from .isolation_worker import wall_s

__all__ = ["Answer", "Isolated"]

_BARREN = 5
_SPARE_WALL_S = 30.0


class Isolated:
    """`count` processes that do the work of `target`, each one picture at a time.

    `target`: `module:function`. The function is called once with `options` (a JSON object), before
    the processes are forked, and gives `work(header, data)`, which takes a JSON object and a
    picture's bytes and gives a list, or an iterator, of frames: a JSON object each, with an array
    of plain numbers, or None. What it raises is a mistake of ours and comes back as RunError; what
    a picture does to it is a Reason. It runs without standard output and error, files to write and,
    where the system permits, network.

    `limits`: processor time for a picture; a decoder that calls `core.budget.expect` gets what its
    size allows. `spare_wall_s`: see `isolation_worker.Clock`. `memory_bytes`: of data in a worker,
    beyond which allocation fails there: a picture of 128 megapixels, as RGB and ten times over.
    `answer_bytes`: of all frames of an answer, which the parent holds.

    Starts at once in the background; may be used from several threads, and closed twice. It ends
    with the process, whatever ends that.
    """

    def __init__(
        self,
        target: str,
        options: Values,
        count: int,
        limits: Limits,
        *,
        spare_wall_s: float = _SPARE_WALL_S,
        memory_bytes: int = 4 * 2**30,
        answer_bytes: int = 2 * 2**30,
    ) -> None:
        if ":" not in target:
            raise UsageError(f"target must be module:function. Got {target!r} instead.")
        check_positive("count", count)
        settings = {
            "target": target,
            "options": options,
            "limits": asdict(limits),
            "spare_wall_s": spare_wall_s,
            "memory_bytes": memory_bytes,
        }
        silence_s = 2 * wall_s(limits.cpu_s(limits.max_pixels), spare_wall_s)
        self._pool = _Pool(settings, count, answer_bytes, limits.max_frames + 1, silence_s)
        self._finalizer = weakref.finalize(self, _close, self._pool, os.getpid())

    def submit(self, header: Values, data: Data) -> "Future[Answer | Reason]":
        """Have a picture worked on. `data`: its bytes, not changed until the answer is there.

        The future gives the frames, DECODER_CRASH or DECODER_TIMEOUT, or raises RunError.
        """
        return self._pool.submit(header, data)

    def close(self) -> None:
        """End all processes and threads; what is not answered raises RunError."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _close(pool: "_Pool", owner: int) -> None:
    if os.getpid() == owner:  # not in a process that was forked from the owner: it has no threads
        pool.close()


class _Pool:
    """Known to the threads; `Isolated` is not, so that it ends when nobody holds it."""

    def __init__(
        self, settings: Values, count: int, answer_bytes: int, frames: int, silence_s: float
    ) -> None:
        self._lock = (
            threading.RLock()
        )  # the collector may close a pool in any thread, at any moment
        self._waiting: deque[Request] = deque()
        self._lanes: list[Lane] = []
        self._error: str | None = None
        self._host = Host(settings, self._fail, self._died)
        try:
            for _ in range(count):
                lane = Lane(self._host, answer_bytes, frames, silence_s, self._done, self._broken)
                self._lanes.append(lane)
                lane.start()
        except OSError as error:
            self.close()
            raise RunError(_no_line(error)) from error

    def submit(self, header: Values, data: Data) -> "Future[Answer | Reason]":
        request = Request(request_header(header), memoryview(data).cast("B"))
        with self._lock:
            if self._error is not None:
                raise RunError(self._error)
            self._waiting.append(request)
            self._pump()
        return request.future

    def close(self) -> None:
        self._fail("Decoding was stopped before this picture was done.")
        self._host.close()
        for lane in self._lanes:
            lane.join()

    def _pump(self) -> None:
        """Give what waits to the lanes with the most room; under the lock."""
        while self._waiting:
            lane = max(self._lanes, key=_room)
            if lane.room <= 0:
                return
            request = self._waiting.popleft()
            if request.start():
                lane.give(request)

    def _done(self, lane: Lane, answer: Answer | str) -> bool:
        """Pass an answer on; False: nobody asked."""
        with self._lock:
            if not lane.flying:
                return False
            request = lane.flying.popleft()
            self._pump()
        self._host.worked()
        if isinstance(answer, str):
            request.future.set_exception(RunError(f"Decoding has a mistake.\n{answer}"))
        else:
            request.future.set_result(answer)
        return True

    def _broken(self, lane: Lane, status: int | None, ready: bool) -> bool:
        """Judge, and have the lane go on with a new worker; False: there are no more."""
        reason = None
        with self._lock:
            if self._error is not None:
                return False
            try:
                owed = lane.renew(ready or status is None)  # the host counts the server's deaths
            except OSError as error:
                self._fail(_no_line(error))
                return False
            if owed and ready:
                reason = verdict(owed[0], status)
            self._waiting.extendleft(reversed(owed[1:] if reason else owed))
            self._pump()
        if reason:
            self._host.worked()
            owed[0].future.set_result(reason)
        elif lane.barren >= _BARREN:
            self._fail(
                f"Decoding processes end as soon as they start, {lane.barren} times in a row, the "
                f"last with status {status}. Is memory short, or limited too much?"
            )
            return False
        return True

    def _died(self, worker: int) -> None:
        """Hang up, should somebody else have inherited the other end of the socket."""
        with self._lock:
            for lane in self._lanes:
                if lane.worker == worker:
                    lane.hang_up()

    def _fail(self, error: str) -> None:
        """Fail all that is asked and will be; the threads end by themselves."""
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            owed = [*(r for lane in self._lanes for r in lane.flying), *self._waiting]
            self._waiting.clear()
            for lane in self._lanes:
                lane.flying.clear()
                lane.hang_up()
        for request in owed:
            if request.start():
                request.future.set_exception(RunError(error))


def _no_line(error: OSError) -> str:
    return f"There cannot be another decoding process: {error}. Are too many files open?"


def _room(lane: Lane) -> int:
    return lane.room
