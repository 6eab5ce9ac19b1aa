"""The bytes of pictures on their way out: as they are, or as PNG where they are no file."""

import io
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.core.processors import processors
from pixelmine.input import read
from pixelmine.output.export.names import ENDINGS
from pixelmine.preprocess import DecodeOptions
from pixelmine.preprocess.decode import open_file
from pixelmine.preprocess.sniff import sniff
from pixelmine.store import ByteStore

__all__ = ["Read", "read_pictures"]

_FRAMES = 32
"""Of one file that are taken from it at a time; between them nothing of it is held."""

_AHEAD = 4
"""Files for each thread that are read before somebody asks for them: what is held of bytes."""

_FULL = DecodeOptions(rule="full")


@dataclass(frozen=True, kw_only=True)
class Read:
    """One row's picture. `data`: its bytes, or the reason why there are none.

    `format`: of the bytes. `width`, `height`: in pixels, as stored in them.
    """

    row: Mapping[str, Any]
    data: bytes | Reason
    format: str
    width: int | None
    height: int | None


def read_pictures(rows: Iterable[pa.RecordBatch], kept: ByteStore) -> Iterator[Read]:
    """Each row's picture, in the order of the rows; a few files are read ahead.

    A picture that is a file of its own keeps its bytes. A frame of a video, a frame after the first
    of another file, and an array become PNG, 8 bits a channel, upright, as `decode` gives them at
    full size; RGB whose channels are all the same becomes grey.
    """
    threads = max(2, processors())
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[Read]]] = deque()
        tasks = _tasks(rows)
        try:
            for task in islice(tasks, threads * _AHEAD):
                waiting.append(pool.submit(_read_file, task, kept))
            while waiting:
                found = waiting.popleft().result()
                for task in islice(tasks, 1):
                    waiting.append(pool.submit(_read_file, task, kept))
                yield from found
        finally:
            for future in waiting:
                future.cancel()


def _tasks(rows: Iterable[pa.RecordBatch]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Rows of one file, up to _FRAMES of them."""
    for _, group in groupby(_records(rows), key=lambda row: (row["uri"], row["member"])):
        while some := list(islice(group, _FRAMES)):
            yield some


def _records(rows: Iterable[pa.RecordBatch]) -> Iterable[dict[str, Any]]:
    for batch in rows:
        yield from batch.to_pylist()


def _read_file(rows: Sequence[Mapping[str, Any]], kept: ByteStore) -> list[Read]:
    data = read(rows[0], Limits(), kept)
    found: list[Read] = []
    frames = []
    for row in rows:
        if isinstance(data, bytes) and _is_own_file(row, data):
            found.append(_as_it_is(row, data))
        else:
            frames.append(row)
    if not frames:
        return found
    if isinstance(data, Reason):
        return [*found, *(_refused(row, data) for row in frames)]
    return [*found, *_frames(frames, data)]


def _is_own_file(row: Mapping[str, Any], data: bytes) -> bool:
    return row["frame"] == 0 and sniff(data) in ENDINGS


def _as_it_is(row: Mapping[str, Any], data: bytes) -> Read:
    name = sniff(data) or row["format"]
    return Read(row=row, data=data, format=name, width=row["width"], height=row["height"])


def _refused(row: Mapping[str, Any], reason: Reason) -> Read:
    return Read(row=row, data=reason, format="", width=None, height=None)


def _frames(rows: Sequence[Mapping[str, Any]], data: bytes) -> Iterator[Read]:
    file = open_file(data, _FULL, Limits())
    if isinstance(file, Reason):
        yield from (_refused(row, file) for row in rows)
        return
    with closing(file):
        for row in rows:
            picture = file.frame(row["frame"])
            if picture is None or isinstance(picture, Reason):
                yield _refused(row, picture or Reason.NOT_FOUND)
                continue
            height, width = picture.pixels.shape[:2]
            made = Read(row=row, data=b"", format="png", width=width, height=height)
            yield replace(made, data=_png(picture.pixels))


def _png(pixels: np.ndarray) -> bytes:
    """Lossless; fast compression, since what is exported is often many frames."""
    if pixels.shape[2] == 1 or not _has_colour(pixels):
        pixels = pixels[..., 0]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=3)
    return out.getvalue()


def _has_colour(pixels: np.ndarray) -> bool:
    return bool(
        (pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 0] != pixels[..., 2]).any()
    )
