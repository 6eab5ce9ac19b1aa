"""Read one line of text."""

from dataclasses import replace

import cv2
import numpy as np

from .text_network import ReadingNetwork
from .text_regions import Region, cut_out

__all__ = ["TextReader"]

_HEIGHT = 48
_LEAST, _MOST = 320, 3200
"""Columns that the network is given: fewer are filled up with grey, as in its training; a line of
more than 66 times its height is squeezed."""


class TextReader:
    """Reads lines with PP-OCRv6: Chinese, Japanese, Latin letters, digits, signs.

    Each line is read by itself, so that what is read in it depends on nothing else. Raises
    ModelError where the package with the network is missing.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._network = ReadingNetwork(threads)

    def read(self, pixels: np.ndarray, region: Region) -> Region:
        """The region of a picture, uint8 (H, W, 3) RGB, with its `text` and `reading`."""
        text, score = self.read_line(cut_out(pixels, region))
        return replace(region, text=text, reading=score)

    def read_line(self, line: np.ndarray) -> tuple[str, float]:
        """Text and score, 0 to 1, of a level line, uint8 (H, W, 3) RGB; nothing is "" and 0."""
        height, width = line.shape[:2]
        columns = min(max(1, round(_HEIGHT * width / height)), _MOST)
        filled = np.full((_HEIGHT, max(columns, _LEAST), 3), 127, np.uint8)
        filled[:, :columns] = cv2.resize(line, (columns, _HEIGHT))
        probability = self._network.run(filled)
        best = probability.argmax(axis=1)
        new = np.concatenate([[True], best[1:] != best[:-1]]) & (best != 0)  # 0: the blank
        if not new.any():
            return "", 0.0
        text = "".join(self._network.characters[index] for index in best[new])
        return text, float(probability.max(axis=1)[new].mean())
