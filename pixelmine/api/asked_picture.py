"""The vector of the picture that is asked for: a file, a row of a collection, or a part of either.

A part is cut from the upright picture at full size and then goes the way of any picture, as if its
cut had been a file: the vector is the one that the model would give that file.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pyarrow as pa

from pixelmine.core import OK
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import content_id
from pixelmine.core.schema import LISTING
from pixelmine.input import SourceOptions
from pixelmine.looking import preparing
from pixelmine.pipeline import Recognise
from pixelmine.preprocess import DecodeOptions, Preprocessing
from pixelmine.store import Collection
from pixelmine.store.by_id import find_row

from .predicted import read_embeddings
from .sources import open_sources

__all__ = ["Asked", "Region", "asked_vector"]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a picture: `x`, `y` of its upper left corner, in pixels of the upright picture."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise UsageError(
                f"A region starts at 0 or more and is at least 1 pixel each way. Got {self}."
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `X,Y,WIDTH,HEIGHT`. Raises UsageError."""
        try:
            x, y, width, height = (int(part) for part in text.split(","))
        except ValueError as error:
            raise UsageError(
                f"A region is X,Y,WIDTH,HEIGHT in whole pixels, as in 120,40,200,300. Got {text!r}."
            ) from error
        return cls(x=x, y=y, width=width, height=height)

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """The part of (H, W, C) pixels. Raises UsageError where it reaches out of them."""
        height, width = pixels.shape[:2]
        if self.x + self.width > width or self.y + self.height > height:
            raise UsageError(f"The region reaches out of the picture, which is {width}x{height}.")
        return pixels[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`vector`: float32 (D,). `picture_id`: of the picture that it is of, where that is known."""

    vector: np.ndarray = field(repr=False)
    picture_id: str | None


def asked_vector(
    collection: Collection,
    stage: Recognise,
    *,
    picture: str | Path | None = None,
    row: str | None = None,
    region: Region | None = None,
) -> Asked:
    """Of `picture`, or of a `row` of the collection.

    `stage`: with the precision that the collection's vectors were made with. Raises UsageError,
    SourceError.
    """
    stage = replace(stage, frames=None, kept=collection.bytes.folder)
    if row is not None:
        listed = find_row(collection, row, good=True)
        name = listed["picture_id"]
        if region is None:
            known = read_embeddings(collection, stage, [name])
            if name in known:
                return Asked(vector=_something(known[name], row), picture_id=name)
    else:
        assert picture is not None  # noqa: S101  the caller gives one of the two
        listed, name = _listed(picture, stage), None
    if region is not None:
        listed = _cut(listed, stage, region)
    return Asked(vector=_embedded(listed, stage), picture_id=name)


def _listed(picture: str | Path, stage: Recognise) -> dict[str, Any]:
    options = SourceOptions(allow_private=stage.allow_private)
    rows = next(open_sources([picture], options).list()).to_pylist()
    if len(rows) != 1:
        raise UsageError(f"One picture is searched by at a time. {picture} holds more.")
    return dict(rows[0])


def _cut(listed: dict[str, Any], stage: Recognise, region: Region) -> dict[str, Any]:
    """The row of a picture that is the part: its bytes as PNG."""
    whole = Preprocessing(decode=DecodeOptions(rule="full")).to_card()
    card = stage.bundle.card.model_copy(update={"features": None, "preprocessing": whole})
    looks = preparing(card, stage)
    try:
        look = next(looks([listed]))
        pixels = next(look.pixels(), None)
        if pixels is None:
            raise _unseen(listed, next(look.rows())["reason"])
    finally:
        looks.close()
    part = np.ascontiguousarray(region.cut(pixels)[:, :, ::-1])
    data = cv2.imencode(".png", part)[1].tobytes()
    row = dict.fromkeys(LISTING.names)
    place = {name: listed[name] for name in ("row_id", "uri", "member")}
    return {**row, **place, "frame": 0, "content_id": content_id(data), "data": data}


def _embedded(listed: dict[str, Any], stage: Recognise) -> np.ndarray:
    kept = None if listed.get("data") is not None else stage.kept  # a part is not kept
    work = replace(stage, vectors=True, kept=kept).open()
    try:
        known = {name: listed.get(name) for name in LISTING.names}
        row = work(pa.RecordBatch.from_pylist([{**known, "reason": None}], LISTING)).to_pylist()[0]
    finally:
        work.close()
    if row["status"] != OK:
        raise _unseen(listed, row["reason"])
    return _something(np.array(row["embedding"], np.float32), str(listed["uri"]))


def _something(vector: np.ndarray, name: str) -> np.ndarray:
    if not np.linalg.norm(vector) > 0:
        raise UsageError(f"The model sees nothing in {name}: its vector is all zeros.")
    return vector


def _unseen(listed: dict[str, Any], reason: str) -> SourceError:
    return SourceError(f"{listed['uri']} cannot be searched by: {reason}.")
