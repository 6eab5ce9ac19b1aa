"""What a training process tells its parent: one JSON object a line.

{"event": "start", "phase": "read", "total": 60000}
{"event": "progress", "done": 512, "bad": 0}        done and bad since the phase began
{"event": "finish", "phase": "read"}
{"event": "epoch", "epoch": 1, "epochs": 10, "loss": ..., "accuracy": ..., ...}
{"event": "note", "text": "..."}
{"event": "done", "bundle": "PATH", ...}            the last line of a job that succeeded
{"event": "error", "message": "...", "kind": "..."} the last line of one that did not
"""

import json
import os
import threading
import time

__all__ = ["Events", "claim_stdout"]

_INTERVAL_S = 0.5


class Events:
    """Writes events to a file descriptor. A `core.progress.Progress`, safe to use in threads.

    `progress` is written at most every half second, and once more at the end of a phase. Raises
    BrokenPipeError when nobody reads any more.
    """

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._lock = threading.Lock()
        self._phase = ""
        self._done = self._bad = self._told = 0
        self._last = 0.0

    def send(self, event: str, **values: object) -> None:
        """Write one event."""
        line = json.dumps({"event": event, **values}, ensure_ascii=True) + "\n"
        with self._lock:
            self._file.write(line.encode())

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase of `total` pictures (None: not known)."""
        self._phase, self._done, self._bad, self._told = phase, 0, 0, 0
        self.send("start", phase=phase, total=total)

    def advance(self, done: int, bad: int = 0) -> None:
        """Count `done` more pictures, `bad` of them failed."""
        self.reach(self._done + done, self._bad + bad)

    def reach(self, done: int, bad: int = 0) -> None:
        """Say how many pictures of this phase are done in all."""
        self._done, self._bad = done, bad
        if time.monotonic() - self._last >= _INTERVAL_S:
            self._tell()

    def behind(self, waiting: int) -> None:
        """Training has an end."""

    def note(self, text: str) -> None:
        """Say one line that stays."""
        self.send("note", text=text)

    def finish(self) -> None:
        """End the phase."""
        if self._told != self._done:
            self._tell()
        self.send("finish", phase=self._phase)

    def close(self) -> None:
        """Close the descriptor; nothing can be said any more."""
        self._file.close()

    def _tell(self) -> None:
        self._last, self._told = time.monotonic(), self._done
        self.send("progress", done=self._done, bad=self._bad)


def claim_stdout() -> int:
    """Take stdout for events alone: a new descriptor for it; descriptor 1 becomes stderr.

    Whatever a framework prints, from Python or from C++, then goes to stderr.
    """
    mine = os.dup(1)
    os.dup2(2, 1)
    return mine
