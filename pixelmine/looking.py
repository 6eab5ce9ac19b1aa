"""One picture at a time, each in a process where it can do no harm.

`inspecting` and `preparing` read bytes here and have them decoded there (`engine.Isolated`), by
what is in `decoding`.
"""

import threading
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelmine import input as source
from pixelmine import preprocess
from pixelmine.core import FAILED, Limits, Reason
from pixelmine.core.ids import content_id, picture_id, row_id
from pixelmine.core.processors import processors
from pixelmine.decoding import BINARY
from pixelmine.engine import Isolated
from pixelmine.models import Card
from pixelmine.store.bytes import ByteStore
from pixelmine.store.tombstones import Tombstones

__all__ = ["Look", "Looks", "Reading", "inspecting", "preparing"]

Values = dict[str, Any]
Answer = Sequence[tuple[Values, np.ndarray | None]]

_READERS = 16
"""Threads that read: files wait for a disk, pictures elsewhere for a server."""

_FILES = 8
"""That a thread reads one after the other: 5,758 photographs came in in 13.0 s, where it was woken
for each of them in 13.5 (2026-11)."""

_COPIES = 4096
"""So many different pictures are remembered when inspecting, about 4 kB each."""

_IN_FLIGHT = 64
"""So many when preparing, where each is an array: enough for copies that lie side by side."""


class Look(NamedTuple):
    """What came of one listed row: `frames` are what the target gave, at least one."""

    row: Values
    content_id: str | None
    frames: Answer

    def rows(self) -> Iterator[Values]:
        """The listed row with what is known of each frame; each has its own ids."""
        for values, _ in self.frames:
            found = {**self.row, **values, "content_id": self.content_id}
            if values["frame"] != self.row["frame"]:
                found["row_id"] = row_id(found["uri"], found["member"], values["frame"])
            if self.content_id is not None:
                found["picture_id"] = picture_id(self.content_id, values["frame"])
            if "meta" in values:
                found["meta"] = {**values["meta"], **dict(self.row["meta"] or ())}
            if found.get("meta") is not None:
                found["meta"] = list(dict(found["meta"]).items())
            for name in BINARY & found.keys():
                found[name] = bytes.fromhex(found[name])
            yield found

    def pixels(self) -> Iterator[np.ndarray]:
        """Of the frames that have some."""
        for _, pixels in self.frames:
            if pixels is not None:
                yield pixels


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How pictures are got at.

    `frames`: see `preprocess.Frames`; None looks at the one frame that a row names. `kept`: the
    folder of copies of what cannot be read again. `erased`: the collection whose tombstones say
    what must not be looked at. `allow_private`: see `input.SourceOptions`.
    """

    limits: Limits = field(default_factory=Limits)
    frames: str | None = "auto"
    kept: Path | None = None
    erased: Path | None = None
    allow_private: bool = False


def inspecting(
    decode: preprocess.DecodeOptions,
    features: Sequence[str],
    known: Container[str],
    reading: Reading,
) -> "Looks":
    """Rows to what a collection notes of their pictures.

    `known`: ids of pictures whose features it has; of a JPEG among them the header alone is read.
    """
    options = {"decode": asdict(decode), "features": list(features)}
    return Looks("pixelmine.decoding:inspector", options, reading, _COPIES, known)


def preparing(card: Card, reading: Reading) -> "Looks":
    """Rows to uint8 pixels as a card's preprocessing gives them, or to the features it names."""
    described = card.features.steps if card.features else []
    options = {"preprocessing": card.preprocessing, "features": described}
    return Looks("pixelmine.decoding:preparer", options, reading, _IN_FLIGHT)


def _together(rows: Iterable[Values]) -> Iterator[Sequence[Values]]:
    """What one thread reads: some files that lie here; what comes from a server, one by one."""
    for local, some in groupby(rows, lambda row: str(row["uri"]).startswith("file:")):
        yield from _some(some, _FILES if local else 1)


def _some(rows: Iterator[Values], count: int) -> Iterator[Sequence[Values]]:
    while some := list(islice(rows, count)):
        yield some


class Looks:
    """Rows to what a target makes of their pictures, in order. Several threads may call at once.

    `recent`: so many different pictures are remembered, and their copies not decoded again.
    `known`: ids of pictures of which the target need not tell more than their header does.
    """

    def __init__(
        self,
        target: str,
        options: Values,
        reading: Reading,
        recent: int,
        known: Container[str] = (),
    ) -> None:
        options = {**options, "limits": asdict(reading.limits)}
        self._isolated = Isolated(target, options, processors(), reading.limits)
        self._readers = ThreadPoolExecutor(_READERS, "read")
        self._reading, self._size, self._known = reading, recent, known
        self._kept = ByteStore(reading.kept) if reading.kept else None
        self._erased: Container[str] = Tombstones(reading.erased) if reading.erased else ()
        self._recent: OrderedDict[tuple[str, int | None], Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, rows: Iterable[Values]) -> Iterator[Look]:
        """Look at each row's picture: at those of its frames that are wanted."""
        begun = self._readers.map(self._begin, _together(rows))
        for row, content, found in chain.from_iterable(begun):
            answer = found.result() if isinstance(found, Future) else found
            if isinstance(answer, Reason):
                answer = [({"frame": row["frame"], "status": FAILED, "reason": answer}, None)]
            yield Look(row, content, answer)

    def close(self) -> None:
        """End the processes and threads."""
        self._readers.shutdown(cancel_futures=True)
        self._isolated.close()

    def _begin(self, rows: Sequence[Values]) -> list[tuple[Values, str | None, Any]]:
        return [self._begin_one(row) for row in rows]

    def _begin_one(self, row: Values) -> tuple[Values, str | None, Any]:
        reading = self._reading
        data = source.read(row, reading.limits, self._kept, reading.allow_private)
        if isinstance(data, Reason):
            return row, None, data
        content = content_id(data)
        if content in self._erased:  # nothing is kept of it but where it lies
            return {**row, "group": None, "meta": None}, None, Reason.ERASED
        if self._kept is not None and source.must_keep(row):
            self._kept.put(data, content)
        key = (content, row["frame"] if reading.frames is None else None)
        with self._lock:
            found = self._recent.get(key)
            if found is None:
                header = {"frames": reading.frames, "frame": row["frame"]}
                header["known"] = picture_id(content, 0) in self._known
                found = self._recent[key] = self._isolated.submit(header, data)
                if len(self._recent) > self._size:
                    self._recent.popitem(last=False)
        return row, content, found
