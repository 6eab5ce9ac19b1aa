"""A contact sheet: a picture, and beside it what each feature sees of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

__all__ = ["SheetTile", "draw_sheet"]

_SIDE = 380
"""Pixels each way of the square that a tile's picture is fitted into."""
_GAP, _EDGE, _CAPTION = 28, 40, 58
_TITLE, _TEXT = 21, 15
"""Heights of letters, in pixels."""
_PAPER, _CARD, _INK, _PALE = "#fbfaf7", "#eeece6", "#1d2430", "#6b7280"


@dataclass(frozen=True)
class SheetTile:
    """`pixels`: uint8 RGB (h, w, 3) of any size; `name` is set large, `about` small below."""

    pixels: np.ndarray
    name: str
    about: str


def draw_sheet(tiles: Sequence[SheetTile]) -> np.ndarray:
    """Tiles in a grid as square as it gets, row by row; uint8 RGB (h, w, 3)."""
    columns = ceil(sqrt(len(tiles)))
    rows = ceil(len(tiles) / columns)
    across, down = _SIDE + _GAP, _SIDE + _CAPTION + _GAP
    size = 2 * _EDGE + columns * across - _GAP, 2 * _EDGE + rows * down - _GAP
    sheet = Image.new("RGB", size, _PAPER)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        _draw(sheet, tile, _EDGE + column * across, _EDGE + row * down)
    return np.asarray(sheet)


def _draw(sheet: Image.Image, tile: SheetTile, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.rounded_rectangle((left, top, left + _SIDE - 1, top + _SIDE - 1), 10, _CARD)
    picture = _fitted(tile.pixels)
    corner = left + (_SIDE - picture.width) // 2, top + (_SIDE - picture.height) // 2
    sheet.paste(picture, corner, _rounded(picture.size))
    base = top + _SIDE + 10
    pen.text((left, base), _cut(tile.name, _TITLE), _INK, _font(_TITLE))
    pen.text((left, base + _TITLE + 7), _cut(tile.about, _TEXT), _PALE, _font(_TEXT))


def _fitted(pixels: np.ndarray) -> Image.Image:
    """Scaled to touch the square; small pictures by a whole factor, their pixels to be seen."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = _SIDE / max(image.size)
    if scale >= 2:
        scale = int(scale)
    how = Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), how)


def _rounded(size: tuple[int, int]) -> Image.Image:
    """A mask with round corners, drawn four times as large, since Pillow's own are jagged."""
    mask = Image.new("L", (4 * size[0], 4 * size[1]), 0)
    box = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, min(40, *mask.size), 255)
    return mask.resize(size, Image.Resampling.LANCZOS)


def _cut(text: str, height: int) -> str:
    """As much of a line as fits below the tile."""
    font = _font(height)
    if font.getlength(text) <= _SIDE:
        return text
    while font.getlength(text + "...") > _SIDE:
        text = text[:-1]
    return text.rstrip() + "..."


@lru_cache(maxsize=4)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, so that every machine draws the same sheet."""
    return ImageFont.load_default(height)
