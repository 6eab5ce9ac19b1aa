"""The parent's side of the server that decoding processes are forked from."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pixelmine.core.errors import UsageError

from .isolation_wire import widen

__all__ = ["Host"]

_MESSAGE_BYTES = 2**20
_SERVERS_IN_A_ROW = 5
_CLOSE_S = 5.0
_END_S = 10.0
"""A worker that was killed is gone in a moment; else the server does not do its work."""
_START = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from pixelmine.engine.isolation_server import serve
serve(int(sys.argv[2]), int(sys.argv[3]))
"""
_ONE_THREAD = {
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}
"""Each worker has one picture at a time; there are as many workers as processors."""


class Host:
    """Keeps a server running, has it fork workers and end them, and hears how they ended.

    `settings`: the first message, a JSON object. `fail`: called with the cause when there can be no
    workers any more. `died`: called with the id of a worker that ended, however it did.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        fail: Callable[[str], None],
        died: Callable[[int], None],
    ) -> None:
        self._first = json.dumps(settings).encode()
        if len(self._first) > _MESSAGE_BYTES:
            raise UsageError(
                f"The options of decoding must have at most {_MESSAGE_BYTES} bytes as JSON. "
                f"Got {len(self._first)} instead."
            )
        self._fail, self._died = fail, died
        self._changed = threading.Condition()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded = self._closed = False
        self._alive: set[int] = set()
        self._statuses: dict[int, int | None] = {}
        self._in_a_row = 0
        self._thread = threading.Thread(target=self._keep, name="isolation-host", daemon=True)
        self._thread.start()

    def fork(self, worker: int, sock: socket.socket, memory: int) -> bool:
        """Have a worker forked that owns a socket and memory from then on; False when closed.

        Waits while a server starts.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._control is not None or self._closed)
            if self._control is None:
                return False
            self._alive.add(worker)
            with suppress(OSError):  # the server died: `_keep` is about to see it, and says so
                socket.send_fds(self._control, [_message(fork=worker)], [sock.fileno(), memory])
            return True

    def end(self, worker: int) -> int | None:
        """End a worker that may have ended already; its status as waitpid gives it.

        None: it is not known, since the server died too.
        """
        with self._changed:
            if worker in self._alive and self._control is not None:
                with suppress(OSError):
                    self._control.send(_message(kill=worker))
            if not self._changed.wait_for(lambda: self._ended(worker), _END_S):
                self._kill()
                self._changed.wait_for(lambda: self._ended(worker))
            return self._statuses.pop(worker, None)

    def worked(self) -> None:
        """Say that a worker did something: servers are not failing in a row."""
        self._in_a_row = 0

    def close(self) -> None:
        """End the server and with it all workers; wait for that."""
        with self._changed:
            self._closed = True
            if not self._loaded:  # it imports, and will not look at its socket for long
                self._kill()
            if self._control is not None:
                with suppress(OSError):
                    self._control.shutdown(socket.SHUT_RDWR)
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(2 * _CLOSE_S)

    def _keep(self) -> None:
        while not self._closed:
            try:
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with ours, theirs:
                    process = self._start(theirs)
                    theirs.close()
                    said = self._listen(ours)
            except OSError as error:
                self._give_up(f"The decoding server cannot be started: {error}.")
                return
            status = _reap(process)
            if said is not None:
                self._give_up(f"Decoding processes cannot be started.\n{said}")
                return
            self._in_a_row += 1
            if self._in_a_row >= _SERVERS_IN_A_ROW:
                self._give_up(
                    f"The decoding server ended {self._in_a_row} times in a row without any "
                    f"picture decoded, the last time with status {status}. "
                    "Is there enough memory, and may this user start processes?"
                )
                return

    def _start(self, sock: socket.socket) -> subprocess.Popen[bytes]:
        """Begin a server, in a session of its own: Ctrl-C is not its business."""
        path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
        process = subprocess.Popen(
            [sys.executable, "-c", _START, path, str(sock.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[sock.fileno()],
            env=os.environ | _ONE_THREAD,
            start_new_session=True,
        )
        with self._changed:
            self._process, self._loaded = process, False
            if self._closed:
                process.kill()
        return process

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _ended(self, worker: int) -> bool:
        return worker in self._statuses or self._closed

    def _listen(self, control: socket.socket) -> str | None:
        """Be there for one server until it ends; what it said was wrong."""
        widen(control)
        with suppress(OSError):  # it ended at once
            control.send(self._first)
        with self._changed:
            if self._closed:
                return None
            self._control = control
            self._changed.notify_all()
        said: str | None = None
        while said is None and (data := _receive(control)):
            match json.loads(data):
                case {"died": int(worker), "status": int(status)}:
                    self._note({worker: status})
                case {"loaded": True}:
                    self._loaded = True
                case {"error": str(text)}:
                    said = text
        with self._changed:
            self._control = None
            lost = dict.fromkeys(self._alive)
        self._note(lost)
        return said

    def _note(self, statuses: dict[int, int | None]) -> None:
        with self._changed:
            self._alive.difference_update(statuses)
            self._statuses.update(statuses)
            self._changed.notify_all()
        for worker in statuses:
            self._died(worker)

    def _give_up(self, message: str) -> None:
        with self._changed:
            closed, self._closed = self._closed, True
            self._changed.notify_all()
        if not closed:
            self._fail(message)


def _reap(process: subprocess.Popen[bytes]) -> int:
    """Wait for a server, which has hung up or was hung up on; its exit status."""
    try:
        return process.wait(_CLOSE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _receive(control: socket.socket) -> bytes:
    try:
        return control.recv(_MESSAGE_BYTES)
    except OSError:
        return b""


def _message(**values: int) -> bytes:
    return json.dumps(values).encode()
