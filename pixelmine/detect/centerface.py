"""CenterFace on one tile: from its four maps to candidates.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv:1911.03599:
each face is the place where its middle is; size, offset and landmarks are read off there.
"""

import numpy as np

from pixelmine.models.weights.centerface import STRIDE

from .session import run_weights

__all__ = ["COLUMNS", "look"]

COLUMNS = 15
"""Of a candidate: x0, y0, x1, y1, score, and x and y of each of the five landmarks."""

_MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark is which in a mirror: left eye, right eye, nose, left and right of the mouth."""

_MOST = 2000
"""Candidates of one tile: a crowd has a few hundred faces."""


def look(pixels: np.ndarray, low: float, threads: int | None = None) -> np.ndarray:
    """Candidates with a score of at least `low` in uint8 (H, W, 3), seen as it is and mirrored.

    Returns float64 (N, 15), in pixels; the same face comes twice, once from each view. H and W
    divide by 32. `threads`: None for all processors. Raises ModelError where the weights are not on
    this machine.
    """
    both = np.stack([pixels, pixels[:, ::-1]])
    heat, size, offset, points = run_weights("centerface", both, threads)
    seen = [_read(heat[k, 0], size[k], offset[k], points[k], low) for k in range(2)]
    return np.concatenate([seen[0], _mirror(seen[1], pixels.shape[1])])


def _read(
    heat: np.ndarray, size: np.ndarray, offset: np.ndarray, points: np.ndarray, low: float
) -> np.ndarray:
    rows, columns = np.nonzero((heat >= low) & (heat == _highest_around(heat)))
    score = heat[rows, columns].astype(np.float64)
    best = np.argsort(-score, kind="stable")[:_MOST]
    rows, columns, score = rows[best], columns[best], score[best]
    height, width = np.exp(size[:, rows, columns].astype(np.float64)) * STRIDE
    down, right = offset[:, rows, columns].astype(np.float64)
    x0 = (columns + right + 0.5) * STRIDE - width / 2
    y0 = (rows + down + 0.5) * STRIDE - height / 2
    parts = points[:, rows, columns].astype(np.float64)
    found = np.empty((len(score), COLUMNS))
    found[:, :5] = np.stack([x0, y0, x0 + width, y0 + height, score], axis=1)
    found[:, 5::2] = (x0 + parts[1::2] * width).T
    found[:, 6::2] = (y0 + parts[0::2] * height).T
    return found


def _highest_around(heat: np.ndarray) -> np.ndarray:
    """The highest value of each place and its eight neighbours."""
    padded = np.pad(heat, 1, constant_values=-np.inf)
    rows = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    highest: np.ndarray = np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    return highest


def _mirror(found: np.ndarray, width: int) -> np.ndarray:
    back = found.copy()
    back[:, [0, 2]] = width - found[:, [2, 0]]
    points = found[:, 5:].reshape(-1, 5, 2)[:, _MIRRORED]
    points[:, :, 0] = width - points[:, :, 0]
    back[:, 5:] = points.reshape(-1, 10)
    return back
