"""Copies made on purpose: what people and programs do to a picture before it comes again.

Copies of known origin measure how well duplicates are found, on the pictures at hand. Each edit
takes uint8 (H, W, 3) RGB and a random generator, and gives uint8 (H', W', 3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["EDITS", "Edit", "encode", "plant"]

_SAVED = 90
"""JPEG quality that an edited picture is saved with, as programs do."""

Made = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """`make`: the edited pixels. `quality`: of the JPEG that it is saved as, 1 to 100."""

    name: str
    make: Made
    quality: int = _SAVED


def plant(pixels: np.ndarray, edit: Edit, seed: int | Sequence[int]) -> bytes:
    """One picture's copy as a JPEG file; the same seed gives the same bytes."""
    return encode(edit.make(pixels, np.random.default_rng(seed)), edit.quality)


def encode(pixels: np.ndarray, quality: int) -> bytes:
    """uint8 (H, W, 3) RGB as JPEG."""
    made, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not made:
        raise UsageError(f"Pixels of {pixels.shape} cannot be saved as JPEG.")
    return bytes(data.tobytes())


def _same(pixels: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    return pixels


def _half(pixels: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    size = max(1, width // 2), max(1, height // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _crop(share: float) -> Made:
    """Cut `share` off the width and off the height, anywhere."""

    def make(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape[:2]
        rows, columns = round(height * (1 - share)), round(width * (1 - share))
        top = int(random.integers(0, height - rows + 1))
        left = int(random.integers(0, width - columns + 1))
        return pixels[top : top + rows, left : left + columns]

    return make


def _text(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Two words across a part of it, as a meme or a watermark has them."""
    height, width = pixels.shape[:2]
    made = np.ascontiguousarray(pixels)
    made = made.copy()
    words = ["SALE NOW", "for sale", "www.shop.example", "(c) 2026"][int(random.integers(4))]
    (wide, tall), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = 0.6 * width / wide
    left = int(random.integers(0, max(1, round(0.4 * width))))
    base = int(random.integers(round(tall * scale) + 1, max(round(tall * scale) + 2, height)))
    thick = max(1, round(scale * 2))
    place, font = (left, base), cv2.FONT_HERSHEY_DUPLEX
    cv2.putText(made, words, place, font, scale, (0, 0, 0), 3 * thick, cv2.LINE_AA)
    cv2.putText(made, words, place, font, scale, (255, 255, 255), thick, cv2.LINE_AA)
    return made


def _grey(pixels: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _blur(pixels: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    """Gaussian, of a standard deviation of 1/150 of the longer side."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape[:2]) / 150))


def _brightness(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """30 % brighter or darker."""
    factor = 1.3 if random.random() < 0.5 else 0.7
    return np.clip(np.round(pixels * factor), 0, 255).astype(np.uint8)


def _flip(pixels: np.ndarray, _random: np.random.Generator) -> np.ndarray:
    return pixels[:, ::-1]


def _turn(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A quarter to the left or to the right."""
    return np.rot90(pixels, 1 if random.random() < 0.5 else 3)


def _border(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """8 % of the longer side all round, black, white or grey."""
    wide = max(1, round(0.08 * max(pixels.shape[:2])))
    level = [0, 255, 128][int(random.integers(3))]
    return np.pad(pixels, ((wide, wide), (wide, wide), (0, 0)), constant_values=level)


def _screenshot(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """On a telephone's screen: its own size, bars above and below, a line of text."""
    height, width = pixels.shape[:2]
    light = bool(random.random() < 0.5)
    ground, ink = (250, 20) if light else (18, 235)
    screen = max(width, round(height * 1.25 / 2))
    top, below = round(0.2 * height), round(0.3 * height)
    side = (screen - width) // 2
    made = np.full((top + height + below, screen, 3), ground, np.uint8)
    made[top : top + height, side : side + width] = pixels
    scale, colour = screen / 450, (ink, ink, ink)
    font, line = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(screen / 300))
    cv2.putText(made, "12:41", (8, round(top * 0.4)), font, scale, colour, line, cv2.LINE_AA)
    cv2.putText(made, "< Photos", (8, round(top * 0.85)), font, scale, colour, line, cv2.LINE_AA)
    words = (10, top + height + round(below * 0.35))
    cv2.putText(made, "123 likes   share", words, font, scale, colour, line, cv2.LINE_AA)
    foot = round(top + height + below * 0.8)
    made[foot : foot + line, screen // 3 : 2 * screen // 3] = ink
    return made


EDITS: tuple[Edit, ...] = (
    Edit(name="jpeg-30", make=_same, quality=30),
    Edit(name="half-size", make=_half),
    Edit(name="crop-10", make=_crop(0.1)),
    Edit(name="crop-30", make=_crop(0.3)),
    Edit(name="text", make=_text),
    Edit(name="grey", make=_grey),
    Edit(name="blur", make=_blur),
    Edit(name="brightness", make=_brightness),
    Edit(name="flip", make=_flip),
    Edit(name="turn-90", make=_turn),
    Edit(name="border", make=_border),
    Edit(name="screenshot", make=_screenshot),
)
