"""A picture divided into cells, row by row: what lies in each, without a loop over any of them."""

from functools import lru_cache

import cv2
import numpy as np

__all__ = ["cell_means", "cell_shares", "in_cells", "shared_means"]


def cell_shares(
    codes: np.ndarray, bins: int, grid: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """uint8 (H, W) below `bins` to float64 (grid * grid, bins): shares that sum to 1.

    `weights`: (H, W), how much each pixel counts, by default all alike. A cell in which nothing
    counts has zeros.
    """
    cells = _cells(*codes.shape, grid)
    if weights is None:
        counts = cv2.calcHist(
            [cells, codes], [0, 1], None, [grid * grid, bins], [0, grid * grid, 0, bins]
        )
    else:
        places = (cells.astype(np.int64) * bins + codes).ravel()
        counts = np.bincount(places, weights.ravel(), minlength=grid * grid * bins)
    counts = np.asarray(counts, np.float64).reshape(grid * grid, bins)
    total = counts.sum(1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0))


def cell_means(planes: np.ndarray, grid: int) -> np.ndarray:
    """float32 (..., H, W) to the mean of each cell, float32 (..., grid, grid)."""
    height, width = planes.shape[-2:]
    return np.asarray(_boxes(height, grid) @ (planes @ _boxes(width, grid).T))


def shared_means(planes: np.ndarray, grid: int) -> np.ndarray:
    """As `cell_means`, but each pixel counts for the four cells whose middles are next to it.

    The nearer the middle, the more; at the border what would go to cells outside is lost. A pixel
    that moves by one then changes the numbers a little, where it would have jumped.
    """
    height, width = planes.shape[-2:]
    return np.asarray(_tents(height, grid) @ (planes @ _tents(width, grid).T))


def in_cells(grid: int, names: list[str]) -> list[str]:
    """These names for each cell, row by row."""
    if grid == 1:
        return names
    return [f"row {r} column {c}: {n}" for r in range(grid) for c in range(grid) for n in names]


def _at(length: int, grid: int) -> np.ndarray:
    """The cell that each of `length` pixels lies in."""
    return np.arange(length) * grid // length


@lru_cache(maxsize=32)
def _cells(height: int, width: int, grid: int) -> np.ndarray:
    """uint8 (H, W): the cell of each pixel."""
    return _fixed(_at(height, grid)[:, None] * grid + _at(width, grid), np.uint8)


@lru_cache(maxsize=256)
def _boxes(length: int, grid: int) -> np.ndarray:
    """float32 (grid, length) that takes the mean of each cell."""
    inside = np.arange(grid)[:, None] == _at(length, grid)
    return _fixed(inside / np.maximum(inside.sum(1, keepdims=True), 1), np.float32)


@lru_cache(maxsize=256)
def _tents(length: int, grid: int) -> np.ndarray:
    """float32 (grid, length): weights falling linearly from a cell's middle to the next one's."""
    place = (np.arange(length) + 0.5) * grid / length - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(grid)[:, None] - place)) * grid / length
    return _fixed(weights, np.float32)


def _fixed(values: np.ndarray, kind: type) -> np.ndarray:
    """A copy that all callers share, and none may write to."""
    found: np.ndarray = values.astype(kind)
    found.flags.writeable = False
    return found
