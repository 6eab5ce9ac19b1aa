"""How far a figure would move with other pictures: the bootstrap, percentile intervals.

B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979), 1-26.
Pictures are drawn anew within each true class (stratified), so that no class is ever without one.
N pictures, K classes, B resamples.
"""

from collections.abc import Iterator

import numpy as np

from .interval import Estimate

__all__ = ["RESAMPLES", "class_figures", "estimate", "resampled_figures", "weights"]

RESAMPLES = 1000
"""The ends of a 95 % interval then stand on the 25 outermost resamples at either side."""

_CHUNK = 2**22
"""Weights held at once: 8 MB of them, whatever N is."""


def estimate(value: float, resampled: np.ndarray) -> Estimate:
    """The figure with the 2.5 and 97.5 percentiles of what the resamples gave, (B,).

    NaN: a resample that had nothing to measure. Without any other there is no interval.
    """
    known = resampled[~np.isnan(resampled)]
    if not known.size:
        return Estimate(value=float(value))
    low, high = np.percentile(known, (2.5, 97.5))
    return Estimate(value=float(value), low=float(low), high=float(high))


def class_figures(
    hits: np.ndarray, answers: np.ndarray, pictures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Balanced accuracy and macro F1, (B,) each, over the classes that have a picture.

    `hits`: pictures of a class named right, (B, K); `answers`: pictures named so, (B, K);
    `pictures`: of the class, (K,).
    """
    tested = pictures > 0
    hits, answers, pictures = hits[:, tested], answers[:, tested], pictures[tested]
    return (hits / pictures).mean(axis=1), (2 * hits / (pictures + answers)).mean(axis=1)


def resampled_figures(
    confusion: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Balanced accuracy and macro F1 of `resamples` draws, (B,) each.

    `confusion`: (K, K) int, truth by answer. All that a draw of pictures changes is how the row of
    each class falls: a multinomial draw, which is the bootstrap of the pictures themselves.
    """
    rng = np.random.default_rng(seed)
    hits, answers = (np.zeros((resamples, len(confusion)), np.int64) for _ in range(2))
    pictures = confusion.sum(axis=1)
    for truth in np.flatnonzero(pictures):
        places = np.flatnonzero(confusion[truth])
        row = confusion[truth, places]
        drawn = rng.multinomial(pictures[truth], row / pictures[truth], resamples)
        answers[:, places] += drawn
        hits[:, truth] = drawn[:, places == truth].sum(axis=1)
    return class_figures(hits, answers, pictures)


def weights(truth: np.ndarray, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of N pictures was drawn, uint16 (b, N), until `resamples` rows have come.

    `truth`: (N,) int; as many pictures of each value are drawn as there are.
    """
    rng = np.random.default_rng(seed)
    strata = [np.flatnonzero(truth == value) for value in np.unique(truth)]
    step = max(1, _CHUNK // len(truth))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = np.empty((rows, len(truth)), np.uint16)
        for places in strata:
            size = len(places)
            picked = rng.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
            counts = np.bincount(picked.ravel(), minlength=rows * size)
            drawn[:, places] = counts.reshape(rows, size)
        yield drawn
