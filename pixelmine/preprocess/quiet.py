"""No warnings, and no log lines, while pictures are decoded, in however many threads at once."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet", "quiet_log"]

_lock = threading.Lock()


class quiet:  # noqa: N801  used as a function, which takes 1.7 times as long
    """Ignore warnings: Pillow warns about odd but readable files, and a row says it better.

    `warnings.catch_warnings` alone is not for threads: of two that overlap, the second to leave
    puts back what it found, "ignore", for good. So the first in sets it and the last out undoes it.
    """

    _inside = 0
    _outer = warnings.catch_warnings()

    def __enter__(self) -> None:
        with _lock:
            quiet._inside += 1
            if quiet._inside == 1:
                quiet._outer = warnings.catch_warnings()
                quiet._outer.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *raised: object) -> None:
        with _lock:
            quiet._inside -= 1
            if quiet._inside == 0:
                quiet._outer.__exit__(None, None, None)


_logging = 0
_outer_level = logging.NOTSET


@contextmanager
def quiet_log() -> Iterator[None]:
    """Ignore what pydicom logs: its lines may quote what stands in the file."""
    global _logging, _outer_level
    logger = logging.getLogger("pydicom")
    with _lock:
        _logging += 1
        if _logging == 1:
            _outer_level = logger.level
            logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        with _lock:
            _logging -= 1
            if _logging == 0:
                logger.setLevel(_outer_level)
