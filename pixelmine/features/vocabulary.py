"""Find the visual words of a collection: the middles of clusters of descriptors."""

from base64 import b64encode
from collections.abc import Iterable

import numpy as np

from pixelmine.core.checks import check_one_of, check_side
from pixelmine.core.errors import UsageError

from .descriptors import BYTES, describe_keypoints
from .keypoints import MOST_WORDS, as_points
from .luma import luma
from .option_checks import check_whole
from .shrink import shrink

__all__ = ["fit_vocabulary"]

_EACH, _ALL = 256, 100_000
"""Descriptors taken of one picture and of all, by chance: 400 pictures fill them."""


def fit_vocabulary(
    pictures: Iterable[np.ndarray],
    words: int,
    seed: int,
    *,
    descriptor: str = "sift",
    dense: int = 16,
    side: int = 256,
) -> str:
    """The `vocabulary` of a `Keypoints` with the same `dense` and `side`, by k-means.

    `pictures`: uint8 (H, W, C), some hundred; training pictures only. The words are rounded to
    bytes (SIFT) or bits (ORB). The same pictures in the same order and the same seed give the same
    words. Raises UsageError where the pictures have fewer different descriptors than `words`.
    """
    check_one_of("descriptor", descriptor, BYTES)
    check_whole("words", words, 2, MOST_WORDS)
    check_whole("dense", dense, 0, 64)
    check_side("side", side)
    points = as_points(descriptor, _sample(pictures, seed, descriptor, dense, side))
    if len(points) < words or len(np.unique(points, axis=0)) < words:
        raise UsageError(
            f"{words} words need at least as many different descriptors. "
            f"Got {len(points)} in all: give more pictures, or ask for fewer words."
        )
    data = _as_bytes(descriptor, _middles(points, words, seed)).tobytes()
    return f"{descriptor}:{b64encode(data).decode()}"


def _sample(
    pictures: Iterable[np.ndarray], seed: int, descriptor: str, dense: int, side: int
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = [np.empty((0, BYTES[descriptor]), np.uint8)]
    for pixels in pictures:
        values = describe_keypoints(shrink(luma(pixels), side), descriptor, dense).values
        found.append(_some(values, _EACH, rng))
    return _some(np.concatenate(found), _ALL, rng)


def _some(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return values if len(values) <= count else np.asarray(rng.choice(values, count, replace=False))


def _middles(points: np.ndarray, words: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    fitted = KMeans(words, n_init=1, random_state=seed).fit(points)
    return np.asarray(fitted.cluster_centers_)


def _as_bytes(descriptor: str, middles: np.ndarray) -> np.ndarray:
    if descriptor == "orb":
        return np.packbits(middles > 0.5, axis=1)
    return np.asarray(np.rint(middles), np.uint8)
