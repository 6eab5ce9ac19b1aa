"""The process that decoding processes are forked from: it has the target imported, and waits.

Its parent starts it with one end of a socket (`isolation_host`). Each message on it is JSON:

    first    what to import, and the settings of `run_worker`
    fork     {"fork": id} with a socket and memory for the new worker
    kill     {"kill": id}
    back     {"loaded": true}, {"died": id, "status": as waitpid gave it}, or {"error": why there
             can be no workers}

It runs no other code than the target's import: the threads of a process do not survive a fork.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from pixelmine.core import Limits
from pixelmine.core.malloc import keep_freed_memory

from .isolation_memory import Shared
from .isolation_worker import Target, die_with, no_new_privileges, run_worker

__all__ = ["MESSAGE_BYTES", "serve"]

MESSAGE_BYTES = 2**20
_CLONE_NEWNET = 0x40000000


def serve(descriptor: int, parent: int) -> NoReturn:
    """Serve the process `parent` over the inherited socket until it closes it or ends."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    no_new_privileges()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    keep_freed_memory()
    _leave_network()
    control = socket.socket(fileno=descriptor)
    try:
        _Server(control).run()
    except Exception:  # noqa: BLE001  nobody else would hear of it
        with suppress(OSError):
            control.send(json.dumps({"error": traceback.format_exc()[-4000:]}).encode())
    os._exit(0)


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._settings: dict[str, Any] = json.loads(control.recv(MESSAGE_BYTES))
        self._work = _load(self._settings.pop("target"), self._settings.pop("options"))
        self._limits = Limits(**self._settings.pop("limits"))
        self._children: dict[int, int] = {}
        gc.freeze()  # what is loaded stays: workers need not look through it, nor copy its pages
        control.send(json.dumps({"loaded": True}).encode())
        self._wake, self._waker = socket.socketpair()
        for end in (self._wake, self._waker):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without one no byte comes to the waker
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Until the parent hangs up."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._wake.fileno() in ready:
                with suppress(BlockingIOError):
                    self._wake.recv(4096)
                self._bury()
            if self._control.fileno() in ready and not self._obey():
                break
        for pid in self._children.values():
            os.kill(pid, signal.SIGKILL)
        for pid in self._children.values():
            os.waitpid(pid, 0)

    def _obey(self) -> bool:
        data, handles, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 2)
        if not data:
            return False
        match json.loads(data):
            case {"fork": int(worker)}:
                self._fork(worker, socket.socket(fileno=handles[0]), handles[1])
            case {"kill": int(worker)} if worker in self._children:
                os.kill(self._children[worker], signal.SIGKILL)
        return True

    def _fork(self, worker: int, sock: socket.socket, memory: int) -> None:
        server = os.getpid()
        pid = os.fork()
        if pid:
            self._children[worker] = pid
            sock.close()
            os.close(memory)
            return
        try:
            die_with(server)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._control, self._wake, self._waker):
                end.close()
            shared = Shared(memory)
            os.close(memory)
            run_worker(sock, shared, self._work, self._limits, **self._settings)
        finally:
            os._exit(0)

    def _bury(self) -> None:
        for worker, pid in list(self._children.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                del self._children[worker]
                self._control.send(json.dumps({"died": worker, "status": status}).encode())


def _load(target: str, options: dict[str, Any]) -> Target:
    module, _, name = target.partition(":")
    work: Target = getattr(import_module(module), name)(options)
    if (cv2 := sys.modules.get("cv2")) is not None:
        cv2.setNumThreads(0)
    gc.collect()
    gc.freeze()  # so that a collection in a worker does not copy the pages that all share
    return work


def _leave_network() -> None:
    """Enter a network namespace with no interface, where the system permits it (Linux, root)."""
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    if unshare is not None:
        unshare(_CLONE_NEWNET)
