"""No warnings, and no log lines, while pictures are decoded, in however many threads at once."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet", "quiet_log"]

_lock = threading.Lock()
_inside = 0
_outer = warnings.catch_warnings()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore warnings: Pillow warns about odd but readable files, and a row says it better.

    `warnings.catch_warnings` alone is not for threads: of two that overlap, the second to leave
    puts back what it found, "ignore", for good. So the first in sets it and the last out undoes it.
    """
    global _inside, _outer
    with _lock:
        _inside += 1
        if _inside == 1:
            _outer = warnings.catch_warnings()
            _outer.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _outer.__exit__(None, None, None)


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
