"""Whether pictures may be mirrored left to right and still be what they are. K classes."""

import cv2
import numpy as np
from sklearn.neighbors import NearestNeighbors

from .data import Examples

__all__ = ["keeps_labels"]

_ASKED = 3_000
_KNOWN = 8_000
_SIDE = 14
_LEAST = 3


def keeps_labels(examples: Examples, seed: int) -> bool:
    """Whether mirror images help, or at least do no harm: right for shirts, wrong for digits.

    Up to 3,000 pictures are each given the label of the nearest (Euclidean, in pixels of 14x14) of
    up to 8,000 others, and again of these and their mirror images. The answer is no where mirror
    images mislead at least 3 times, and more than twice as often as they help. Of MNIST's pictures
    they mislead 29 to 36 and help 2 to 6, of Fashion-MNIST's 22 to 43 and 25 to 41 (seeds 1, 2, 3
    of the training parts, 2026-11-25).
    """
    order = np.random.default_rng([seed, 77]).permutation(len(examples))[:_KNOWN]
    have, labels, count = _small(examples.x[order]), examples.y[order], len(order)
    mirrored = np.concatenate([have, have[:, :, ::-1]])
    asked = np.arange(min(_ASKED, count))
    alone = _same(labels[_nearest(have, asked, count)], labels[asked])
    both = _same(labels[_nearest(mirrored, asked, count)], labels[asked])
    lost, won = int((alone & ~both).sum()), int((both & ~alone).sum())
    return lost < _LEAST or lost <= 2 * won


def _same(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which rows have the same label, or all the same labels: bool (N,)."""
    return np.asarray((ones == others).reshape(len(ones), -1).all(axis=1))


def _small(pixels: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W, C) to float32 (N, 14, 14, C)."""
    found = np.empty((len(pixels), _SIDE, _SIDE, pixels.shape[3]), np.float32)
    for index, picture in enumerate(pixels):
        small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        found[index] = np.reshape(small, found.shape[1:])
    return found


def _nearest(have: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """The place of the nearest, neither itself nor its own mirror image, below `count`: int64 (N,).

    `have`: float32 (count, ...), or (2 count, ...) with the mirror images behind.
    """
    flat = have.reshape(len(have), -1)
    search = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(flat)
    places = search.kneighbors(flat[asked], return_distance=False) % count
    other = places != asked[:, None]
    return np.asarray(places[np.arange(len(asked)), other.argmax(axis=1)])
