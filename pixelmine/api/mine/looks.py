"""Looking at pictures of a collection again, two at a time, to judge whether they are copies."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from pixelmine.core import Limits, Reason
from pixelmine.core.processors import processors
from pixelmine.core.progress import Progress
from pixelmine.input import read
from pixelmine.mine.aligned import Look, look
from pixelmine.preprocess import DecodeOptions, decode
from pixelmine.store import ByteStore

__all__ = ["Looks", "judged"]

_HELD = 2_000
"""Pictures that stay at hand: each takes some 300 kB."""
_AT_ONCE = 512

Item = TypeVar("Item")
Found = TypeVar("Found")


class Looks:
    """The pictures of `rows`, of IMAGES, by their place. Threads may ask at once."""

    def __init__(self, rows: pa.Table, kept: ByteStore) -> None:
        self._rows = rows
        self._kept = kept
        self._held: OrderedDict[int, Look | None] = OrderedDict()
        self._lock = Lock()
        self.unreadable: set[int] = set()

    def at(self, place: int) -> Look | None:
        """One picture; None where it cannot be read any more."""
        with self._lock:
            if place in self._held:
                self._held.move_to_end(place)
                return self._held[place]
        pixels = self._decode(place, "scaled-256")
        found = look(pixels) if pixels is not None else None
        with self._lock:
            self._held[place] = found
            if len(self._held) > _HELD:
                self._held.popitem(last=False)
        return found

    def same_pixels(self, first: int, second: int) -> bool:
        """Whether both are the same, pixel by pixel, in full size and upright."""
        one, other = self._decode(first, "full"), self._decode(second, "full")
        return one is not None and other is not None and np.array_equal(one, other)

    def _decode(self, place: int, rule: str) -> np.ndarray | None:
        row: dict[str, Any] = self._rows.slice(place, 1).to_pylist()[0]
        data = read(row, Limits(), self._kept)
        if not isinstance(data, Reason):
            found = decode(data, DecodeOptions(rule=rule), Limits(), row["frame"])
            if not isinstance(found, Reason):
                return found.pixels
        self.unreadable.add(place)
        return None


def judged(
    items: Iterable[Item], judge: Callable[[Item], Found], progress: Progress
) -> Iterator[Found]:
    """Judge one after the other, in order, on all cores."""
    stream = iter(items)
    with ThreadPoolExecutor(processors()) as pool:
        while some := list(islice(stream, _AT_ONCE)):
            yield from pool.map(judge, some)
            progress.advance(len(some))
