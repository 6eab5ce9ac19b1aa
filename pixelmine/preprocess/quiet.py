"""No warnings while pictures are decoded, in however many threads at once."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

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
