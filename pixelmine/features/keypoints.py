"""A bag of visual words: how often each of some small patterns is found around keypoints."""

from base64 import b64decode
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side
from pixelmine.core.errors import UsageError

from .descriptors import BYTES, Found, describe_keypoints
from .false_colour import wheel
from .luma import luma
from .option_checks import check_whole
from .shrink import shrink
from .vector import vector_producer

__all__ = ["MOST_WORDS", "Keypoints", "as_points"]

MOST_WORDS = 4096
"""Half a megabyte of SIFT in a card."""
_GOLDEN = 0.618
"""Turns of the hue from one word to the next: neighbours differ, and none comes twice soon."""
_SHOWN = 384
"""Pixels, longer side of the picture of it."""


def _default_vocabulary() -> str:
    """64 SIFT words of dense keypoints on 16 pictures that scikit-image and scikit-learn ship."""
    return (files("pixelmine.features") / "sift_words.txt").read_text("ascii").strip()


@dataclass(frozen=True, kw_only=True)
class Keypoints:
    """How often each word of a vocabulary is found around the keypoints of the luma.

    `vocabulary`: `sift:` or `orb:` and the words in base64, 128 bytes (SIFT) or 32 (ORB) each;
    `fit_vocabulary` makes one from pictures like yours, which does better than the default of 64
    SIFT words. It is an option like any other: the card keeps all of it. `dense`: keypoints each
    way, evenly spread and upright, 1 to 64; 0 detects them, at most 500. Each counts for the word
    nearest to it (SIFT: Euclidean distance; ORB: Hamming distance), in `grid` x `grid` cells:
    shares of a cell's keypoints, 0 to 1, all 0 where it has none. D = grid^2 words, by default 64.

    `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "keypoints"
    title: ClassVar[str] = "Keypoints (bag of visual words)"
    source: ClassVar[str] = (
        "Csurka et al., Visual categorization with bags of keypoints, ECCV workshop 2004; Lowe, "
        "Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004; Rublee et "
        "al., ORB, ICCV 2011"
    )
    version: ClassVar[int] = 1

    dense: int = 16
    grid: int = 1
    side: int = 256
    vocabulary: str = field(default_factory=_default_vocabulary, repr=False)

    def __post_init__(self) -> None:
        check_whole("dense", self.dense, 0, 64)
        check_whole("grid", self.grid, 1, 8)
        check_side("side", self.side)
        if not isinstance(self.vocabulary, str):
            raise UsageError(f"vocabulary must be text. Got {self.vocabulary!r} instead.")
        _read(self.vocabulary)

    @property
    def dimensions(self) -> int:
        """D."""
        return self.grid**2 * len(_read(self.vocabulary)[1])

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        cells = range(self.grid**2)
        cell = [
            f"row {n // self.grid} column {n % self.grid}: " if self.grid > 1 else "" for n in cells
        ]
        words = range(len(_read(self.vocabulary)[1]))
        return [f"{where}word {word}, share" for where in cell for word in words]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (D,)."""
        grey = shrink(luma(pixels), self.side)
        found, words = self._find(grey)
        across, down = (found.places * self.grid // np.array(grey.shape[::-1], np.float32)).T
        last = self.grid - 1
        cells = down.clip(0, last) * self.grid + across.clip(0, last)
        count = self.dimensions // self.grid**2
        counts = np.bincount(cells.astype(np.int64) * count + words, minlength=self.dimensions)
        table = counts.reshape(-1, count).astype(np.float32)
        return np.asarray(table / np.maximum(table.sum(1, keepdims=True), 1)).ravel()

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """Each keypoint as a dot in the colour of its word, on the darkened picture."""
        grey = shrink(luma(pixels), self.side)
        found, words = self._find(grey)
        scale = _SHOWN / max(grey.shape)
        size = tuple(round(length * scale) for length in grey.shape[::-1])
        picture = np.repeat(cv2.resize(grey, size)[..., None] // 2, 3, axis=2)
        colours = wheel(words[None] * _GOLDEN, np.ones((1, len(words)), np.float32))[0].tolist()
        for place, colour in zip(np.rint(found.places * scale).astype(int), colours, strict=True):
            cv2.circle(picture, tuple(place.tolist()), 5, colour, cv2.FILLED, cv2.LINE_AA)
        return picture

    def _find(self, grey: np.ndarray) -> tuple[Found, np.ndarray]:
        """The keypoints, and the word of each, int64 (M,)."""
        kind, words = _read(self.vocabulary)
        found = describe_keypoints(grey, kind, self.dense)
        distances = (words * words).sum(1) - 2 * as_points(kind, found.values) @ words.T
        return found, distances.argmin(1)


def as_points(kind: str, values: np.ndarray) -> np.ndarray:
    """uint8 (M, B) to float32 (M, d), whose squared distance is that of the descriptors."""
    return np.asarray(np.unpackbits(values, axis=1) if kind == "orb" else values, np.float32)


@lru_cache(maxsize=16)
def _read(vocabulary: str) -> tuple[str, np.ndarray]:
    """`sift` or `orb`, and its words as float32 points. Raises UsageError."""
    kind, _, text = vocabulary.partition(":")
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error too
        raise UsageError(f"vocabulary must be base64 behind its kind: {error}.") from error
    size = BYTES.get(kind)
    if size is None or len(data) % size or not 2 <= len(data) // size <= MOST_WORDS:
        raise UsageError(
            f"vocabulary must be sift: or orb: and 2 to {MOST_WORDS} whole words. "
            f"Got {kind[:16]!r} and {len(data)} bytes instead."
        )
    words = as_points(kind, np.frombuffer(data, np.uint8).reshape(-1, size))
    words.flags.writeable = False
    return kind, words
