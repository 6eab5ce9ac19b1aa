"""Pictures as the report shows them: bytes inside the page, a size, a name and an alt text."""

import io
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pixelmine.core.gate import Cleared

from .names import file_name
from .sections import Gallery, Mistakes
from .texts import Language, text

__all__ = ["Answer", "Tile", "embedded", "gallery_tiles", "mistake_tiles"]

TINY = 64
"""Below this long side, in pixels, a picture is kept exact (PNG) and shown enlarged."""

ENLARGED = 144
"""What a tiny picture's long side is enlarged to at most, by a whole factor, in CSS pixels."""

QUALITY = 82
"""Of JPEG: no artefact to be seen at this size, and a third of the bytes of 95."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One of a picture's best answers, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture. `source`: a data URI; `width`, `height`: to show it at, in CSS pixels."""

    source: str
    width: int
    height: int
    tiny: bool
    name: str
    alt: str
    answers: tuple[Answer, ...]
    undecided: bool = False
    truth: str | None = None


def gallery_tiles(gallery: Gallery, language: Language) -> list[Tile]:
    """Pictures with their five best answers. No answers, or a null decision: not decided."""
    tiles = []
    for row, name, picture in _rows(gallery, language):
        best = sorted(row.get("top") or [], key=lambda one: -float(one["probability"]))[:5]
        answers = tuple(Answer(label=a["label"], probability=a["probability"]) for a in best)
        undecided = not answers or row.get("decision", ()) is None
        alt = (
            text(language, "alt_undecided", name=name)
            if undecided
            else text(language, "alt_recognised", name=name, answer=answers[0].label)
        )
        tiles.append(Tile(name=name, alt=alt, answers=answers, undecided=undecided, **picture))
    return tiles


def mistake_tiles(mistakes: Mistakes, language: Language) -> list[Tile]:
    """Pictures with their truth and the one wrong answer."""
    tiles = []
    for row, name, picture in _rows(mistakes, language):
        truth, answer = row["truth"], row["answer"]
        alt = text(language, "alt_mistake", name=name, truth=truth, answer=answer)
        answers = (Answer(label=answer, probability=row["probability"]),)
        tiles.append(Tile(name=name, alt=alt, answers=answers, truth=truth, **picture))
    return tiles


def embedded(thumbnail: Cleared[np.ndarray]) -> dict[str, Any]:
    """`source`, a data URI; `width`, `height` to show it at, in CSS pixels; whether it is `tiny`.

    `thumbnail`: uint8 (H, W, 3) RGB. Raises ValueError for anything else.
    """
    pixels = thumbnail.item
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"a thumbnail must be uint8 (H, W, 3). Got {pixels.dtype} {pixels.shape} instead."
        )
    height, width = pixels.shape[:2]
    tiny = max(height, width) < TINY
    factor = ENLARGED // max(height, width) if tiny else 1
    return {
        "source": _data_uri(pixels, "PNG" if tiny else "JPEG"),
        "width": width * factor,
        "height": height * factor,
        "tiny": tiny,
    }


def _rows(
    section: Gallery | Mistakes, language: Language
) -> Iterator[tuple[Mapping[str, Any], str, dict[str, Any]]]:
    """Each row, its picture's name (numbered where a policy took the URI), and its picture."""
    rows = section.rows.item.to_pylist()
    for number, (row, thumbnail) in enumerate(zip(rows, section.thumbnails, strict=True), 1):
        uri = row.get("uri")
        name = file_name(uri, row.get("member") or "") if uri else ""
        yield row, name or text(language, "picture_number", n=number), embedded(thumbnail)


def _data_uri(pixels: np.ndarray, kind: str) -> str:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind, quality=QUALITY, optimize=True)
    return f"data:image/{kind.lower()};base64,{b64encode(data.getvalue()).decode()}"
