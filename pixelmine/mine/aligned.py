"""Whether one picture is an edited copy of another: laid over each other, the same is seen.

Keypoints (ORB: Rublee et al. 2011) that look alike in both give a similarity transform (RANSAC:
Fischler and Bolles 1981); one picture is laid over the other by it, and the detail (a difference of
Gaussians) where both are must agree. Keypoints alone do not do: two photographs of one place share
its background. Nor do grey levels: of 449 pairs of different garments on one ground whose keypoints
agree, 121 agree in grey levels by .9, and 9 in detail, of which 8 are shots of one garment
(clothing, 2026-11).
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from pixelmine.features.luma import luma

__all__ = [
    "SMALL",
    "Aligned",
    "Look",
    "align",
    "chroma",
    "colour_agreement",
    "detail_correlation",
    "look",
]

SIDE = 320
"""Pixels, longer side on which keypoints are looked for."""
SMALL = 160
"""Pixels, longer side on which grey levels are compared."""
_POINTS = 500
_RATIO = 0.85
"""A match counts where the second best is clearly farther (Lowe 2004 takes .8)."""
_FEWEST = 8
_REPROJECTION = 4.0
"""Pixels of SIDE that a matched point may lie off."""
_SCALES = 0.25, 4.0
_OVERLAP = 0.05
_TRIMMED = 0.1
"""Of the pixels where both are: those that differ most play no part, since text covers some."""
_GREY = 1.5
"""Of Lab's a and b, in the mean: below it a picture has no colour that could be compared."""
_FINE, _COARSE = 1.2, 5.0
"""Pixels of SMALL, standard deviations: blurred and sharp copies agree, and light plays no part."""


@dataclass(frozen=True)
class Look:
    """A picture as it is compared: `pixels`, uint8 (H, W, C), longer side up to 320; see `look`.

    What is made of them is made when it is first asked for, and kept.
    """

    pixels: np.ndarray

    @cached_property
    def grey(self) -> np.ndarray:
        """uint8 (H, W)."""
        return luma(self.pixels)

    @cached_property
    def small(self) -> np.ndarray:
        """uint8 (h, w), longer side up to 160, grey."""
        return _shrunk(self.grey, SMALL)

    @cached_property
    def chroma(self) -> np.ndarray | None:
        """int8 (h, w, 2), of the size of `small`; None of a grey picture."""
        return chroma(_shrunk(self.pixels, SMALL))

    @cached_property
    def detail(self) -> np.ndarray:
        """float32 (h, w), of the size of `small`: what is neither noise nor light."""
        return np.asarray(_blurred(self.small, _FINE) - _blurred(self.small, _COARSE))

    @cached_property
    def keypoints(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 (P, 2), x and y in `grey`, and what is there, uint8 (P, 32)."""
        # The threshold is low: blurred and plain pictures have faint corners only.
        finder = cv2.ORB.create(_POINTS, fastThreshold=7)
        points, described = finder.detectAndCompute(self.grey, None)
        if described is None:
            return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
        return np.array([point.pt for point in points], np.float32), described

    @cached_property
    def mirrored(self) -> "Look":
        """The same picture left to right."""
        return Look(np.ascontiguousarray(self.pixels[:, ::-1]))


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """How one picture lies in the other.

    `inliers`: keypoints that agree on it. `correlation`: of the detail where both are, -1 to 1.
    `overlap`: share of the smaller picture where both are, 0 to 1. `scale`: how much larger the
    first lies in the second, in SIDE pixels. `turned`: degrees. `mirrored`: left to right, first.
    `colour`: of the chroma where both are, -1 to 1; None where one is grey.
    """

    inliers: int
    correlation: float
    overlap: float
    scale: float
    turned: float
    colour: float | None
    mirrored: bool = False


def look(pixels: np.ndarray) -> Look:
    """Look at uint8 (H, W, C) upright, C = 1 (grey) or 3 (RGB)."""
    return Look(_shrunk(pixels, SIDE))


def chroma(small: np.ndarray) -> np.ndarray | None:
    """Lab's a and b of uint8 (H, W, C), int8 (H, W, 2); None where it is grey."""
    if small.ndim == 2 or small.shape[2] == 1:
        return None
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.int16) - 128
    return lab.astype(np.int8) if np.abs(lab).mean() >= _GREY else None


def align(first: Look, second: Look) -> Aligned | None:
    """Lay the first over the second; None where too few points agree on how."""
    (points, described), (others, other_described) = first.keypoints, second.keypoints
    matches = _matches(described, other_described)
    if len(matches) < _FEWEST:
        return None
    a, b = points[matches[:, 0]], others[matches[:, 1]]
    cv2.setRNGSeed(0)
    matrix, inside = cv2.estimateAffinePartial2D(
        a, b, method=cv2.RANSAC, ransacReprojThreshold=_REPROJECTION, maxIters=300, confidence=0.99
    )
    if matrix is None or int(inside.sum()) < _FEWEST:
        return None
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not _SCALES[0] <= scale <= _SCALES[1]:
        return None
    agrees, overlap, colour = _laid_over(first, second, matrix)
    return Aligned(
        inliers=int(inside.sum()),
        correlation=agrees,
        overlap=overlap,
        colour=colour,
        scale=scale,
        turned=float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))),
    )


def colour_agreement(first: np.ndarray, second: np.ndarray) -> float | None:
    """The cosine of two chromas of one shape, -1 to 1; None where one has none."""
    a, b = first.astype(np.float32).ravel(), second.astype(np.float32).ravel()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else None


def detail_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Of the detail of two pictures at the same places, float32 of one shape; -1 to 1.

    The tenth of places that differ most plays no part.
    """
    a, b = first.ravel(), second.ravel()
    # Writing on the one spoils the fit of it to the other, but not the other way round.
    return max(_trimmed(a, b), _trimmed(b, a))


def _trimmed(a: np.ndarray, b: np.ndarray) -> float:
    gain, offset = _fit(a, b)
    off = np.abs(gain * a + offset - b)
    last = int((len(off) - 1) * (1 - _TRIMMED))
    kept = off <= np.partition(off, last)[last]
    a, b = a[kept] - a[kept].mean(), b[kept] - b[kept].mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def _detail_inside(grey: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The detail of uint8 (h, w) at the places `where`, bool (h, w), as if nothing lay outside."""
    inside = where.astype(np.float32)
    levels = grey * inside
    near, far = (
        _blurred(levels, size) / np.maximum(_blurred(inside, size), 1e-3)
        for size in (_FINE, _COARSE)
    )
    return np.asarray((near - far)[where])


def _fit(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Least squares: the contrast may have been changed."""
    middle, spread = a.mean(), a.var()
    gain = float(((a - middle) @ (b - b.mean())) / len(a) / spread) if spread > 0 else 0.0
    return gain, float(b.mean() - gain * middle)


def _matches(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """int64 (M, 2): places of points whose nearest in the second is clearly the nearest."""
    if len(first) < 2 or len(second) < 2:
        return np.empty((0, 2), np.int64)
    from pixelmine.index.hamming_scan import two_nearest

    place, best, next_best = two_nearest(first.view(np.uint64), second.view(np.uint64)).T
    clear = np.flatnonzero(best < _RATIO * next_best)
    return np.stack([clear, place[clear]], axis=1)


def _laid_over(first: Look, second: Look, matrix: np.ndarray) -> tuple[float, float, float | None]:
    """Correlation, overlap and agreement of colours, on the small pictures."""
    height, width = second.small.shape
    there = np.array([width / second.grey.shape[1], height / second.grey.shape[0]])
    here = np.array([first.grey.shape[1], first.grey.shape[0]]) / first.small.shape[::-1]
    small = np.concatenate([matrix[:, :2] * here, matrix[:, 2:]], axis=1) * there[:, None]
    laid = _warped(first.small, small, width, height)
    where = _warped(np.full_like(first.small, 255), small, width, height) > 250
    shrink = float(np.hypot(small[0, 0], small[1, 0])) ** 2
    smaller = min(first.small.size * shrink, second.small.size)
    overlap = min(1.0, float(where.sum() / smaller)) if smaller else 0.0
    if where.mean() < _OVERLAP:
        return 0.0, overlap, None
    colour = None
    if first.chroma is not None and second.chroma is not None:
        laid_colours = _warped(first.chroma.astype(np.float32), small, width, height)
        colour = colour_agreement(laid_colours[where], second.chroma[where])
    a, b = _detail_inside(laid, where), _detail_inside(second.small, where)
    return detail_correlation(a, b), overlap, colour


def _warped(pixels: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR))


def _blurred(levels: np.ndarray, size: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(levels.astype(np.float32), (0, 0), size))


def _shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return shrunk if shrunk.ndim == pixels.ndim else shrunk[..., None]
