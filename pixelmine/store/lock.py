"""One writer at a time: a lock file that the operating system releases when its process dies."""

from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from pixelmine.core.errors import LockedError

__all__ = ["WriteLock"]

WAIT_S = 120.0
"""A commit takes well under a second; two minutes of waiting mean that something is stuck."""


class WriteLock:
    """Held for one commit, never for a whole run, so that two runs go on side by side."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self._lock = FileLock(path, timeout=wait_s)
        self.path = path
        self.wait_s = wait_s

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"Another process has held {self.path} for {self.wait_s:g} s. "
                "Wait for it or stop it; the lock goes with its process."
            ) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()
