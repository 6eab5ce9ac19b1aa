"""Shape: where the mass of a picture lies, whatever its place, size and turn."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from pixelmine.core.checks import check_side

from .luma import luma
from .shrink import shrink
from .vector import vector_producer

__all__ = ["Shape"]

_TINY = 1e-20
"""Of a moment: below it is rounding. The sixth and seventh of plain shapes are around 1e-16."""
_OF = ("luma", "mask")
_SHOWN = 384
"""Pixels, longer side that small pictures are enlarged to, at most, by a whole factor."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Hu's seven moments of the luma and of the Otsu mask, and how much the mask covers.

    The mask is the side of Otsu's threshold that takes less of the picture's frame: a thing is
    seldom what its border shows. A moment h becomes sign(h) log10(1 + |h| / 1e-20): 0 to about 20
    either way, 0 for nothing. The luma counts as 0 (black) to 1 (white). Hu's moments do not change
    when a shape is moved, scaled or turned; the seventh changes its sign when it is mirrored. The
    cover is a share, 0 to 1. D = 15.

    `side`: pixels; a picture whose longer side is above it is shrunk to it.
    """

    name: ClassVar[str] = "shape"
    title: ClassVar[str] = "Hu moments"
    source: ClassVar[str] = (
        "Hu, Visual pattern recognition by moment invariants, IRE Trans. IT 8(2), 1962; "
        "Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9(1), 1979"
    )
    version: ClassVar[int] = 1

    side: int = 256

    def __post_init__(self) -> None:
        check_side("side", self.side)

    @property
    def dimensions(self) -> int:
        """D."""
        return 15

    @property
    def producer(self) -> str:
        """Digest of name, version and options."""
        return vector_producer(self)

    def names(self) -> list[str]:
        """What each number is."""
        moments = [f"Hu moment {n} of the {of}, log10 of 1e-20" for of in _OF for n in range(1, 8)]
        return [*moments, "cover of the mask, share"]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H, W, C) to float32 (15,)."""
        grey = shrink(luma(pixels), self.side)
        mask = _mask(grey)
        planes = (grey.astype(np.float32) / 255, mask.astype(np.float32))
        moments = np.concatenate([cv2.HuMoments(cv2.moments(plane)).ravel() for plane in planes])
        logs = np.sign(moments) * np.log10(1 + np.abs(moments) / _TINY)
        return np.append(logs, mask.mean()).astype(np.float32)

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """What the mask covers, the rest dark blue; and the ellipse of the same moments."""
        grey = shrink(luma(pixels), self.side)
        mask = _mask(grey)
        inside = np.repeat(96 + grey[..., None] // 8 * 5, 3, axis=2)
        outside = np.array([24, 32, 56], np.uint8) + grey[..., None] // 8
        picture = np.where(mask[..., None] > 0, inside, outside).astype(np.uint8)
        times = max(1, _SHOWN // max(mask.shape))
        picture, mask = (plane.repeat(times, 0).repeat(times, 1) for plane in (picture, mask))
        _draw_ellipse(picture, mask)
        return picture


def _mask(grey: np.ndarray) -> np.ndarray:
    """uint8 (H, W), 1 inside and 0 outside; all 0 for a picture of one level."""
    _, above = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = np.asarray(above)
    if mask.min() == mask.max():
        return np.zeros_like(mask)
    frame = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return 1 - mask if 2 * int(frame.sum()) > frame.size else mask


def _draw_ellipse(picture: np.ndarray, mask: np.ndarray) -> None:
    moments = cv2.moments(mask, binaryImage=True)
    if not moments["m00"]:
        return
    middle = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    spread = (
        np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
        / moments["m00"]
    )
    lengths, axes = np.linalg.eigh(spread)
    turn = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    radii = 2 * np.sqrt(np.maximum(lengths[::-1], 0))
    at, half = (tuple(np.rint(v).astype(int).tolist()) for v in (middle, radii))
    thick = max(1, max(picture.shape) // 128)
    cv2.ellipse(picture, at, half, float(turn), 0, 360, (255, 140, 40), thick, cv2.LINE_AA)
    cv2.circle(picture, at, 2 * thick, (255, 140, 40), cv2.FILLED, cv2.LINE_AA)
