"""What is costly to open, kept open: the last few, each opened once for all threads."""

import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Held", "file_key"]

Thing = TypeVar("Thing")


class Held(Generic[Thing]):
    """At most `budget` of whatever `weigh` counts; the last one always, however heavy."""

    def __init__(self, budget: int, weigh: Callable[[Thing], int] = lambda _: 1) -> None:
        self._budget, self._weigh = budget, weigh
        self._things: OrderedDict[tuple[object, ...], Thing] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...], load: Callable[[], Thing]) -> Thing:
        """The thing of a key; other threads wait while it is loaded."""
        with self._lock:
            if key not in self._things:
                self._things[key] = load()
                self._drop()
            self._things.move_to_end(key)
            return self._things[key]

    def _drop(self) -> None:
        weight = sum(map(self._weigh, self._things.values()))
        while weight > self._budget and len(self._things) > 1:
            weight -= self._weigh(self._things.popitem(last=False)[1])


def file_key(path: Path, found: os.stat_result) -> tuple[object, ...]:
    """Names a file as it is now: another size or time is another file."""
    return (str(path), found.st_mtime_ns, found.st_size)
