"""Candidates of several views, some of them the same thing, to one box each."""

import numpy as np

__all__ = ["merge", "overlaps"]

_SAME = 0.3
"""Intersection over union from which two boxes are one thing: CenterFace's own, for its faces."""

_INSIDE = 0.6
"""Part of the smaller box that lies in the better one, from which it shows a piece of that."""

_VOTES = 0.5
"""Intersection over union with the best box from which one has a say in where its edges are."""


def merge(found: np.ndarray) -> np.ndarray:
    """One row a thing, best first, from float64 (N, 5 + M): x0, y0, x1, y1, score, and M more.

    Non-maximum suppression; a kept row is then the mean of the rows that agree with it, weighted by
    their scores (box voting: Gidaris and Komodakis, arXiv:1505.01749, section 3), with the highest
    score. The order of the rows does not matter.
    """
    keys = [found[:, column] for column in range(found.shape[1])]
    order = np.lexsort([*keys, -found[:, 4]])
    left, kept = found[order], []
    while len(left):
        union, smaller = overlaps(left[0], left)
        voters = left[union >= _VOTES]
        mean = np.average(voters, axis=0, weights=voters[:, 4])
        mean[4] = left[0, 4]
        kept.append(mean)
        left = left[(union < _SAME) & (smaller < _INSIDE)]
    return np.array(kept).reshape(-1, found.shape[1])


def overlaps(one: np.ndarray, many: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intersection over union, and over the smaller box, of a box and (N, 4 or more) boxes."""
    width = np.minimum(one[2], many[:, 2]) - np.maximum(one[0], many[:, 0])
    height = np.minimum(one[3], many[:, 3]) - np.maximum(one[1], many[:, 1])
    both = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (many[:, 2] - many[:, 0]) * (many[:, 3] - many[:, 1])
    area = (one[2] - one[0]) * (one[3] - one[1])
    return both / (area + areas - both), both / np.minimum(area, areas)
