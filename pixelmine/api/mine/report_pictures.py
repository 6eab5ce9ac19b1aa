"""The pictures of a mining report: thumbnails by row, cleared, decoded side by side."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.api.thumbnails import Thumbnails
from pixelmine.core import Policy, clear
from pixelmine.core.processors import processors
from pixelmine.core.progress import Progress
from pixelmine.evaluate.names import file_name
from pixelmine.mine.page import Thumbnail
from pixelmine.mine.section import Section
from pixelmine.preprocess import Resize
from pixelmine.store import Collection
from pixelmine.store.by_id import read_by_id

from .found import cleared

__all__ = ["shown_names", "thumbnails"]

_NAMED = pa.schema(
    [(name, pa.string()) for name in ("row_id", "uri", "member")] + [("frame", pa.int32())]
)
_PLACE = (
    *("row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns"),
    *("content_id", "picture_id"),
)
_LONG = 256
"""Long side of a thumbnail in pixels: shown at half of that, sharp on a dense screen."""


def thumbnails(
    collection: Collection, sections: Iterable[Section], policy: Policy, progress: Progress
) -> dict[str, Thumbnail]:
    """A thumbnail for each row that a section shows, by row_id; grey where it cannot be read.

    A picture that lies in several places is decoded once.
    """
    rows = _rows(collection, sections)
    names = _names(rows, policy)
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        first.setdefault(row.get("picture_id") or row["row_id"], number)
    decoded = Thumbnails.of_rows(rows, collection.bytes)
    progress.start("pictures of the report", len(first))
    pixels = {}
    with ThreadPoolExecutor(max(2, processors())) as pool:
        made_all = pool.map(lambda at: _small(decoded.at(at)), first.values())
        for key, made in zip(first, made_all, strict=True):
            pixels[key] = clear(made, policy)
            progress.advance(1)
    progress.finish()
    return {
        row["row_id"]: Thumbnail(
            pixels=pixels[row.get("picture_id") or row["row_id"]], name=names[row["row_id"]]
        )
        for row in rows
    }


def shown_names(
    collection: Collection, sections: Iterable[Section], policy: Policy
) -> dict[str, str]:
    """The cleared name of each picture that a section shows, by row_id."""
    return _names(_rows(collection, sections), policy)


def _small(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    if max(height, width) <= _LONG:
        return pixels
    scale = _LONG / max(height, width)
    return Resize(height=max(1, round(height * scale)), width=max(1, round(width * scale)))(pixels)


def _rows(collection: Collection, sections: Iterable[Section]) -> list[dict[str, Any]]:
    """Rows of images, also where a section has only a finding's columns of them."""
    given: dict[str, Mapping[str, Any]] = {}
    for shown in _shown(sections):
        given.setdefault(shown["row_id"], shown)
    found = read_by_id(collection.images, "row_id", given, _PLACE).to_pylist()
    known = {row["row_id"]: row for row in found}
    return [known.get(name) or _as_given(row) for name, row in given.items()]


def _shown(sections: Iterable[Section]) -> Iterator[Mapping[str, Any]]:
    for section in sections:
        for strip in section.strips:
            yield from (shown.row for shown in strip.pictures)


def _as_given(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that is no longer in the collection, or of another one."""
    return {**dict.fromkeys(_PLACE), "member": "", "frame": 0, **row}


def _names(rows: Sequence[Mapping[str, Any]], policy: Policy) -> dict[str, str]:
    """As people call them; "" where a policy takes the address."""
    if not rows:
        return {}
    left = cleared(pa.Table.from_pylist([dict(row) for row in rows], _NAMED), policy).to_pylist()
    names = []
    for row in left:
        name = file_name(row["uri"], row.get("member") or "") if row.get("uri") else ""
        names.append(f"{name} #{row['frame']}" if name and row.get("frame") else name)
    return {row["row_id"]: name for row, name in zip(rows, names, strict=True)}
