"""Some pictures of a source, drawn by chance, as a model takes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import OK, Limits, Reason
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.ids import array_bytes, content_id, picture_id
from pixelmine.core.progress import Progress
from pixelmine.core.schema import LISTING
from pixelmine.input import SourceOptions, is_idx_folder, read_part
from pixelmine.looking import Reading, preparing
from pixelmine.models import Bundle
from pixelmine.preprocess import Preprocessing
from pixelmine.store import Collection, is_collection
from pixelmine.store.query import split_parts

from .sources import open_sources

__all__ = ["Drawn", "draw"]

_COLUMNS = [
    *("row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns", "content_id")
]


@dataclass(frozen=True)
class Drawn:
    """N different pictures, before they are normalised.

    `pixels`: uint8 (N, H, W, C), or (N, V, H, W, C) where the model looks at V views. `labels`:
    None where the source does not say.
    """

    pixels: np.ndarray
    labels: list[str | None]
    picture_ids: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int | None = None) -> "Drawn":
        """Those from `start` to before `stop`."""
        rows = slice(start, stop)
        return Drawn(self.pixels[rows], self.labels[rows], self.picture_ids[rows])


def draw(bundle: Bundle, source: str | Path, count: int, progress: Progress) -> Drawn:
    """Draw up to `count` pictures of a collection, an idx folder, or any other source.

    The row ids, which are hashes, decide: the same source gives the same pictures, in no order of
    their own. Test pictures are left alone: the idx folder's t10k files, and in a collection the
    test part of the split that the model was trained with. Pictures that cannot be decoded, and
    copies, are passed over. Raises UsageError, SourceError.
    """
    path = Path(source)
    if "://" not in str(source) and is_idx_folder(path):
        found = _of_idx(bundle, path, count)
    elif "://" not in str(source) and is_collection(path):
        with Collection.open(path) as collection:
            rows = _collection_rows(bundle, collection, count)
            reading = Reading(frames=None, kept=collection.bytes.folder)
            found = list(_of_rows(bundle, rows, reading, progress))
    else:
        listed = open_sources([source], SourceOptions()).list()
        good = (row for rows in listed for row in rows.to_pylist() if row["reason"] is None)
        rows = nsmallest(count, good, key=lambda row: str(row["row_id"]))
        found = list(_of_rows(bundle, rows, Reading(frames="first"), progress))
    if not found:
        raise UsageError(f"{source} has no picture that can be used.")
    different = {picture: (pixels, label) for picture, pixels, label in found}
    pixels = np.stack([pixels for pixels, _ in different.values()])
    return Drawn(pixels, [label for _, label in different.values()], list(different))


_Found = tuple[str, np.ndarray, str | None]


def _of_idx(bundle: Bundle, folder: Path, count: int) -> list[_Found]:
    part = read_part(folder, "train")
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    found: list[_Found] = []
    for _, index in nsmallest(count, zip(part.row_ids(), range(len(part.labels)), strict=True)):
        data = array_bytes(part.pixels[index])
        pixels = steps.prepare_uint8(data, Limits())
        if not isinstance(pixels, Reason):
            picture = picture_id(content_id(data), 0)
            found.append((picture, pixels, str(part.labels[index])))
    return found


def _collection_rows(bundle: Bundle, collection: Collection, count: int) -> list[dict[str, Any]]:
    test, labels = _test_rows(bundle, collection), collection.current_labels()
    known = dict(zip(labels["row_id"].to_pylist(), labels["labels"].to_pylist(), strict=True))

    def rows() -> Iterator[dict[str, Any]]:
        for batch in collection.images.scan(_COLUMNS, f"status = '{OK}'"):
            yield from (row for row in batch.to_pylist() if row["row_id"] not in test)

    drawn = nsmallest(count, rows(), key=lambda row: str(row["row_id"]))
    for row in drawn:
        mine = known.get(row["row_id"]) or []
        row["label"] = mine[0] if len(mine) == 1 else None
    return drawn


def _test_rows(bundle: Bundle, collection: Collection) -> set[str]:
    split = bundle.card.training.split_id if bundle.card.training else None
    if split is None:
        return set()
    try:
        parts = split_parts(collection, split).to_pylist()
    except CollectionError:  # it was trained on another collection
        return set()
    return {row["row_id"] for row in parts if row["part"] == "test"}


def _of_rows(
    bundle: Bundle, rows: list[dict[str, Any]], reading: Reading, progress: Progress
) -> Iterator[_Found]:
    rows = pa.RecordBatch.from_pylist(rows, LISTING).to_pylist()
    progress.start("read", len(rows))
    looks = preparing(bundle.card, reading)
    try:
        for look in looks(rows):
            pixels = next(look.pixels(), None)
            progress.advance(1, bad=int(pixels is None))
            if pixels is not None and look.content_id is not None:
                frame = picture_id(look.content_id, int(look.row["frame"]))
                yield frame, pixels, look.row.get("label")
    finally:
        looks.close()
        progress.finish()
