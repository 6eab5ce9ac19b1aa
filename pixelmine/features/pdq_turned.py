"""PDQ hashes of turned and mirrored pictures, from the hash alone.

A mirrored picture has the same cosine waves, the odd ones with the other sign; a transposed one has
them transposed (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm",
2019, dihedral hashes). With the sign a bit turns over, but for the few waves near the median: of
1,000 photographs the hash so made is 13 bits from that of the turned picture in the median, and at
most 31 in 994 (2026-11).
"""

from typing import NamedTuple

import numpy as np

__all__ = ["TURNS", "Turn", "back_in_words", "turned_hashes", "turned_pixels"]

_WAVES = 16
_ODD = np.arange(1, _WAVES + 1) % 2 == 1


class Turn(NamedTuple):
    """What is done to a picture, in this order."""

    transposed: bool
    upside_down: bool
    mirrored: bool

    @property
    def back(self) -> "Turn":
        """What undoes it: a quarter left a quarter right, and all others themselves."""
        if self.transposed and self.upside_down != self.mirrored:
            return Turn(True, self.mirrored, self.upside_down)
        return self

    @property
    def words(self) -> str:
        """As people say it: `mirrored`, `turned left`."""
        return _WORDS[self]


_WORDS = {
    Turn(False, False, False): "upright",
    Turn(False, False, True): "mirrored",
    Turn(False, True, False): "mirrored upside down",
    Turn(False, True, True): "upside down",
    Turn(True, False, False): "mirrored and turned",
    Turn(True, True, False): "turned left",
    Turn(True, False, True): "turned right",
    Turn(True, True, True): "mirrored and turned",
}
_BACK = {turn.words: turn.back.words for turn in _WORDS}
TURNS = tuple(_WORDS)
"""All eight, upright first."""


def back_in_words(words: str) -> str:
    """What undoes a turn, both in words."""
    return _BACK[words]


def turned_hashes(hashes: np.ndarray, turn: Turn) -> np.ndarray:
    """Of uint8 (N, 32) hashes as `Pdq` makes them, those of the turned pictures, uint8 (N, 32)."""
    waves = np.unpackbits(hashes, axis=1)[:, ::-1].reshape(-1, _WAVES, _WAVES).astype(bool)
    if turn.transposed:
        waves = waves.transpose(0, 2, 1)
    if turn.upside_down:
        waves = waves ^ _ODD[:, None]
    if turn.mirrored:
        waves = waves ^ _ODD[None, :]
    return np.packbits(waves.reshape(len(hashes), _WAVES * _WAVES)[:, ::-1], axis=1)


def turned_pixels(pixels: np.ndarray, turn: Turn) -> np.ndarray:
    """(H, W) or (H, W, C) turned."""
    if turn.transposed:
        pixels = pixels.swapaxes(0, 1)
    if turn.upside_down:
        pixels = pixels[::-1]
    if turn.mirrored:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
